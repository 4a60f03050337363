// ICMP errors that a router sends: RFC 792, RFC 1812 §4.3.2, next-hop MTU of RFC 1191 §4. Does: destination unreachable, time exceeded.
// Does not: echo (the host answers its own), redirects, extensions of RFC 4884.
//
//  +---------------+---------------+-------------------------------+
//  |     Type      |     Code      |           Checksum            |
//  +---------------+---------------+-------------------------------+
//  |            unused             |  next-hop MTU (3/4) else 0    |
//  +-------------------------------+-------------------------------+
//  |   the datagram it is about, as much as fits 576 bytes in all  |

import { checksum } from './checksum.js';
import { Ip4, IpProto, writeHeader } from './ipv4.js';

export const enum Icmp {
  Type = 0,
  Code = 1,
  Checksum = 2,
  Mtu = 6,
  HeaderLen = 8,
}

/** Values that errors carry. */
export const enum IcmpError {
  Unreachable = 3,
  TimeExceeded = 11,
  /** RFC 1812 §4.3.2.3: the error must not be longer than this, IP header included. */
  MaxError = 576,
  /** RFC 1812 §4.3.2.5: precedence 6, internetwork control. */
  Tos = 0xc0,
  Ttl = 64,
}

/** Codes of unreachable. */
export const enum UnreachableCode {
  Net = 0,
  FragmentationNeeded = 4,
  /** RFC 1812 §5.2.7.1. */
  AdministrativelyProhibited = 13,
}

/** Codes of time exceeded. */
export const enum TimeExceededCode {
  InTransit = 0,
}

/** Errors of RFC 792: unreachable, source quench, redirect, time exceeded, parameter problem. */
function isError(type: number): boolean {
  return type === 3 || type === 4 || type === 5 || type === 11 || type === 12;
}

/**
 * May an error be sent about this datagram (RFC 1812 §4.3.2.7)? Not about an ICMP error, a fragment other than the first, a
 * broadcast or multicast destination, or a source that is not one host. @param at of its IPv4 header, already checked by checkIpv4
 */
export function mayAnswer(view: DataView, at: number): boolean {
  if ((view.getUint16(at + Ip4.FlagsOffset) & Ip4.OffsetMask) !== 0) return false;
  const dst = view.getUint8(at + Ip4.Dst);
  const src = view.getUint8(at + Ip4.Src);
  if (dst >= 224 || src >= 224 || src === 0 || src === 127) return false;
  if (view.getUint8(at + Ip4.Protocol) !== IpProto.Icmp) return true;
  const headerLength = (view.getUint8(at) & 15) << 2;
  if (view.getUint16(at + Ip4.TotalLength) <= headerLength) return false; // cannot be told from an error
  return !isError(view.getUint8(at + headerLength + Icmp.Type));
}

/**
 * Writes an error with its IPv4 header. @param from of the datagram it is about @param to room for 576 bytes that does not overlap
 * @param source signed 32-bit @param id identification @param mtu bytes, 0 where the code has none @returns bytes written
 */
export function writeError(
  bytes: Uint8Array,
  view: DataView,
  from: number,
  to: number,
  source: number,
  id: number,
  type: number,
  code: number,
  mtu: number,
): number {
  const about = view.getUint16(from + Ip4.TotalLength);
  const quote = Math.min(about, IcmpError.MaxError - Ip4.HeaderLen - Icmp.HeaderLen);
  const icmp = to + Ip4.HeaderLen;
  const total = Ip4.HeaderLen + Icmp.HeaderLen + quote;
  writeHeader(view, to, IcmpError.Tos, total, id, 0, IcmpError.Ttl, IpProto.Icmp, source, view.getInt32(from + Ip4.Src));
  view.setUint16(icmp + Icmp.Type, (type << 8) | code);
  view.setUint16(icmp + Icmp.Checksum, 0);
  view.setUint32(icmp + 4, mtu);
  bytes.copyWithin(icmp + Icmp.HeaderLen, from, from + quote);
  view.setUint16(icmp + Icmp.Checksum, checksum(view, icmp, Icmp.HeaderLen + quote));
  return total;
}
