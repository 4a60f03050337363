// 42-multicast: a copy for each port on which the group is configured, but the one it came by, and only of what came by the port that leads
// back to its source (RFC 1812 §5.2.1.2). In: packets to 224.0.0.0/4. Out: crypto-map; local for what came by a tunnel and is
// link-local, or for none of the ports: programs of this host may listen there, for which no kernel has seen it yet.
// Drops: multicast-reverse, no-route, ttl-expired; no ICMP error is made about multicast (§4.3.2.7).
// Does not: IGMP, PIM; which ports get a group is configured. 224.0.0.0/24 cannot be: it stays on its link, where the kernel has it.

import { Drop, PathCount } from '../counters/declare.js';
import type { Env } from '../env.js';
import { BankCount, FibLeaf, GroupRow, PortRow } from '../mem/shared.js';
import { PacketFlag, SlotShape } from '../mem/slots.js';
import { lookupFib } from '../proto/fib.js';
import { Ip4 } from '../proto/ipv4.js';
import { Cap, Tunnel, TunnelMode } from '../tables/layout.js';

/** 224.0.0.0/24: stays on its link (RFC 5771 §4). */
const LinkLocal = 0xe00000;

export function makeMulticast(env: Env): () => void {
  const { slots, drop } = env;
  const { bytes, view, off, len, l4Off, rxPort, txPort, nextHop, src, dst, flags, sa } = slots;
  const { counts, fibRoot, fibNodes, fibHalves, fibLeaves, ports, groups, tunnels } = env.tables;
  const { path } = env.counters;
  const { multicast: input, cryptoMap, punt } = env.vec;

  /** Bits of the ports that are to have it and are up. */
  function portsOf(group: number, from: number): number {
    for (let at = 0; at < counts[BankCount.Groups] * GroupRow.Words; at += GroupRow.Words) {
      if (groups[at + GroupRow.Group] !== group) continue;
      let bits = groups[at + GroupRow.Ports] & ~(1 << from);
      for (let port = 0; port < Cap.Ports; port++) if (ports[port * PortRow.Words + PortRow.Up] === 0) bits &= ~(1 << port);
      return bits;
    }
    return 0;
  }

  function send(id: number, port: number): void {
    txPort[id] = port;
    nextHop[id] = dst[id];
    cryptoMap.push(id);
  }

  /** @returns -1 when the pool is empty: that copy is not made, which is no packet lost but one less created */
  function copy(id: number): number {
    const made = slots.allocate();
    if (made < 0) return -1;
    const to = made * SlotShape.Bytes + SlotShape.Headroom;
    bytes.copyWithin(to, off[id], off[id] + len[id]);
    off[made] = to;
    len[made] = len[id];
    l4Off[made] = to + (l4Off[id] - off[id]);
    slots.copyColumns(id, made);
    sa[made] = -1;
    path[PathCount.Made]++;
    return made;
  }

  function routeGroup(id: number) {
    const isTunnel = tunnels[rxPort[id] * Tunnel.Words + Tunnel.Mode] !== TunnelMode.None;
    if (isTunnel && dst[id] >>> 8 === LinkLocal) return punt.push(id);
    const back = lookupFib(fibRoot, fibNodes, fibHalves, counts[BankCount.FibRoot], src[id]);
    if (fibLeaves[back * FibLeaf.Words + FibLeaf.Port] !== rxPort[id]) return drop(id, Drop.MulticastReverse);
    let bits = portsOf(dst[id], rxPort[id]);
    if (bits === 0) return isTunnel ? punt.push(id) : drop(id, Drop.NoRoute);
    if ((flags[id] & PacketFlag.OwesHop) !== 0 && view.getUint8(off[id] + Ip4.Ttl) <= 1) return drop(id, Drop.TtlExpired);
    for (;;) {
      const port = 31 - Math.clz32(bits);
      bits &= ~(1 << port);
      if (bits === 0) return send(id, port);
      const made = copy(id);
      if (made >= 0) send(made, port);
    }
  }

  return function multicast() {
    for (let i = 0; i < input.length; i++) routeGroup(input.ids[i]);
    input.clear();
  };
}
