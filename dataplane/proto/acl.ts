// Access lists over ACE rows (tables/layout.ts): first match wins. A packet without ports that should have some (a later
// fragment) meets a row with port criteria as on IOS: a permit row matches on addresses and protocol alone, a deny row does
// not match. So what a permit encrypts is encrypted in all its fragments. A protocol that has no ports never matches such a row.
// The same holds for TCP flags and ICMP types; what the IP header says (ToS, `fragments`) every packet has.

import { Ace, AceAction, AclFact } from '../tables/layout.js';
import { Icmp } from './icmp.js';
import { IpProto } from './ipv4.js';
import { Port } from './l4.js';

/** Of the octet with the flags in a TCP header (RFC 9293 §3.1). */
const TcpFlagsAt = 13;

/**
 * The word of {@link AclFact}s of a packet. @param l4 of its transport header @param end of the datagram, both from the start of `view`
 * @param later a fragment other than the first
 */
export function readFacts(view: DataView, l4: number, end: number, protocol: number, tos: number, later: boolean): number {
  if (later) return tos | AclFact.Later;
  if (protocol === IpProto.Tcp && l4 + TcpFlagsAt < end)
    return tos | AclFact.Known | (view.getUint8(l4 + TcpFlagsAt) << AclFact.FirstShift);
  if (protocol === IpProto.Icmp && l4 + Icmp.Code < end) {
    const type = view.getUint8(l4 + Icmp.Type) << AclFact.FirstShift;
    return tos | AclFact.Known | type | (view.getUint8(l4 + Icmp.Code) << AclFact.SecondShift);
  }
  return tos;
}

/** Does a row that asks for more than addresses and ports (Ace.Mask not 0) agree with the packet's facts? @param at word of the row */
function agreesWithFacts(aces: Int32Array, at: number, facts: number): boolean {
  const mask = aces[at + Ace.Mask];
  const differs = (facts ^ aces[at + Ace.Value]) & mask;
  if ((mask & AclFact.Known) !== 0 && (facts & AclFact.Known) === 0) {
    return aces[at + Ace.Action] === AceAction.Permit && (differs & AclFact.Header) === 0;
  }
  if (differs !== 0) return false;
  const anyOf = aces[at + Ace.AnyOf];
  return anyOf === 0 || (((facts >>> AclFact.FirstShift) ^ (anyOf >>> 8)) & anyOf & 0xff) !== 0;
}

/** @param at word of the row; the rest as in {@link matchAcl} */
export function matchesAce(
  aces: Int32Array,
  at: number,
  protocol: number,
  src: number,
  dst: number,
  sport: number,
  dport: number,
  facts: number,
): boolean {
  if (((src ^ aces[at + Ace.Src]) & aces[at + Ace.SrcCare]) !== 0) return false;
  if (((dst ^ aces[at + Ace.Dst]) & aces[at + Ace.DstCare]) !== 0) return false;
  const wanted = aces[at + Ace.Protocol];
  if (wanted !== -1 && wanted !== protocol) return false;
  const srcLow = aces[at + Ace.SrcPortLow];
  const srcHigh = aces[at + Ace.SrcPortHigh];
  const dstLow = aces[at + Ace.DstPortLow];
  const dstHigh = aces[at + Ace.DstPortHigh];
  if (sport >= 0) {
    if (sport < srcLow || sport > srcHigh || dport < dstLow || dport > dstHigh) return false;
  } else if (srcLow !== 0 || srcHigh !== 65535 || dstLow !== 0 || dstHigh !== 65535) {
    if (sport === Port.None || aces[at + Ace.Action] !== AceAction.Permit) return false;
  }
  return aces[at + Ace.Mask] === 0 || agreesWithFacts(aces, at, facts);
}

/**
 * Row by row: what classifier.ts is measured against, and its way with short lists.
 * @param aces rows @param first index of the list's first row @param count rows of the list
 * @param src signed 32-bit @param dst signed 32-bit @param sport 0..65535 or {@link Port} @param dport likewise @param facts see {@link readFacts}
 * @returns index of the row that matched, or -1 (the implicit deny at the end)
 */
export function matchAcl(
  aces: Int32Array,
  first: number,
  count: number,
  protocol: number,
  src: number,
  dst: number,
  sport: number,
  dport: number,
  facts: number,
): number {
  const end = (first + count) * Ace.Words;
  for (let at = first * Ace.Words; at < end; at += Ace.Words) {
    if (matchesAce(aces, at, protocol, src, dst, sport, dport, facts)) return at / Ace.Words;
  }
  return -1;
}
