// Time-based anti-replay (IOS: TBAR): every packet says when it was sealed, in the group's pseudotime, and is accepted while that is no further from
// the receiver's pseudotime than the window: PTr - W <= PTs <= PTr + W. Cisco's header is unpublished; this one is ours. It stands inside the ESP
// payload, in front of the inner packet, so it is encrypted and authenticated. ESP's next header is 253 (RFC 3692 §2.1, experiments).
//
//   0                   1                   2                   3
//  +---------------+---------------+-------------------------------+
//  | Next Header 4 |   Version 1   |         Reserved, 0           |
//  +---------------+---------------+-------------------------------+
//  |        Pseudotime: milliseconds since the group began,        |
//  |                       64 bits, big-endian                     |
//  +---------------------------------------------------------------+
//
// Within the window a packet can be repeated; who wants that excluded takes `replay counter`. Does not: keep state per sender.

import { EspNext } from './esp.js';

export const enum Tbar {
  /** In ESP's trailer. */
  NextHeader = 253,
  HeaderLen = 12,
  /** Next header 4, version 1, reserved. */
  Head = 0x04010000,
  High = 4,
  Low = 8,
}

/** @param ms pseudotime, whole milliseconds, not negative */
export function writeTbar(view: DataView, at: number, ms: number): void {
  view.setUint32(at, Tbar.Head);
  view.setUint32(at + Tbar.High, Math.floor(ms / 4294967296));
  view.setUint32(at + Tbar.Low, ms >>> 0);
}

/** @param length bytes of the payload that begins at `at` @returns pseudotime in ms, -1 = no such header, or beyond 2^53 */
export function readTbar(view: DataView, at: number, length: number): number {
  if (length < Tbar.HeaderLen || view.getUint32(at) !== Tbar.Head) return -1;
  const high = view.getUint32(at + Tbar.High);
  return high > 0x1fffff ? -1 : high * 4294967296 + view.getUint32(at + Tbar.Low);
}

/** @param peer, own pseudotimes in ms @param windowSeconds inclusive on both sides */
export function isTimely(peer: number, own: number, windowSeconds: number): boolean {
  return Math.abs(peer - own) <= windowSeconds * 1000;
}

/** What ESP's trailer names in front of the inner packet. */
export function nextHeaderOf(isTimed: boolean): number {
  return isTimed ? Tbar.NextHeader : EspNext.Ipv4;
}
