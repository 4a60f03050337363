// ESP in UDP, RFC 3948. Does: the header, and telling ESP from what else shares the port. Does not: keepalives and IKE (they are control's), transport
// mode (whose checksums would have to be mended, §3.1.2).
//
//   | source port | destination port | length | checksum 0 |  SPI (not 0) | sequence | ...
//
// The checksum is 0 when we send and not looked at when we receive (§2.1): the ICV covers what matters.

import { Esp } from './esp.js';

export const enum EspUdp {
  /** Ours, and of who is behind no translator (RFC 3947 §4). */
  Port = 4500,
  HeaderLen = 8,
}

/** @param at of the UDP header @param espLen bytes of ESP behind it */
export function writeEspUdp(view: DataView, at: number, peerPort: number, espLen: number): void {
  view.setUint16(at, EspUdp.Port);
  view.setUint16(at + 2, peerPort);
  view.setUint16(at + 4, EspUdp.HeaderLen + espLen);
  view.setUint16(at + 6, 0);
}

/**
 * Whether a datagram to our port 4500 is ESP. IKE has four bytes of zero where the SPI would be (§2.2), a keepalive is shorter (§2.3); what says that it
 * has another length than it has is not ours to judge.
 * @param at of the UDP header @param length bytes from there to the end of the datagram
 */
export function isEspInUdp(view: DataView, at: number, length: number): boolean {
  return length >= EspUdp.HeaderLen + Esp.HeaderLen && view.getUint16(at + 4) === length && view.getInt32(at + EspUdp.HeaderLen) !== 0;
}
