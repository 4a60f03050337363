// One packet of the pool into fragments (RFC 791 §3.2): the original becomes the first of them, once the others are copied from it. A slow path.

import { Drop, PathCount } from '../counters/declare.js';
import { countFragments, cutToFirst, firstPayload, laterHeaderLength, writeLaterFragment } from '../proto/fragment.js';
import { Port } from '../proto/l4.js';
import { PacketFlag, SlotShape, type Slots } from './slots.js';
import type { Vector } from './vector.js';

/** @returns cuts a packet to fragments of `limit` bytes at the most, which go to `out` in order; without room for 8 bytes each, or slots, it is dropped: mtu-exceeded, no-slot */
export function makeCut(
  slots: Slots,
  path: Float64Array,
  drop: (id: number, reason: Drop) => void,
): (id: number, limit: number, out: Vector) => void {
  const { bytes, view, off, len, l4Off, sport, dport, flags } = slots;
  return function cut(id, limit, out) {
    const at = off[id];
    const headerLength = (view.getUint8(at) & 15) << 2;
    const laterHeader = laterHeaderLength(view, at);
    const payload = len[id] - headerLength;
    const count = countFragments(headerLength, laterHeader, payload, limit);
    if (count === 0) return drop(id, Drop.MtuExceeded);
    if (slots.freeCount < count - 1) return drop(id, Drop.NoSlot);
    const first = firstPayload(headerLength, limit);
    const step = firstPayload(laterHeader, limit);
    out.push(id);
    let skip = first;
    for (let i = 1; i < count; i++) {
      const piece = slots.allocate();
      const last = i === count - 1;
      slots.copyColumns(id, piece);
      sport[piece] = dport[piece] = Port.Unknown;
      flags[piece] |= PacketFlag.LaterFragment;
      off[piece] = piece * SlotShape.Bytes + SlotShape.Headroom;
      len[piece] = writeLaterFragment(bytes, view, at, skip, last ? payload - skip : step, last, off[piece]);
      l4Off[piece] = off[piece] + laterHeader;
      skip += step;
      out.push(piece);
    }
    len[id] = cutToFirst(view, at, first);
    flags[id] |= PacketFlag.MoreFragments;
    path[PathCount.Made] += count - 1;
    path[PathCount.Fragmented]++;
    path[PathCount.FragmentsMade] += count;
  };
}
