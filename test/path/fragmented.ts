// Fragments for path tests, cut without the code under test.

import { fixHeader } from './packets.js';

/** A datagram without options, cut so that no fragment has more than `payload` bytes of payload. @param payload a multiple of 8 */
export function fragmentsOf(packet: Uint8Array, payload: number): Uint8Array[] {
  const rest = packet.subarray(20);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < rest.length; at += payload) {
    const part = rest.subarray(at, at + payload);
    const piece = Uint8Array.from([...packet.subarray(0, 20), ...part]);
    const view = new DataView(piece.buffer);
    const more = at + payload < rest.length ? 0x2000 : view.getUint16(6) & 0x2000;
    view.setUint16(2, piece.length);
    view.setUint16(6, (view.getUint16(6) & 0xdfff) + more + at / 8);
    pieces.push(fixHeader(piece));
  }
  return pieces;
}
