// 60-pmtu: does it fit the egress MTU, with the exact ESP overhead where it will be sealed? In: packets with their SA decided.
// Out: esp-seal or tx. What does not fit: with DF an ICMP 3/4 that names the largest inner packet that does (RFC 1191 §4, RFC 4301 §8.2.1),
// without DF it is cut before encryption, so that receivers reassemble at the host and not at the gateway (IOS look-ahead
// fragmentation). In transport mode whole datagrams are sealed (RFC 4303 §3.1.1), so there nothing is cut. Drops: mtu-exceeded, no-slot,
// transport-fragment. Does not: learn path MTUs, fragment behind encryption.

import { Drop, PathCount } from '../counters/declare.js';
import type { Env } from '../env.js';
import { PortRow } from '../mem/shared.js';
import { PacketFlag, SlotShape } from '../mem/slots.js';
import { largestInner } from '../proto/esp.js';
import { EspUdp } from '../proto/esp-in-udp.js';
import { countFragments, cutToFirst, firstPayload, laterHeaderLength, writeLaterFragment } from '../proto/fragment.js';
import { IcmpError, UnreachableCode } from '../proto/icmp.js';
import { Ip4 } from '../proto/ipv4.js';
import { Port } from '../proto/l4.js';
import { Tbar } from '../proto/tbar.js';
import { Sa, SaFlag } from '../tables/layout.js';

/** RFC 791 §3.2: every module forwards datagrams of 68 bytes; a smaller MTU is a mistake. */
const LeastMtu = 68;

export function makePmtu(env: Env): () => void {
  const { slots, drop } = env;
  const { bytes, view, off, len, txPort, l4Off, sport, dport, flags, sa, error, reason } = slots;
  const { ports, sas } = env.tables;
  const { path } = env.counters;
  const { pmtu: input, espSeal, tx, refused } = env.vec;

  function pass(id: number): void {
    if (sa[id] >= 0) espSeal.push(id);
    else tx.push(id);
  }

  /** The longest datagram that may go on to this packet's next stage. */
  function limitOf(id: number): number {
    const mtu = Math.max(ports[txPort[id] * PortRow.Words + PortRow.Mtu], LeastMtu);
    if (sa[id] < 0) return mtu;
    const row = sa[id] * Sa.Words;
    const shim = sas[row + Sa.TimeWindow] > 0 ? Tbar.HeaderLen : 0;
    const header = isTransport(id) ? (view.getUint8(off[id]) & 15) << 2 : 0;
    const outer = (header || Ip4.HeaderLen) + (sas[row + Sa.PeerPort] !== 0 ? EspUdp.HeaderLen : 0);
    return header + largestInner(mtu, outer, sas[row + Sa.IvLen], sas[row + Sa.IcvLen], sas[row + Sa.Align], shim);
  }

  function isTransport(id: number): boolean {
    return sa[id] >= 0 && (sas[sa[id] * Sa.Words + Sa.Flags] & SaFlag.Transport) !== 0;
  }

  function isFragment(id: number): boolean {
    return (flags[id] & (PacketFlag.LaterFragment | PacketFlag.MoreFragments)) !== 0;
  }

  /** Slow path: one packet into several. The original becomes the first fragment, once the others are copied from it. */
  function cut(id: number, limit: number) {
    const at = off[id];
    const headerLength = (view.getUint8(at) & 15) << 2;
    const laterHeader = laterHeaderLength(view, at);
    const payload = len[id] - headerLength;
    const count = countFragments(headerLength, laterHeader, payload, limit);
    if (count === 0) return drop(id, Drop.MtuExceeded);
    if (slots.freeCount < count - 1) return drop(id, Drop.NoSlot);
    const first = firstPayload(headerLength, limit);
    const step = firstPayload(laterHeader, limit);
    pass(id);
    let skip = first;
    for (let i = 1; i < count; i++) {
      const piece = slots.allocate();
      const last = i === count - 1;
      slots.copyColumns(id, piece);
      sport[piece] = dport[piece] = Port.Unknown;
      flags[piece] |= PacketFlag.LaterFragment;
      off[piece] = piece * SlotShape.Bytes + SlotShape.Headroom;
      len[piece] = writeLaterFragment(bytes, view, at, skip, last ? payload - skip : step, last, off[piece]);
      l4Off[piece] = off[piece] + laterHeader;
      skip += step;
      pass(piece);
    }
    len[id] = cutToFirst(view, at, first);
    flags[id] |= PacketFlag.MoreFragments;
    path[PathCount.Made] += count - 1;
  }

  return function pmtu() {
    for (let i = 0; i < input.length; i++) {
      const id = input.ids[i];
      const limit = limitOf(id);
      if (isTransport(id) && isFragment(id)) {
        drop(id, Drop.TransportFragment);
      } else if (len[id] <= limit) {
        pass(id);
      } else if ((view.getUint16(off[id] + Ip4.FlagsOffset) & Ip4.DontFragment) !== 0) {
        error[id] = (IcmpError.Unreachable << 24) | (UnreachableCode.FragmentationNeeded << 16) | Math.max(limit, 0);
        reason[id] = Drop.MtuExceeded;
        refused.push(id);
      } else if (isTransport(id)) {
        drop(id, Drop.TransportFragment);
      } else {
        cut(id, limit);
      }
    }
    input.clear();
  };
}
