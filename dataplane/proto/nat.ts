// Address and port translation on bytes (RFC 3022, RFC 5508 for ICMP): rewrites a datagram in place and keeps every checksum right by its
// change (RFC 1624), so that one that was wrong stays wrong. Does not: decide what is translated (path/35, 45), sessions (mem/nat-sessions.ts),
// application payloads (no ALGs).
//
// A flow is named by four numbers. For TCP, UDP, UDP-Lite and DCCP the ports are those of the header; for ICMP queries the identifier stands for the
// inside port and 0 for the other; protocols without ports, and SCTP, whose checksum cannot be kept by a change (RFC 4960 appendix B), have 0 and 0.

import { NatState } from '../tables/layout.js';
import { updateChecksum } from './checksum.js';
import { Icmp } from './icmp.js';
import { Ip4, IpProto } from './ipv4.js';

/** Which end of a datagram is rewritten. */
export const enum End {
  Source = 0,
  Destination = 1,
}

/** Where things are in a transport header; 0 = not there. */
const enum L4 {
  SourcePort = 0,
  DestinationPort = 2,
  TcpChecksum = 16,
  /** UDP, UDP-Lite and DCCP. */
  UdpChecksum = 6,
  IcmpId = 4,
}

/** ICMP queries: echo, timestamp, information, address mask and their replies (RFC 792, RFC 950). They have an identifier. */
export function isIcmpQuery(type: number): boolean {
  return type === 0 || type === 8 || (type >= 13 && type <= 18);
}

/** ICMP errors that quote a datagram and may be translated: unreachable, source quench, time exceeded, parameter problem. Not a redirect: it names a router. */
export function isIcmpError(type: number): boolean {
  return type === 3 || type === 4 || type === 11 || type === 12;
}

/** Does the NAT tell flows of this protocol apart by ports? */
export function natHasPorts(protocol: number): boolean {
  return protocol === IpProto.Tcp || protocol === IpProto.Udp || protocol === IpProto.UdpLite || protocol === IpProto.Dccp;
}

/** @returns offset of the checksum that covers the pseudo header, 0 = none */
function checksumOffset(protocol: number): number {
  switch (protocol) {
    case IpProto.Tcp:
      return L4.TcpChecksum;
    case IpProto.Udp:
    case IpProto.UdpLite:
    case IpProto.Dccp:
      return L4.UdpChecksum;
    default:
      return 0;
  }
}

/** RFC 1624 for a 32-bit word at an even offset. */
function updateChecksum32(sum: number, before: number, after: number): number {
  return updateChecksum(updateChecksum(sum, before >>> 16, after >>> 16), before & 0xffff, after & 0xffff);
}

/**
 * Gives one end of a datagram another address and port. Right for whole datagrams, first fragments and datagrams as ICMP errors quote them (cut
 * anywhere). Later fragments: {@link rewriteAddress}. @param at of the IPv4 header @param l4 of the transport header @param end of what is there
 * @param address signed @param port 0..65535; not used where the NAT knows no ports
 */
export function rewriteEnd(view: DataView, at: number, l4: number, end: number, which: End, address: number, port: number): void {
  const protocol = view.getUint8(at + Ip4.Protocol);
  const field = at + (which === End.Source ? Ip4.Src : Ip4.Dst);
  const before = view.getInt32(field);
  rewriteAddress(view, at, which, address);
  if (protocol === IpProto.Icmp) {
    rewriteIcmpId(view, l4, end, port);
    return;
  }
  if (!natHasPorts(protocol)) return;
  const portAt = l4 + (which === End.Source ? L4.SourcePort : L4.DestinationPort);
  if (portAt + 2 > end) return;
  const portBefore = view.getUint16(portAt);
  view.setUint16(portAt, port);
  const sumAt = l4 + checksumOffset(protocol);
  if (sumAt + 2 > end) return;
  const sum = view.getUint16(sumAt);
  if (protocol === IpProto.Udp && sum === 0) return; // the sender computed none (RFC 768)
  const updated = updateChecksum(updateChecksum32(sum, before, address), portBefore, port);
  view.setUint16(sumAt, updated === 0 && protocol !== IpProto.Tcp ? 0xffff : updated);
}

/** The address alone: later fragments, protocols without ports. */
export function rewriteAddress(view: DataView, at: number, which: End, address: number): void {
  const field = at + (which === End.Source ? Ip4.Src : Ip4.Dst);
  const before = view.getInt32(field);
  view.setInt32(field, address);
  view.setUint16(at + Ip4.Checksum, updateChecksum32(view.getUint16(at + Ip4.Checksum), before, address));
}

function rewriteIcmpId(view: DataView, l4: number, end: number, id: number): void {
  if (l4 + Icmp.HeaderLen > end || !isIcmpQuery(view.getUint8(l4 + Icmp.Type))) return;
  const before = view.getUint16(l4 + L4.IcmpId);
  view.setUint16(l4 + L4.IcmpId, id);
  view.setUint16(l4 + Icmp.Checksum, updateChecksum(view.getUint16(l4 + Icmp.Checksum), before, id));
}

/** What {@link readQuote} finds. */
export const enum Quote {
  Protocol = 0,
  Src = 1,
  Dst = 2,
  /** 0 where the NAT knows no ports; of an ICMP query the identifier, in SourcePort. */
  SourcePort = 3,
  DestinationPort = 4,
  /** Offset of the quoted IPv4 header and of its transport header. */
  At = 5,
  L4 = 6,
  Words = 7,
}

/**
 * Reads the datagram that an ICMP error is about. @param l4 of the ICMP header @param end of the datagram @param quote out, Quote.Words
 * @returns false when too little is quoted to tell the flow (RFC 792 asks for 8 bytes of its transport header)
 */
export function readQuote(view: DataView, l4: number, end: number, quote: Int32Array): boolean {
  const at = l4 + Icmp.HeaderLen;
  if (at + Ip4.HeaderLen > end || view.getUint8(at) >>> 4 !== 4) return false;
  const headerLength = (view.getUint8(at) & 15) << 2;
  const inner = at + headerLength;
  if (headerLength < Ip4.HeaderLen || inner > end) return false;
  const protocol = view.getUint8(at + Ip4.Protocol);
  quote[Quote.Protocol] = protocol;
  quote[Quote.Src] = view.getInt32(at + Ip4.Src);
  quote[Quote.Dst] = view.getInt32(at + Ip4.Dst);
  quote[Quote.At] = at;
  quote[Quote.L4] = inner;
  quote[Quote.SourcePort] = 0;
  quote[Quote.DestinationPort] = 0;
  if ((view.getUint16(at + Ip4.FlagsOffset) & Ip4.OffsetMask) !== 0) return false; // ports are in the first fragment
  if (protocol === IpProto.Icmp) {
    if (inner + Icmp.HeaderLen > end || !isIcmpQuery(view.getUint8(inner + Icmp.Type))) return false;
    quote[Quote.SourcePort] = view.getUint16(inner + L4.IcmpId);
  } else if (natHasPorts(protocol)) {
    if (inner + 4 > end) return false;
    quote[Quote.SourcePort] = view.getUint16(inner + L4.SourcePort);
    quote[Quote.DestinationPort] = view.getUint16(inner + L4.DestinationPort);
  }
  return true;
}

/**
 * Rewrites one end of the datagram that an ICMP error quotes, and the error's checksum over it (RFC 5508 §4.2). Parameters as of {@link rewriteEnd}.
 * @param icmp offset of the ICMP header @param quote as readQuote filled it
 */
export function rewriteQuote(
  view: DataView,
  icmp: number,
  end: number,
  quote: Int32Array,
  which: End,
  address: number,
  port: number,
): void {
  const at = quote[Quote.At];
  const l4 = quote[Quote.L4];
  // The words that may change: header checksum, an address, a port or identifier, a transport checksum. Their sum before and after is what the error's checksum moves by.
  const before = sumOfChanging(view, at, l4, end, quote[Quote.Protocol]);
  rewriteEnd(view, at, l4, end, which, address, port);
  const after = sumOfChanging(view, at, l4, end, quote[Quote.Protocol]);
  view.setUint16(icmp + Icmp.Checksum, updateChecksum(view.getUint16(icmp + Icmp.Checksum), before, after));
}

/** One's complement sum, 16 bits, of the words of a quoted datagram that a rewrite may change. */
function sumOfChanging(view: DataView, at: number, l4: number, end: number, protocol: number): number {
  let sum =
    view.getUint16(at + Ip4.Checksum) +
    view.getUint16(at + Ip4.Src) +
    view.getUint16(at + Ip4.Src + 2) +
    view.getUint16(at + Ip4.Dst) +
    view.getUint16(at + Ip4.Dst + 2);
  if (protocol === IpProto.Icmp) {
    if (l4 + 6 <= end) sum += view.getUint16(l4 + Icmp.Checksum) + view.getUint16(l4 + L4.IcmpId);
  } else if (natHasPorts(protocol)) {
    if (l4 + 4 <= end) sum += view.getUint16(l4) + view.getUint16(l4 + 2);
    const sumAt = l4 + checksumOffset(protocol);
    if (sumAt + 2 <= end) sum += view.getUint16(sumAt);
  }
  sum = (sum & 0xffff) + (sum >>> 16);
  return (sum & 0xffff) + (sum >>> 16);
}

/** TCP header, RFC 793 §3.1. */
const enum Tcp {
  Flags = 13,
  Fin = 1,
  Syn = 2,
  Rst = 4,
  Ack = 16,
}
const DnsPort = 53;

/** What a new session is. @param outsidePort 0..65535 */
export function firstState(protocol: number, outsidePort: number): NatState {
  if (protocol === IpProto.Tcp) return NatState.TcpSyn;
  if (protocol === IpProto.Icmp) return NatState.Icmp;
  if (!natHasPorts(protocol)) return NatState.Other;
  return protocol === IpProto.Udp && outsidePort === DnsPort ? NatState.Dns : NatState.Udp;
}

/**
 * What a session is after a packet. A reset does not end it at once: a forged one would (RFC 5382 REQ-4 asks for patience).
 * @param l4 of the transport header @param end of the datagram
 */
export function nextState(state: NatState, view: DataView, l4: number, end: number, fromOutside: boolean): NatState {
  if (state < NatState.TcpSyn || l4 + Tcp.Flags >= end) return state;
  const flags = view.getUint8(l4 + Tcp.Flags);
  if ((flags & (Tcp.Fin | Tcp.Rst)) !== 0) return NatState.TcpFinRst;
  if (state === NatState.TcpSyn) return fromOutside && (flags & Tcp.Ack) !== 0 ? NatState.TcpEstablished : state;
  return state === NatState.TcpFinRst && !fromOutside && (flags & Tcp.Syn) !== 0 ? NatState.TcpSyn : state;
}

/** Does a packet from outside keep its session alive? Not where anybody could send it (RFC 4787 REQ-6). */
export function isKeptFromOutside(state: NatState): boolean {
  return state >= NatState.TcpSyn;
}

/** ICMP queries, and not their replies: those that begin a session. */
export function isIcmpRequest(type: number): boolean {
  return type === 8 || type === 13 || type === 15 || type === 17;
}

/** Identifier of an ICMP query. @param l4 of the ICMP header */
export function readIcmpId(view: DataView, l4: number): number {
  return view.getUint16(l4 + L4.IcmpId);
}

/** The ports of a quoted datagram as one end of a session has them: the port of the end we know, then the outside one. @param which end that is ours */
export function quotedPorts(quote: Int32Array, which: End): number {
  if (quote[Quote.Protocol] === IpProto.Icmp) return quote[Quote.SourcePort] << 16;
  return which === End.Source
    ? (quote[Quote.SourcePort] << 16) | quote[Quote.DestinationPort]
    : (quote[Quote.DestinationPort] << 16) | quote[Quote.SourcePort];
}
