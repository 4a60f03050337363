// 56-adjust-mss: `ip tcp adjust-mss`: a TCP SYN that came by such an interface, or leaves by one, announces no larger segments than fit (RFC 9293 §3.7.1): what a path
// without ICMP needs. In: packets that the crypto map has decided about, left in the vector of pmtu. Out: the same. Drops: none; a SYN with
// a header that lies passes as it is and is counted. With a limit on both interfaces the smaller one holds.
//
// Behind NAT and decryption and before encryption and GRE: both directions are seen here, in the clear. On a tunnel's interface it is what is inside. What is for this host
// itself is not changed, as on IOS.

import { PortCount } from '../counters/declare.js';
import type { Env } from '../env.js';
import { BankCount, PortRow } from '../mem/shared.js';
import { PacketFlag } from '../mem/slots.js';
import { IpProto } from '../proto/ipv4.js';
import { isSyn, lowerMss, MssChange } from '../proto/tcp-mss.js';

export function makeAdjustMss(env: Env): () => void {
  const { view, off, len, l4Off, rxPort, txPort, proto, flags } = env.slots;
  const { counts, ports } = env.tables;
  const { ports: portCounts } = env.counters;
  const { pmtu: input } = env.vec;

  function adjust(id: number): void {
    const end = off[id] + len[id];
    if (!isSyn(view, l4Off[id], end)) return;
    const into = ports[rxPort[id] * PortRow.Words + PortRow.Mss];
    const out = ports[txPort[id] * PortRow.Words + PortRow.Mss];
    if (into === 0 && out === 0) return;
    const port = out === 0 || (into !== 0 && into < out) ? rxPort[id] : txPort[id];
    const change = lowerMss(view, l4Off[id], end, ports[port * PortRow.Words + PortRow.Mss]);
    if (change === MssChange.Lowered) portCounts[port * PortCount.Count + PortCount.MssLowered]++;
    else if (change === MssChange.Malformed) portCounts[port * PortCount.Count + PortCount.MssMalformed]++;
  }

  return function adjustMss() {
    if (counts[BankCount.MssLimits] === 0) return;
    for (let i = 0; i < input.length; i++) {
      const id = input.ids[i];
      if (proto[id] === IpProto.Tcp && (flags[id] & (PacketFlag.LaterFragment | PacketFlag.Sealed)) === 0) adjust(id);
    }
  };
}
