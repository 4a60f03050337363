// Cutting an IPv4 datagram into fragments (RFC 791 §3.2, RFC 1812 §5.2.6, identification left alone: RFC 6864 §4.2). What is cut may itself be
// a fragment. Does not: reassemble. The cutter works from the back, so that the original is intact until its own turn comes.

import { Ip4, sealHeader } from './ipv4.js';

/** Bytes of header that every fragment but the first carries: 20 and the options whose copied bit is set, padded to 4. */
export function laterHeaderLength(view: DataView, at: number): number {
  const end = at + ((view.getUint8(at) & 15) << 2);
  let length = Ip4.HeaderLen;
  for (let option = at + Ip4.HeaderLen; option < end; ) {
    const type = view.getUint8(option);
    if (type === 0) break;
    const size = type === 1 ? 1 : view.getUint8(option + 1);
    if (type & 0x80) length += size;
    option += size;
  }
  return (length + 3) & ~3;
}

/** Payload bytes of the first fragment: a multiple of 8, <= 0 when nothing fits. @param maxLength bytes of the whole fragment */
export function firstPayload(headerLength: number, maxLength: number): number {
  return (maxLength - headerLength) & ~7;
}

/** How many fragments a payload makes. @returns 0 when `maxLength` leaves no room for 8 bytes */
export function countFragments(headerLength: number, laterHeader: number, payload: number, maxLength: number): number {
  const first = firstPayload(headerLength, maxLength);
  const later = firstPayload(laterHeader, maxLength);
  if (first < 8 || later < 8) return 0;
  const rest = payload - first;
  // The last one need not be a multiple of 8 and may use all of the room.
  const room = maxLength - laterHeader;
  return rest <= 0 ? 1 : 1 + (rest <= room ? 1 : Math.ceil((rest - room) / later) + 1);
}

/**
 * Writes one later fragment. @param from of the original @param skip payload bytes before it, a multiple of 8 @param payload bytes
 * @param last it ends the original @param to room that does not overlap @returns bytes written
 */
export function writeLaterFragment(
  bytes: Uint8Array,
  view: DataView,
  from: number,
  skip: number,
  payload: number,
  last: boolean,
  to: number,
): number {
  const headerLength = (view.getUint8(from) & 15) << 2;
  bytes.copyWithin(to, from, from + Ip4.HeaderLen);
  let end = to + Ip4.HeaderLen;
  for (let option = from + Ip4.HeaderLen; option < from + headerLength; ) {
    const type = view.getUint8(option);
    if (type === 0) break;
    const size = type === 1 ? 1 : view.getUint8(option + 1);
    if (type & 0x80) {
      bytes.copyWithin(end, option, option + size);
      end += size;
    }
    option += size;
  }
  while ((end - to) & 3) bytes[end++] = 0;
  const laterHeader = end - to;
  const original = view.getUint16(from + Ip4.FlagsOffset);
  const more = last ? original & Ip4.MoreFragments : Ip4.MoreFragments;
  view.setUint8(to, 0x40 | (laterHeader >>> 2));
  view.setUint16(to + Ip4.TotalLength, laterHeader + payload);
  view.setUint16(
    to + Ip4.FlagsOffset,
    (original & ~(Ip4.MoreFragments | Ip4.OffsetMask)) | more | ((original & Ip4.OffsetMask) + (skip >>> 3)),
  );
  sealHeader(view, to);
  bytes.copyWithin(end, from + headerLength + skip, from + headerLength + skip + payload);
  return laterHeader + payload;
}

/** Shortens the original to its first fragment, after the others were written. @param payload bytes, a multiple of 8 @returns its length */
export function cutToFirst(view: DataView, at: number, payload: number): number {
  const headerLength = (view.getUint8(at) & 15) << 2;
  view.setUint16(at + Ip4.TotalLength, headerLength + payload);
  view.setUint16(at + Ip4.FlagsOffset, view.getUint16(at + Ip4.FlagsOffset) | Ip4.MoreFragments);
  sealHeader(view, at);
  return headerLength + payload;
}
