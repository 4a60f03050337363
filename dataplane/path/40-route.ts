// 40-route: longest prefix match picks the egress port (RFC 1812 §5.2.4). In: packets that may pass, and from the turn before the
// ICMP errors of 95-local. Out: crypto-map, or local for what the host itself is to have. Drops: no-route (after an ICMP
// net unreachable, RFC 1812 §5.2.7.1), port-down. TTL is the kernel's on both sides of us; 90-tx makes up for its second decrement.

import { Drop } from '../counters/declare.js';
import type { Env } from '../env.js';
import { isLocal } from '../mem/hash.js';
import { FibLeaf, LeafLocal, LeafUnreachable, PortRow } from '../mem/shared.js';
import { lookupFib } from '../proto/fib.js';
import { IcmpError } from '../proto/icmp.js';

export function makeRoute(env: Env): () => void {
  const { drop } = env;
  const { dst, txPort, error, reason } = env.slots;
  const { fibRoot, fibNodes, fibLeaves, ports, localSet } = env.tables;
  const { route: input, cryptoMap, punt, refused } = env.vec;

  return function route() {
    for (let i = 0; i < input.length; i++) {
      const id = input.ids[i];
      const to = dst[id];
      // -1 is 255.255.255.255: for every host on the link, never forwarded (RFC 1812 §5.3.5.1).
      if (to === -1 || isLocal(localSet, to)) {
        punt.push(id);
        continue;
      }
      const leaf = lookupFib(fibRoot, fibNodes, to);
      const port = leaf === 0 ? LeafUnreachable : fibLeaves[leaf * FibLeaf.Words + FibLeaf.Port];
      if (port >= 0) {
        if (ports[port * PortRow.Words + PortRow.Up] === 0) {
          drop(id, Drop.PortDown);
          continue;
        }
        txPort[id] = port;
        cryptoMap.push(id);
      } else if (port === LeafLocal) {
        punt.push(id);
      } else {
        error[id] = (IcmpError.Unreachable << 24) | (IcmpError.CodeNet << 16);
        reason[id] = Drop.NoRoute;
        refused.push(id);
      }
    }
    input.clear();
  };
}
