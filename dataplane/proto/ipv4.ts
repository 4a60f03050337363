// IPv4 header, RFC 791, with the router's checks of RFC 1812 §5.2.2 and §5.3.7. Does not: act on options (they are checked, carried
// and, when a datagram is cut, copied by RFC 791's rule), reassembly.
//
//   0                   1                   2                   3
//  +-------+-------+---------------+-------------------------------+
//  |Version|  IHL  |      ToS      |          Total Length         |
//  +-------+-------+---------------+-----+-------------------------+
//  |         Identification        |0|D|M|     Fragment Offset     |
//  +---------------+---------------+-----+-------------------------+
//  |      TTL      |    Protocol   |        Header Checksum        |
//  +---------------+---------------+-------------------------------+
//  |                         Source Address                        |
//  |                       Destination Address                     |
//  |                       Options, padding …                      |

import { checksum, updateChecksum } from './checksum.js';

export const enum Ip4 {
  VersionIhl = 0,
  Tos = 1,
  TotalLength = 2,
  Id = 4,
  FlagsOffset = 6,
  Ttl = 8,
  Protocol = 9,
  Checksum = 10,
  Src = 12,
  Dst = 16,
  HeaderLen = 20,
  /** Bits of FlagsOffset. */
  DontFragment = 0x4000,
  MoreFragments = 0x2000,
  OffsetMask = 0x1fff,
}

export const enum IpProto {
  Icmp = 1,
  Tcp = 6,
  Udp = 17,
  Dccp = 33,
  Gre = 47,
  Esp = 50,
  Sctp = 132,
  UdpLite = 136,
}

export const enum Ipv4Fault {
  None = 0,
  NotIpv4 = 1,
  /** Lengths, options or fragment offsets that cannot be. */
  Malformed = 2,
  Checksum = 3,
  /** Addresses that must not be forwarded. */
  Martian = 4,
}

/** Options: each but the two one-byte ones says its length, which must lie inside the header (RFC 791 §3.1). */
function optionsFit(view: DataView, at: number, end: number): boolean {
  while (at < end) {
    const type = view.getUint8(at);
    if (type === 0) return true; // end of list: the rest is padding
    if (type === 1) {
      at++;
      continue;
    }
    if (at + 2 > end) return false;
    const length = view.getUint8(at + 1);
    if (length < 2 || at + length > end) return false;
    // Source routes and record route (131, 137, 7): three bytes, whole addresses, a pointer of at least 4.
    if ((type === 131 || type === 137 || type === 7) && (length < 3 || (length - 3) % 4 !== 0 || view.getUint8(at + 2) < 4)) return false;
    at += length;
  }
  return true;
}

/** 224.0.0.0/4 (RFC 5771). @param address signed or not */
export function isMulticast(address: number): boolean {
  return address >>> 28 === 14;
}

/** RFC 1812 §5.3.7: "this network", loopback, multicast and class E as source; "this network" and loopback as destination; both the same. */
function isMartian(src: number, dst: number): boolean {
  const from = src >>> 24;
  const to = dst >>> 24;
  return from === 0 || from === 127 || from >= 224 || to === 0 || to === 127 || src === dst;
}

/**
 * Checks one datagram as a router must before it looks any further. @param at of the header @param length bytes that were received,
 * may be more than the datagram's (link padding)
 */
export function checkIpv4(view: DataView, at: number, length: number): Ipv4Fault {
  if (length < 1) return Ipv4Fault.Malformed;
  const versionIhl = view.getUint8(at);
  if (versionIhl >>> 4 !== 4) return Ipv4Fault.NotIpv4;
  const headerLength = (versionIhl & 15) << 2;
  if (headerLength < Ip4.HeaderLen || length < headerLength) return Ipv4Fault.Malformed;
  const total = view.getUint16(at + Ip4.TotalLength);
  if (total < headerLength || total > length) return Ipv4Fault.Malformed;
  if (checksum(view, at, headerLength) !== 0) return Ipv4Fault.Checksum;
  if (headerLength > Ip4.HeaderLen && !optionsFit(view, at + Ip4.HeaderLen, at + headerLength)) return Ipv4Fault.Malformed;
  const fragment = view.getUint16(at + Ip4.FlagsOffset) & (Ip4.OffsetMask | Ip4.MoreFragments);
  if (fragment !== 0 && !fragmentFits(view, at, fragment, total - headerLength)) return Ipv4Fault.Malformed;
  if (isMartian(view.getInt32(at + Ip4.Src), view.getInt32(at + Ip4.Dst))) return Ipv4Fault.Martian;
  return Ipv4Fault.None;
}

/**
 * No fragment may reach past byte 65,535 of its datagram; none may be empty, none but the last other than a multiple of 8; and none may hide
 * the ports or flags of a TCP header from a filter (RFC 1858 §3.2.2, §4.2; RFC 3128).
 */
function fragmentFits(view: DataView, at: number, fragment: number, payload: number): boolean {
  const offset = fragment & Ip4.OffsetMask;
  const more = (fragment & Ip4.MoreFragments) !== 0;
  if (offset * 8 + payload + Ip4.HeaderLen > 65535) return false;
  if (payload === 0 || (more && (payload & 7) !== 0)) return false;
  const protocol = view.getUint8(at + Ip4.Protocol);
  if (protocol === IpProto.Tcp) return offset !== 1 && (offset !== 0 || payload >= 16);
  return true;
}

/** Writes the checksum of a header whose length is in its IHL field. */
export function sealHeader(view: DataView, at: number): void {
  view.setUint16(at + Ip4.Checksum, 0);
  view.setUint16(at + Ip4.Checksum, checksum(view, at, (view.getUint8(at) & 15) << 2));
}

/** Writes a header without options, sealed. @param fragment flags and offset @param source, @param destination signed */
export function writeHeader(
  view: DataView,
  at: number,
  tos: number,
  total: number,
  id: number,
  fragment: number,
  ttl: number,
  protocol: number,
  source: number,
  destination: number,
): void {
  view.setUint16(at + Ip4.VersionIhl, 0x4500 | tos);
  view.setUint16(at + Ip4.TotalLength, total);
  view.setUint16(at + Ip4.Id, id);
  view.setUint16(at + Ip4.FlagsOffset, fragment);
  view.setUint16(at + Ip4.Ttl, (ttl << 8) | protocol);
  view.setInt32(at + Ip4.Src, source);
  view.setInt32(at + Ip4.Dst, destination);
  sealHeader(view, at);
}

/**
 * RFC 6040 §4.2, decapsulation: congestion marked on the outer header passes to an inner one that is ECN-capable.
 * @returns false when the inner packet is not, and must be dropped
 */
export function setCongestion(view: DataView, at: number): boolean {
  const tos = view.getUint8(at + Ip4.Tos);
  if ((tos & 3) === 0) return false;
  if ((tos & 3) === 3) return true;
  const before = view.getUint16(at);
  view.setUint8(at + Ip4.Tos, tos | 3);
  view.setUint16(at + Ip4.Checksum, updateChecksum(view.getUint16(at + Ip4.Checksum), before, before | 3));
  return true;
}

/** Another ToS octet, and the checksum with it (RFC 1624). */
export function setTos(view: DataView, at: number, tos: number): void {
  const before = view.getUint16(at);
  view.setUint8(at + Ip4.Tos, tos);
  view.setUint16(at + Ip4.Checksum, updateChecksum(view.getUint16(at + Ip4.Checksum), before, (before & 0xff00) | tos));
}

/** The don't fragment bit, and the checksum with it (RFC 1624). */
export function setDontFragment(view: DataView, at: number, isSet: boolean): void {
  const before = view.getUint16(at + Ip4.FlagsOffset);
  const after = isSet ? before | Ip4.DontFragment : before & ~Ip4.DontFragment;
  view.setUint16(at + Ip4.FlagsOffset, after);
  view.setUint16(at + Ip4.Checksum, updateChecksum(view.getUint16(at + Ip4.Checksum), before, after));
}

/** TTL - 1 and the checksum with it (RFC 1624). The TTL is not 0. */
export function lowerTtl(view: DataView, at: number): void {
  const before = view.getUint16(at + Ip4.Ttl);
  view.setUint16(at + Ip4.Ttl, before - 0x100);
  view.setUint16(at + Ip4.Checksum, updateChecksum(view.getUint16(at + Ip4.Checksum), before, before - 0x100));
}

/** TTL + 1, at most 255, and the checksum with it (RFC 1624). */
export function raiseTtl(view: DataView, at: number): void {
  const before = view.getUint16(at + Ip4.Ttl);
  if (before >= 0xff00) return;
  view.setUint16(at + Ip4.Ttl, before + 0x100);
  view.setUint16(at + Ip4.Checksum, updateChecksum(view.getUint16(at + Ip4.Checksum), before, before + 0x100));
}
