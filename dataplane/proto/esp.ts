// ESP, RFC 4303. Does: header, trailer and the arithmetic of sizes; the packet's own header in transport mode. Does not: traffic flow
// padding on sending (RFC 4303 §2.7; what others send is cut off), encryption (native/).
//
//   0                   1                   2                   3
//  +---------------------------------------------------------------+
//  |                Security Parameters Index (SPI)                |
//  +---------------------------------------------------------------+
//  |                        Sequence Number                        |
//  +---------------------------------------------------------------+
//  |          IV (0, 8 or 16) | inner packet | pad 1,2,3…          |
//  +-------------------------------+---------------+---------------+
//  |              … pad            |  Pad Length   |  Next Header  |
//  +-------------------------------+---------------+---------------+
//  |                     ICV (12, 16, 24, 32)                      |

import { EspCipher } from '../tables/layout.js';
import { Ip4, sealHeader } from './ipv4.js';

export const enum Esp {
  Spi = 0,
  Seq = 4,
  HeaderLen = 8,
  /** Pad length and next header. */
  TrailerLen = 2,
}

export const enum EspNext {
  Ipv4 = 4,
  /** RFC 4303 §2.6: a dummy packet, to be discarded without a word. */
  Dummy = 59,
  /** For {@link checkTrailer}: whatever it is. */
  Any = -1,
}

/** Results of {@link checkTrailer} that are not a length. */
export const enum Trailer {
  Malformed = -1,
  Dummy = -2,
}

/** Does a cipher encrypt and authenticate in one (RFC 4303 §3.3.2.2)? All of those here have a salt, and an IV that is counted (RFC 6054). */
export function isCombined(cipher: EspCipher): boolean {
  return cipher >= EspCipher.AesGcm16;
}

/** Bytes of padding so that payload + pad + 2 is a multiple of `align` (RFC 4303 §2.4). @param payloadLen bytes @param align bytes, power of two */
export function padLength(payloadLen: number, align: number): number {
  return (align - ((payloadLen + Esp.TrailerLen) & (align - 1))) & (align - 1);
}

/** Bytes on the wire of an inner packet after sealing, outer header included. @param outerLen bytes of the outer header(s): 20 for IPv4 */
export function sealedLength(innerLen: number, outerLen: number, ivLen: number, icvLen: number, align: number): number {
  return outerLen + Esp.HeaderLen + ivLen + innerLen + padLength(innerLen, align) + Esp.TrailerLen + icvLen;
}

/**
 * The largest inner packet whose sealed form fits a path: floor((path - outer - 8 - IV - ICV) / align) * align - 2.
 * @param shimLen bytes that go into the payload before the inner packet (a time-based anti-replay header), else 0
 * @returns bytes, <= 0 when nothing fits
 */
export function largestInner(pathMtu: number, outerLen: number, ivLen: number, icvLen: number, align: number, shimLen = 0): number {
  const room = pathMtu - outerLen - Esp.HeaderLen - ivLen - icvLen;
  return room - (room & (align - 1)) - Esp.TrailerLen - shimLen;
}

/** Writes padding, pad length and next header behind a payload (RFC 4303 §2.4: 1, 2, 3, …). @returns bytes written */
export function writeTrailer(bytes: Uint8Array, at: number, padLen: number, nextHeader: number): number {
  for (let i = 1; i <= padLen; i++) bytes[at + i - 1] = i;
  bytes[at + padLen] = padLen;
  bytes[at + padLen + 1] = nextHeader;
  return padLen + Esp.TrailerLen;
}

/**
 * Checks the trailer of decrypted text. @param textLen bytes of payload, padding and trailer @param wanted next header
 * @returns bytes of the payload, or {@link Trailer}
 */
export function checkTrailer(bytes: Uint8Array, at: number, textLen: number, wanted: number = EspNext.Ipv4): number {
  if (textLen < Esp.TrailerLen) return Trailer.Malformed;
  const end = at + textLen;
  const padLen = bytes[end - 2];
  const payload = textLen - Esp.TrailerLen - padLen;
  if (payload < 0) return Trailer.Malformed;
  for (let i = 1; i <= padLen; i++) if (bytes[at + payload + i - 1] !== i) return Trailer.Malformed;
  const next = bytes[end - 1];
  if (next === EspNext.Dummy) return Trailer.Dummy;
  return next === wanted || wanted === EspNext.Any ? payload : Trailer.Malformed;
}

/**
 * Transport mode: an IPv4 header goes to another place, in front of another protocol (RFC 4303 §3.1.1). @param length bytes of the header
 * @param total length of the datagram from then on, bytes
 */
export function moveHeader(
  bytes: Uint8Array,
  view: DataView,
  from: number,
  to: number,
  length: number,
  total: number,
  protocol: number,
): void {
  bytes.copyWithin(to, from, from + length);
  view.setUint16(to + Ip4.TotalLength, total);
  view.setUint8(to + Ip4.Protocol, protocol);
  sealHeader(view, to);
}
