// ESP in UDP, RFC 3948. Does: the header, telling ESP from what else shares the port, and mending checksums in transport mode (§3.1.2). Does not:
// keepalives and IKE (they are control's).
//
//   | source port | destination port | length | checksum 0 |  SPI (not 0) | sequence | ...
//
// The checksum is 0 when we send and not looked at when we receive (§2.1): the ICV covers what matters.

import { Esp } from './esp.js';
import { Ip4 } from './ipv4.js';
import { End, natHasPorts, rewriteAddress, rewriteEnd } from './nat.js';

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

/** Whether a datagram goes to port 4500 and is not IKE: what the xdp driver takes for ESP (native/bpf.c). @param at of the UDP header @param length bytes from there */
export function holdsEsp(view: DataView, at: number, length: number): boolean {
  return length >= EspUdp.HeaderLen + 4 && view.getUint16(at + 2) === EspUdp.Port && view.getInt32(at + EspUdp.HeaderLen) !== 0;
}

/**
 * Whether a datagram to our port 4500 is ESP. IKE has four bytes of zero where the SPI would be (§2.2), a keepalive is shorter (§2.3); what says that it
 * has another length than it has is not ours to judge.
 * @param at of the UDP header @param length bytes from there to the end of the datagram
 */
export function isEspInUdp(view: DataView, at: number, length: number): boolean {
  return length >= EspUdp.HeaderLen + Esp.HeaderLen && view.getUint16(at + 4) === length && view.getInt32(at + EspUdp.HeaderLen) !== 0;
}

/**
 * Transport mode behind a translator: the transport checksum covers addresses that were another ones when it was made. It is mended by the difference, so
 * that one that was wrong stays wrong (§3.1.2, first way). @param at of the IPv4 header, whose addresses are as they came @param end of the datagram
 * @param original signed; 0 = not known, nothing is done
 */
export function mendChecksum(view: DataView, at: number, l4: number, end: number, which: End, original: number): void {
  const field = at + (which === End.Source ? Ip4.Src : Ip4.Dst);
  const received = view.getInt32(field);
  if (original === 0 || original === received || !natHasPorts(view.getUint8(at + Ip4.Protocol)) || l4 + 4 > end) return;
  const port = view.getUint16(l4 + (which === End.Source ? 0 : 2));
  rewriteAddress(view, at, which, original);
  rewriteEnd(view, at, l4, end, which, received, port);
}
