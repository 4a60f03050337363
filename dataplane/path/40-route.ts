// 40-route: longest prefix match picks the egress port (RFC 1812 §5.2.4). In: packets that may pass, and from the turn before the
// ICMP errors of 95-local and what 65-gre-encap has put into GRE. What was sent into a tunnel's netdev leaves by that tunnel. Out: crypto-map, multicast, or local for what the host itself is to have. Drops: no-route (after an ICMP
// net unreachable, RFC 1812 §5.2.7.1), ttl-expired (after an ICMP time exceeded, §5.3.1), port-down. Where the kernel routed the packet
// to us it has taken this router's hop from the TTL; what still owes it is checked here, and 70-esp-seal or 90-tx takes it.

import { Drop } from '../counters/declare.js';
import type { Env } from '../env.js';
import { isLocal } from '../mem/hash.js';
import { BankCount, FibLeaf, LeafLocal, PortRow } from '../mem/shared.js';
import { PacketFlag, SlotShape } from '../mem/slots.js';
import { lookupFibVector } from '../proto/fib.js';
import { IcmpError, TimeExceededCode, UnreachableCode } from '../proto/icmp.js';
import { Ip4, isMulticast } from '../proto/ipv4.js';

export function makeRoute(env: Env): () => void {
  const { drop } = env;
  const { view, off, dst, rxPort, txPort, nextHop, flags, error, reason } = env.slots;
  const { counts, fibRoot, fibNodes, fibHalves, fibLeaves, ports, localSet } = env.tables;
  const { route: input, cryptoMap, multicast, punt, refused } = env.vec;
  const leaves = new Int32Array(SlotShape.Count);

  function refuse(id: number, type: number, code: number, why: Drop): void {
    error[id] = (type << 24) | (code << 16);
    reason[id] = why;
    refused.push(id);
  }

  function leave(id: number, port: number, hop: number) {
    if (ports[port * PortRow.Words + PortRow.Up] === 0) return drop(id, Drop.PortDown);
    if ((flags[id] & PacketFlag.OwesHop) !== 0 && view.getUint8(off[id] + Ip4.Ttl) <= 1)
      return refuse(id, IcmpError.TimeExceeded, TimeExceededCode.InTransit, Drop.TtlExpired);
    txPort[id] = port;
    nextHop[id] = hop;
    cryptoMap.push(id);
  }

  return function route() {
    if (input.length === 0) return;
    lookupFibVector(fibRoot, fibNodes, fibHalves, counts[BankCount.FibRoot], dst, input.ids, input.length, leaves);
    for (let i = 0; i < input.length; i++) {
      const id = input.ids[i];
      const to = dst[id];
      if ((flags[id] & PacketFlag.ByTunnel) !== 0) {
        leave(id, rxPort[id], to);
        continue;
      }
      // -1 is 255.255.255.255: for every host on the link, never forwarded (RFC 1812 §5.3.5.1).
      if (to === -1 || isLocal(localSet, to)) {
        punt.push(id);
        continue;
      }
      if (isMulticast(to)) {
        multicast.push(id);
        continue;
      }
      const leaf = leaves[i];
      const port = fibLeaves[leaf * FibLeaf.Words + FibLeaf.Port];
      if (port >= 0) {
        const gateway = fibLeaves[leaf * FibLeaf.Words + FibLeaf.NextHop];
        leave(id, port, gateway === 0 ? to : gateway);
      } else if (port === LeafLocal) {
        punt.push(id);
      } else {
        refuse(id, IcmpError.Unreachable, UnreachableCode.Net, Drop.NoRoute);
      }
    }
    input.clear();
  };
}
