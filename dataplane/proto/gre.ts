// GRE, RFC 2784 with the key and sequence number of RFC 2890. Does: check a header that was received, write one, order sequence numbers, carry
// the congestion mark (RFC 6040). Does not: routing (RFC 1701), version 1 (PPTP), other payloads than IPv4.
//
//   0                   1                   2                   3
//  +-+-+-+-+-----------------+-----+-------------------------------+
//  |C|0|K|S|    Reserved     | Ver |         Protocol Type         |
//  +-+-+-+-+-----------------+-----+-------------------------------+
//  |      Checksum (if C)          |       Reserved (if C)         |
//  |                          Key (if K)                           |
//  |                    Sequence Number (if S)                     |

import { Tunnel, TunnelFlag, TunnelMode } from '../tables/layout.js';
import { checksum, updateChecksum } from './checksum.js';
import { Ip4, IpProto, setCongestion } from './ipv4.js';

export const enum Gre {
  Flags = 0,
  Protocol = 2,
  HeaderLen = 4,
  /** Bits of Flags. */
  Checksum = 0x8000,
  Key = 0x2000,
  Sequence = 0x1000,
  /** RFC 2784 §2.3: bits 1, 4 and 5 (routing, strict source route, recursion of RFC 1701), less K and S, which RFC 2890 took; 6 to 12 are ignored. */
  MustBeZero = 0x4c00,
  Version = 7,
}

/** Bytes of checksum, key and sequence number, each. */
const FieldLen = 4;

export const enum EtherType {
  /** IOS: the innermost GRE header of a keepalive. */
  Keepalive = 0,
  Ipv4 = 0x0800,
}

/** What {@link checkGre} found; above 0: bytes of the header. */
export const enum GreFault {
  Malformed = 0,
  Version = -1,
  Flags = -2,
}

/** Bits of the header that a tunnel sends. @param flags {@link TunnelFlag} */
export function greBits(flags: number): number {
  const checksumBit = (flags & TunnelFlag.Checksum) !== 0 ? Gre.Checksum : 0;
  const keyBit = (flags & TunnelFlag.Key) !== 0 ? Gre.Key : 0;
  return checksumBit | keyBit | ((flags & TunnelFlag.Sequence) !== 0 ? Gre.Sequence : 0);
}

/** Bytes of a header with these bits. @param flags first 16 bits */
export function greHeaderLength(flags: number): number {
  const checksumLen = (flags & Gre.Checksum) !== 0 ? FieldLen : 0;
  const keyLen = (flags & Gre.Key) !== 0 ? FieldLen : 0;
  return Gre.HeaderLen + checksumLen + keyLen + ((flags & Gre.Sequence) !== 0 ? FieldLen : 0);
}

/** RFC 2784 §2.3. @param length bytes from `at` to the datagram's end @returns bytes of the header, or a GreFault */
export function checkGre(view: DataView, at: number, length: number): number {
  if (length < Gre.HeaderLen) return GreFault.Malformed;
  const flags = view.getUint16(at + Gre.Flags);
  if ((flags & Gre.Version) !== 0) return GreFault.Version;
  if ((flags & Gre.MustBeZero) !== 0) return GreFault.Flags;
  const header = greHeaderLength(flags);
  return header <= length ? header : GreFault.Malformed;
}

/** RFC 2784 §2.5, of a header that {@link checkGre} found good. @returns true when there is no checksum, or the right one */
export function isSumRight(view: DataView, at: number, length: number): boolean {
  return (view.getUint16(at + Gre.Flags) & Gre.Checksum) === 0 || checksum(view, at, length) === 0;
}

/** RFC 2890 §2.1, of a header with K. @returns signed */
export function greKey(view: DataView, at: number): number {
  return view.getInt32(at + Gre.HeaderLen + ((view.getUint16(at + Gre.Flags) & Gre.Checksum) !== 0 ? FieldLen : 0));
}

/** RFC 2890 §2.2, of a header with S. @returns signed */
export function greSequence(view: DataView, at: number): number {
  return view.getInt32(at + greHeaderLength(view.getUint16(at + Gre.Flags)) - FieldLen);
}

/**
 * RFC 2890 §2.2: out of sequence is what lies in the last number that was taken and the 2^31 - 1 before it. @param next the last number and one;
 * signed or not, as `sequence`
 */
export function isInSequence(sequence: number, next: number): boolean {
  return ((sequence - next) | 0) >= 0;
}

/** Writes the header in front of its payload. @param flags Gre.Checksum, Key, Sequence @param length bytes of the header and its payload, for the checksum */
export function writeGre(view: DataView, at: number, flags: number, protocol: number, key: number, sequence: number, length: number): void {
  view.setUint16(at + Gre.Flags, flags);
  view.setUint16(at + Gre.Protocol, protocol);
  let field = at + Gre.HeaderLen;
  if ((flags & Gre.Checksum) !== 0) {
    view.setInt32(field, 0);
    field += FieldLen;
  }
  if ((flags & Gre.Key) !== 0) {
    view.setInt32(field, key);
    field += FieldLen;
  }
  if ((flags & Gre.Sequence) !== 0) view.setInt32(field, sequence);
  if ((flags & Gre.Checksum) !== 0) view.setUint16(at + Gre.HeaderLen, checksum(view, at, length));
}

/**
 * RFC 6040 §4.2: what the outer header's ECN bits do to the inner one. @param inner offset of the inner IPv4 header @param outer ToS byte of the outer
 * @returns false when congestion is marked on a packet that cannot carry the mark: to be dropped
 */
export function takeCongestion(view: DataView, inner: number, outer: number): boolean {
  const ecn = outer & 3;
  if (ecn === 3) return setCongestion(view, inner);
  const before = view.getUint16(inner);
  // ECT(1) outside tells of less severe congestion, and is taken over by what was ECT(0).
  if (ecn === 1 && (before & 3) === 2) {
    const after = (before & ~3) | 1;
    view.setUint16(inner, after);
    view.setUint16(inner + Ip4.Checksum, updateChecksum(view.getUint16(inner + Ip4.Checksum), before, after));
  }
  return true;
}

/**
 * A keepalive of the other end (IOS): inside GRE an IPv4 header from us to it, with GRE of protocol 0. Whoever takes it off sends it back by routing
 * alone. @param at of what the outer GRE header carries @param source, destination of our tunnel, signed @returns bytes of it, 0 = it is none
 */
export function keepaliveLength(view: DataView, at: number, length: number, source: number, destination: number): number {
  if (length < Ip4.HeaderLen + Gre.HeaderLen || view.getUint8(at) !== 0x45 || view.getUint8(at + Ip4.Protocol) !== IpProto.Gre) return 0;
  if (view.getInt32(at + Ip4.Src) !== source || view.getInt32(at + Ip4.Dst) !== destination) return 0;
  const total = view.getUint16(at + Ip4.TotalLength);
  const gre = at + Ip4.HeaderLen;
  if (total > length || checkGre(view, gre, total - Ip4.HeaderLen) <= 0) return 0;
  return view.getUint16(gre + Gre.Protocol) === EtherType.Keepalive ? total : 0;
}

/** Is a port's tunnel one of GRE between these two? @param tunnels rows of Tunnel, one for each port @param source, destination as the router that has it sees them, signed */
export function isTunnelBetween(tunnels: Int32Array, port: number, source: number, destination: number): boolean {
  const row = port * Tunnel.Words;
  return (
    tunnels[row + Tunnel.Mode] === TunnelMode.Gre &&
    tunnels[row + Tunnel.Source] === source &&
    tunnels[row + Tunnel.Destination] === destination
  );
}
