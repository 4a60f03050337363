// A virtio header and a frame as a fuzz target, on the twin; test/unit/dataplane/native/superpacket-fuzz.c is the same for the C. Nothing throws,
// nothing is written outside the slot, and a frame whose header asks for nothing or for what cannot be yields itself, once.

import { frameHasNext, frameNext, frameStart, makeFrame } from '../../dataplane/native/twin-gso.js';

const Guard = 64;
const room = new Uint8Array(65535 + 2 * Guard);

function isGuarded(from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (room[i] !== 0xa5) return false;
  return true;
}

/** Whether the header, read by itself, asks for work that can be done. Little-endian fields, RFC 791, RFC 9293, RFC 768. */
function isPossible(header: DataView, ip: DataView): boolean {
  const length = ip.byteLength;
  const [unfinished, type, size] = [(header.getUint8(0) & 1) === 1, header.getUint8(1) & 0x7f, header.getUint16(4, true)];
  const [start, field] = [header.getUint16(6, true), header.getUint16(8, true)];
  if (type === 0) return unfinished && start + field + 2 <= length;
  if ((type !== 1 && type !== 5) || size === 0 || length < 28 || ip.getUint8(0) >> 4 !== 4) return false;
  const [options, total] = [(ip.getUint8(0) & 15) * 4, ip.getUint16(2)];
  const tcp = type === 1;
  if (options < 20 || total > length || ip.getUint8(9) !== (tcp ? 6 : 17) || (ip.getUint16(6) & 0x3fff) !== 0) return false;
  if (total < options + (tcp ? 20 : 8)) return false;
  const transport = tcp ? (ip.getUint8(options + 12) >> 4) * 4 : 8;
  if (transport < 8 || (tcp && transport < 20) || total < options + transport) return false;
  return !unfinished || (start === options && field === (tcp ? 16 : 6));
}

/** Bytes 0 and 1 are the room of a slot (+ 1); then virtio header and frame. */
export function fuzz(bytes: Uint8Array): void {
  if (bytes.length < 13) return;
  const maxLength = Math.min(1 + ((bytes[0] << 8) | bytes[1]), 65535);
  const input = bytes.slice(2);
  const length = input.length - 10;
  const possible = isPossible(new DataView(input.buffer, 0, 10), new DataView(input.buffer, 10));
  const frame = makeFrame(input);
  frameStart(frame, length);
  let count = 0;
  for (; frameHasNext(frame); count++) {
    if (count > length) throw new Error('more datagrams than bytes');
    room.fill(0xa5, 0, Guard + maxLength + Guard);
    const reported = frameNext(frame, room, Guard, maxLength);
    if (reported < 1 || reported > maxLength + 1) throw new Error(`length ${reported} with room for ${maxLength}`);
    const end = Guard + Math.min(reported, maxLength);
    if (!isGuarded(0, Guard) || !isGuarded(end, Guard + maxLength + Guard)) throw new Error('written outside');
    if (possible) continue;
    const same = Buffer.compare(room.subarray(Guard, end), input.subarray(10, 10 + Math.min(length, maxLength))) === 0;
    if (count > 0 || !same || reported !== Math.min(length, maxLength + 1)) throw new Error('the frame is not as it came, once');
  }
  if (count === 0) throw new Error('nothing came out');
  for (let i = 10; i < input.length; i++) if (input[i] !== bytes[i + 2]) throw new Error('the frame itself was changed');
}
