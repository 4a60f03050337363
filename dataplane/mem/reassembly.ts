// Reassembly (RFC 791 §3.2, RFC 815) of what this router opens itself: ESP, in UDP too, and GRE that came in IP fragments. A datagram waits in one slot, that of the fragment of it that came first;
// what the others bring is copied there, and their slots are free at once. So a flood without end costs a slot for each datagram, of which there are 256 at the most.
//
//   slot: | headroom 128 + 20, less the header | header of the first fragment | payload at its place, up to 1836 bytes | tailroom |
//
// Places are sets of four by a hash of what names a datagram: source, destination, identification, protocol (RFC 791), and whether it came out of an SA, so that nobody adds
// clear bytes to what was encrypted. The one that ends first gives way. Overlap, another end, and what is too long for a slot end the datagram: none of its
// fragments is taken any more while its place lives (RFC 5722). A copy alone is dropped.
// Does not: put together what passes through (virtual reassembly: mem/fragments.ts), or what is for the host (the kernel does).

import { Drop, PathCount } from '../counters/declare.js';
import { Ip4, Ipv4Fault, sealHeader, setCongestion } from '../proto/ipv4.js';
import { FragmentShape } from './fragments.js';
import { hashOfDatagram } from './hash.js';
import { Added, addRange, fitsEnd } from './ranges.js';
import { PacketFlag, SlotShape, type Slots } from './slots.js';

export const enum ReassemblyShape {
  Sets = 64,
  Ways = 4,
  Entries = 256,
  /** Where payload begins in a slot. A header with options reaches into the headroom. */
  PayloadAt = 148, // SlotShape.Headroom + Ip4.HeaderLen
  MaxPayload = 1836, // SlotShape.Bytes - SlotShape.Tailroom - PayloadAt
}

const enum Entry {
  /** Signed. */
  Src = 0,
  Dst = 1,
  /** Identification << 8 | protocol. */
  Name = 2,
  /** PacketFlag.Decrypted, or 0. */
  Mark = 3,
  State = 4,
  Slot = 5,
  /** Bytes of payload, 0 = the last fragment has not come. */
  Total = 6,
  /** Bytes of the first fragment's header, 0 = it has not come. */
  Header = 7,
  /** 1: a fragment was marked for congestion (RFC 3168 §5.3). */
  Congestion = 8,
  Ranges = 9,
  RangesAt = 10,
  Words = 42, // RangesAt + 2 * MaxRanges
}

const enum State {
  Free = 0,
  Open = 1,
  Bad = 2,
}

export class Reassembly {
  private readonly words = new Int32Array(ReassemblyShape.Entries * Entry.Words);
  /** Milliseconds, by entry. */
  private readonly deadlines = new Float64Array(ReassemblyShape.Entries);
  /** Datagrams that wait, each in a slot. */
  held = 0;

  constructor(
    private readonly slots: Slots,
    private readonly path: Float64Array,
    private readonly parse: (id: number) => Ipv4Fault,
    private readonly drop: (id: number, reason: Drop) => void,
  ) {}

  /** One fragment, parsed: it is kept, merged or dropped. @param now ms @returns the datagram, parsed, when it is whole; -1 = not yet */
  take(id: number, now: number): number {
    const { words, slots } = this;
    const { view, off, len, l4Off } = slots;
    const word = view.getUint16(off[id] + Ip4.FlagsOffset);
    const from = (word & Ip4.OffsetMask) << 3;
    const to = from + off[id] + len[id] - l4Off[id];
    const more = (word & Ip4.MoreFragments) !== 0;
    const entry = this.entryOf(id, now);
    const at = entry * Entry.Words;
    if (words[at + Entry.State] === State.Bad) return this.refuse(id, Drop.ReassemblyOverlap);
    if (to > ReassemblyShape.MaxPayload) return this.spoil(entry, id, Drop.ReassemblyTooBig);
    const list = at + Entry.RangesAt;
    if (!fitsEnd(words, list, at + Entry.Ranges, words[at + Entry.Total], to, more)) return this.spoil(entry, id, Drop.ReassemblyOverlap);
    const added = addRange(words, list, at + Entry.Ranges, from, to);
    if (added === Added.Overlap) return this.spoil(entry, id, Drop.ReassemblyOverlap);
    if (added !== Added.New) return this.refuse(id, added === Added.Copy ? Drop.ReassemblyDuplicate : Drop.ReassemblyLimit);
    if (!more) words[at + Entry.Total] = to;
    this.keep(entry, id, from, to);
    const isWhole =
      words[at + Entry.Ranges] === 1 && words[list] === 0 && words[list + 1] === words[at + Entry.Total] && words[at + Entry.Header] !== 0;
    return isWhole ? this.finish(entry) : -1;
  }

  /** Gives up what has waited too long. */
  expire(now: number): void {
    if (this.held === 0) return;
    for (let entry = 0; entry < ReassemblyShape.Entries; entry++) if (this.deadlines[entry] <= now) this.end(entry, Drop.ReassemblyTimeout);
  }

  /** Has an earlier fragment of its datagram been taken? */
  knows(id: number, now: number): boolean {
    const first = this.placeOf(id);
    for (let entry = first; entry < first + ReassemblyShape.Ways; entry++) if (this.isOf(entry, id, now)) return true;
    return false;
  }

  /** @returns the first of the places that a datagram may have */
  private placeOf(id: number): number {
    const { src, dst } = this.slots;
    const hash = hashOfDatagram(src[id], dst[id], this.nameOf(id));
    return ((hash >>> 16) & (ReassemblyShape.Sets - 1)) * ReassemblyShape.Ways;
  }

  private nameOf(id: number): number {
    const { view, off, proto } = this.slots;
    return (view.getUint16(off[id] + Ip4.Id) << 8) | proto[id];
  }

  private isOf(entry: number, id: number, now: number): boolean {
    const { words } = this;
    const { src, dst, flags } = this.slots;
    const at = entry * Entry.Words;
    if (words[at + Entry.State] === State.Free || this.deadlines[entry] <= now || words[at + Entry.Name] !== this.nameOf(id)) return false;
    const isSame = words[at + Entry.Src] === src[id] && words[at + Entry.Dst] === dst[id];
    return isSame && words[at + Entry.Mark] === (flags[id] & PacketFlag.Decrypted);
  }

  private entryOf(id: number, now: number): number {
    const { words, deadlines } = this;
    const { src, dst, flags } = this.slots;
    const first = this.placeOf(id);
    let best = first;
    for (let entry = first; entry < first + ReassemblyShape.Ways; entry++) {
      if (this.isOf(entry, id, now)) return entry;
      const isLive = words[entry * Entry.Words + Entry.State] !== State.Free && deadlines[entry] > now;
      if (!isLive) this.end(entry, Drop.ReassemblyTimeout);
      if (deadlines[entry] < deadlines[best]) best = entry;
    }
    this.end(best, Drop.ReassemblyLimit);
    const at = best * Entry.Words;
    words.fill(0, at, at + Entry.RangesAt);
    words[at + Entry.Src] = src[id];
    words[at + Entry.Dst] = dst[id];
    words[at + Entry.Name] = this.nameOf(id);
    words[at + Entry.Mark] = flags[id] & PacketFlag.Decrypted;
    words[at + Entry.State] = State.Open;
    words[at + Entry.Slot] = -1;
    deadlines[best] = now + FragmentShape.TimeoutMs;
    return best;
  }

  /** The fragment's bytes go to their place, in its own slot when it is the first to come. */
  private keep(entry: number, id: number, from: number, to: number): void {
    const { words, slots } = this;
    const { bytes, off, l4Off, tos, flags } = slots;
    const at = entry * Entry.Words;
    const isOwn = words[at + Entry.Slot] < 0;
    if (isOwn) {
      words[at + Entry.Slot] = id;
      this.held++;
    }
    const slot = words[at + Entry.Slot];
    const payload = slot * SlotShape.Bytes + ReassemblyShape.PayloadAt;
    const header = from === 0 ? l4Off[id] - off[id] : 0;
    bytes.copyWithin(payload + from - header, l4Off[id] - header, l4Off[id] + to - from);
    if ((tos[id] & 3) === 3) words[at + Entry.Congestion] = 1;
    if (from === 0) {
      words[at + Entry.Header] = header;
      if (!isOwn) {
        slots.copyColumns(id, slot);
        flags[slot] = flags[id];
      }
    }
    if (isOwn) return;
    slots.release(id);
    this.path[PathCount.Merged]++;
  }

  private finish(entry: number): number {
    const { words, slots } = this;
    const { view, off, len } = slots;
    const at = entry * Entry.Words;
    const id = words[at + Entry.Slot];
    const header = words[at + Entry.Header];
    off[id] = id * SlotShape.Bytes + ReassemblyShape.PayloadAt - header;
    len[id] = header + words[at + Entry.Total];
    view.setUint16(off[id] + Ip4.TotalLength, len[id]);
    view.setUint16(off[id] + Ip4.FlagsOffset, view.getUint16(off[id] + Ip4.FlagsOffset) & Ip4.DontFragment);
    sealHeader(view, off[id]);
    const isMarked = words[at + Entry.Congestion] === 1;
    this.free(entry);
    if (this.parse(id) !== Ipv4Fault.None) return this.refuse(id, Drop.IpMalformed);
    // A mark on a datagram that cannot carry one (its first fragment says so) is for whoever opens it to judge.
    if (isMarked && setCongestion(view, off[id])) slots.tos[id] |= 3;
    this.path[PathCount.Reassembled]++;
    return id;
  }

  private refuse(id: number, reason: Drop): number {
    this.drop(id, reason);
    return -1;
  }

  private spoil(entry: number, id: number, reason: Drop): number {
    const deadline = this.deadlines[entry];
    this.end(entry, reason);
    this.words[entry * Entry.Words + Entry.State] = State.Bad;
    this.deadlines[entry] = deadline;
    return this.refuse(id, reason);
  }

  private free(entry: number): void {
    const at = entry * Entry.Words;
    if (this.words[at + Entry.State] === State.Open && this.words[at + Entry.Slot] >= 0) this.held--;
    this.words[at + Entry.State] = State.Free;
    this.deadlines[entry] = Number.NEGATIVE_INFINITY;
  }

  private end(entry: number, reason: Drop): void {
    const at = entry * Entry.Words;
    const slot = this.words[at + Entry.State] === State.Open ? this.words[at + Entry.Slot] : -1;
    this.free(entry);
    if (slot >= 0) this.drop(slot, reason);
  }
}
