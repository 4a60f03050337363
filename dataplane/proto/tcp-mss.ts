// The maximum segment size that a TCP SYN announces (RFC 9293 §3.7.1) is lowered where a router knows that more does not fit. Does: every MSS option of one
// SYN, and the checksum with it (RFC 1624). Does not: add the option where there is none (536 is meant then, RFC 9293 §3.7.1), raise it.
//
//  +--------+--------+-----------------+
//  | kind 2 | len 4  |  segment size   |   at any byte: options need not be aligned
//  +--------+--------+-----------------+

import { updateChecksum } from './checksum.js';

const enum Tcp {
  DataOffset = 12,
  Flags = 13,
  Checksum = 16,
  HeaderLen = 20,
  Syn = 2,
}

const enum TcpOption {
  End = 0,
  Nop = 1,
  Mss = 2,
  MssLength = 4,
}

export const enum MssChange {
  /** It is no SYN, has no MSS option, or one that is small enough. */
  None = 0,
  Lowered = 1,
  /** Its header is longer than the segment, or an option is not what its length says: from there on it is left as it is. */
  Malformed = 2,
}

/** Where the first bytes of a segment are known: is it a SYN, with or without ACK? @param l4 of the TCP header @param end behind the last byte there is */
export function isSyn(view: DataView, l4: number, end: number): boolean {
  return end - l4 > Tcp.Flags && (view.getUint8(l4 + Tcp.Flags) & Tcp.Syn) !== 0;
}

function setMss(view: DataView, l4: number, at: number, before: number, after: number): void {
  view.setUint16(at, after);
  // The checksum adds up words from the header on: at an odd place the two bytes belong to two of them, which is the same as one with its bytes exchanged (RFC 1071 §2(B)).
  const isOdd = ((at - l4) & 1) === 1;
  const sum = view.getUint16(l4 + Tcp.Checksum);
  view.setUint16(l4 + Tcp.Checksum, isOdd ? updateChecksum(sum, swap(before), swap(after)) : updateChecksum(sum, before, after));
}

function swap(word: number): number {
  return ((word & 255) << 8) | (word >>> 8);
}

/** Lowers what a SYN announces. @param l4 of the TCP header @param end behind the last byte of the datagram @param limit bytes, 1..65535 */
export function lowerMss(view: DataView, l4: number, end: number, limit: number): MssChange {
  if (end - l4 < Tcp.HeaderLen) return MssChange.Malformed;
  const header = (view.getUint8(l4 + Tcp.DataOffset) >>> 4) << 2;
  if (header < Tcp.HeaderLen || l4 + header > end) return MssChange.Malformed;
  let change = MssChange.None;
  for (let at = l4 + Tcp.HeaderLen; at < l4 + header; ) {
    const kind = view.getUint8(at);
    if (kind === TcpOption.End) break;
    if (kind === TcpOption.Nop) {
      at++;
      continue;
    }
    const room = l4 + header - at;
    const length = room < 2 ? 0 : view.getUint8(at + 1);
    if (length < 2 || length > room || (kind === TcpOption.Mss && length !== TcpOption.MssLength)) return MssChange.Malformed;
    if (kind === TcpOption.Mss) {
      const before = view.getUint16(at + 2);
      if (before > limit) {
        setMss(view, l4, at + 2, before, limit);
        change = MssChange.Lowered;
      }
    }
    at += length;
  }
  return change;
}
