// Virtual reassembly: what is known of the datagrams that pass in fragments. Fragments are checked against each other and pass one by one; those that come
// before their first are held, because only the first has ports (RFC 4787 REQ-14, RFC 3022 §6.3). Nothing is put together: that is the end host's.
//
//   src, dst, identification, protocol  ->  entry: ports, ranges of bytes seen [from, to) joined where they meet, held slots in order of arrival
//
// Bounds, so that a flood of fragments without end (CVE-2018-5391) costs little: entries are places of sets of four, of which the one that ends first
// gives way; ranges that do not meet, slots held for one datagram and for all, and seconds. When all slots that may be held are, the
// datagram that waits longest loses its own. Fragments that come in order hold nothing, so a flood does not touch them.
//
// `ip virtual-reassembly` bounds what comes by one interface further: datagrams, fragments of one, seconds (PortRow).
//
// What a datagram's fragments may not do ends them all, for as long as the entry lives (as RFC 5722 has it, and Linux for IPv4): overlap, reach beyond
// the last. A fragment whose bytes have all been seen is a copy: it alone is dropped.
// Does not: know what a session or a list is.

import { Drop } from '../counters/declare.js';
import { Cap } from '../tables/layout.js';
import { hashOfDatagram } from './hash.js';
import { Added, addRange, fitsEnd } from './ranges.js';
import { PortRow } from './rows.js';
import { SlotShape } from './slots.js';

export const enum FragmentShape {
  Sets = 512, // with Ways: FragmentLimit.Datagrams
  Ways = 4,
  HeldPerDatagram = 64, // FragmentLimit.PerDatagram
  /** Of SlotShape.Count. */
  Held = 500,
  /** Since the first held one, or since the last that passed. */
  TimeoutMs = 3000, // FragmentLimit.TimeoutMs
}

const enum Entry {
  /** Signed. */
  Src = 0,
  Dst = 1,
  /** Identification << 8 | protocol (RFC 791 §3.2: these four name a datagram). */
  Name = 2,
  State = 3,
  /** Of the first fragment, see {@link FragmentTable.take}; in State.Bad why none passes. */
  Ports = 4,
  /** Bytes of the datagram's payload, 0 = the last fragment has not come. */
  Total = 5,
  Ranges = 6,
  Held = 7,
  /** Slot + 1, 0 = none. */
  FirstHeld = 8,
  LastHeld = 9,
  /** Entries that hold slots, by age: entry + 1. */
  Older = 10,
  Newer = 11,
  /** By which its first came. */
  Port = 12,
  /** That have come, copies too. */
  Count = 13,
  RangesAt = 14,
  Words = 46, // RangesAt + 2 * MaxRanges
}

const enum State {
  Free = 0,
  /** Its first has not come. */
  Waiting = 1,
  /** Its first has passed. */
  Open = 2,
  /** Its fragments contradict each other. */
  Bad = 3,
}

/** What becomes of a fragment: passed, held, or below 0: ~reason to drop it. */
export const enum Fate {
  Pass = 0,
  Held = 1,
}

export class FragmentTable {
  private readonly words = new Int32Array(FragmentShape.Sets * FragmentShape.Ways * Entry.Words);
  /** Milliseconds, by entry. */
  private readonly deadlines = new Float64Array(FragmentShape.Sets * FragmentShape.Ways);
  /** Slot + 1 that was held behind a slot. */
  private readonly next = new Int32Array(SlotShape.Count);
  /** Entries that hold slots: entry + 1. */
  private oldest = 0;
  private newest = 0;
  /** Slots that are held. */
  held = 0;
  /** Ports of the datagram that take() has looked at, if it passes. */
  ports = 0;
  /** Slots that were held for it and pass now, in order of arrival. */
  readonly released = new Int32Array(FragmentShape.HeldPerDatagram);
  releasedCount = 0;

  /** Datagrams that are known, by port. */
  private readonly known = new Int32Array(Cap.Ports);
  /** When the first of those that hold slots ends, or before. */
  private nextEnd = Number.POSITIVE_INFINITY;
  private sweptAt = Number.NEGATIVE_INFINITY;

  /** @param drop what is held and gives up @param bounds rows of PortRow */
  constructor(
    private readonly drop: (id: number, reason: Drop) => void,
    private readonly bounds: Int32Array = new Int32Array(Cap.Ports * PortRow.Words),
  ) {}

  /**
   * One fragment. When it is the first, what was held for it is in `released` afterwards. @param name identification << 8 | protocol
   * @param from first byte of payload @param to behind the last @param more MF @param ports of the header, where `from` is 0: any word, it is kept for the others
   * @param port by which it came @returns Fate, below 0 ~Drop
   */
  take(
    id: number,
    src: number,
    dst: number,
    name: number,
    from: number,
    to: number,
    more: boolean,
    ports: number,
    now: number,
    port = 0,
  ): number {
    this.releasedCount = 0;
    const entry = this.entryOf(src, dst, name, now, port);
    if (entry < 0) return ~Drop.FragmentLimit;
    const at = entry * Entry.Words;
    const { words } = this;
    if (words[at + Entry.State] === State.Bad) return ~words[at + Entry.Ports];
    const most = this.bounds[words[at + Entry.Port] * PortRow.Words + PortRow.MaxFragments];
    if (++words[at + Entry.Count] > most && most !== 0) return this.spoil(entry, Drop.FragmentLimit);
    const list = at + Entry.RangesAt;
    if (!fitsEnd(words, list, at + Entry.Ranges, words[at + Entry.Total], to, more)) return this.spoil(entry, Drop.FragmentOverlap);
    const added = addRange(words, list, at + Entry.Ranges, from, to);
    if (added === Added.Copy) return ~Drop.FragmentDuplicate;
    if (added === Added.TooMany) return ~Drop.FragmentLimit;
    if (added === Added.Overlap) return this.spoil(entry, Drop.FragmentOverlap);
    if (!more) words[at + Entry.Total] = to;
    if (from === 0) {
      words[at + Entry.Ports] = ports;
      words[at + Entry.State] = State.Open;
      this.release(entry);
    } else if (words[at + Entry.State] === State.Waiting) {
      return this.hold(entry, id);
    }
    this.ports = words[at + Entry.Ports];
    this.deadlines[entry] = now + this.timeoutOf(words[at + Entry.Port]);
    const isWhole = words[at + Entry.Ranges] === 1 && words[at + Entry.RangesAt + 1] === words[at + Entry.Total];
    if (isWhole && words[at + Entry.RangesAt] === 0) this.free(at);
    return Fate.Pass;
  }

  /** Gives up the datagrams whose first has not come in time. Nothing to do costs one comparison. */
  expire(now: number): void {
    if (now < this.nextEnd) return;
    this.nextEnd = Number.POSITIVE_INFINITY;
    for (let entry = this.oldest - 1; entry >= 0; ) {
      const newer = this.words[entry * Entry.Words + Entry.Newer] - 1;
      if (this.deadlines[entry] <= now) this.end(entry, Drop.FragmentTimeout);
      else this.nextEnd = Math.min(this.nextEnd, this.deadlines[entry]);
      entry = newer;
    }
  }

  private timeoutOf(port: number): number {
    return this.bounds[port * PortRow.Words + PortRow.FragmentMs] || FragmentShape.TimeoutMs;
  }

  /** Has the interface as many datagrams as it may? Those whose time is over do not count. */
  private isFull(port: number, now: number): boolean {
    const most = this.bounds[port * PortRow.Words + PortRow.MaxDatagrams];
    if (most === 0 || this.known[port] < most) return false;
    if (this.sweptAt !== now) {
      this.sweptAt = now;
      for (let entry = 0; entry < this.deadlines.length; entry++) if (this.deadlines[entry] <= now) this.end(entry, Drop.FragmentTimeout);
    }
    return this.known[port] >= most;
  }

  /** @returns -1 = the interface has as many as it may */
  private entryOf(src: number, dst: number, name: number, now: number, port: number): number {
    const { words, deadlines } = this;
    const hash = hashOfDatagram(src, dst, name);
    const first = ((hash >>> 16) & (FragmentShape.Sets - 1)) * FragmentShape.Ways;
    let best = first;
    for (let entry = first; entry < first + FragmentShape.Ways; entry++) {
      const at = entry * Entry.Words;
      const isLive = words[at + Entry.State] !== State.Free && deadlines[entry] > now;
      if (isLive && words[at + Entry.Src] === src && words[at + Entry.Dst] === dst && words[at + Entry.Name] === name) return entry;
      if (!isLive) deadlines[entry] = Number.NEGATIVE_INFINITY;
      if (deadlines[entry] < deadlines[best]) best = entry;
    }
    if (this.isFull(port, now)) return -1;
    // What it held gives way: too late, or too many.
    this.end(best, deadlines[best] > now ? Drop.FragmentLimit : Drop.FragmentTimeout);
    const at = best * Entry.Words;
    words[at + Entry.Src] = src;
    words[at + Entry.Dst] = dst;
    words[at + Entry.Name] = name;
    words[at + Entry.State] = State.Waiting;
    words[at + Entry.Port] = port;
    words[at + Entry.Count] = 0;
    this.known[port]++;
    words[at + Entry.Ports] = 0;
    words[at + Entry.Total] = 0;
    words[at + Entry.Ranges] = 0;
    deadlines[best] = now + this.timeoutOf(port);
    return best;
  }

  private hold(entry: number, id: number): number {
    const { words, next } = this;
    const at = entry * Entry.Words;
    if (words[at + Entry.Held] === FragmentShape.HeldPerDatagram) return ~Drop.FragmentLimit;
    if (words[at + Entry.Held] === 0) this.append(entry);
    this.nextEnd = Math.min(this.nextEnd, this.deadlines[entry]);
    if (this.held === FragmentShape.Held) {
      const victim = this.oldest - 1;
      this.end(victim, Drop.FragmentLimit);
      if (victim === entry) return ~Drop.FragmentLimit;
    }
    next[id] = 0;
    if (words[at + Entry.Held] === 0) words[at + Entry.FirstHeld] = id + 1;
    else next[words[at + Entry.LastHeld] - 1] = id + 1;
    words[at + Entry.LastHeld] = id + 1;
    words[at + Entry.Held]++;
    this.held++;
    return Fate.Held;
  }

  private release(entry: number): void {
    const at = entry * Entry.Words;
    if (this.words[at + Entry.Held] === 0) return;
    for (let id = this.words[at + Entry.FirstHeld] - 1; id >= 0; id = this.next[id] - 1) this.released[this.releasedCount++] = id;
    this.forget(entry);
  }

  /** The datagram's fragments contradict each other, or are too many: none of them passes any more. */
  private spoil(entry: number, reason: Drop): number {
    const at = entry * Entry.Words;
    this.end(entry, reason);
    this.words[at + Entry.State] = State.Bad;
    this.words[at + Entry.Ports] = reason;
    this.known[this.words[at + Entry.Port]]++;
    return ~reason;
  }

  private free(at: number): void {
    const { words } = this;
    if (words[at + Entry.State] !== State.Free) this.known[words[at + Entry.Port]]--;
    words[at + Entry.State] = State.Free;
  }

  private end(entry: number, reason: Drop): void {
    const at = entry * Entry.Words;
    this.free(at);
    if (this.words[at + Entry.Held] === 0) return;
    const first = this.words[at + Entry.FirstHeld] - 1;
    this.forget(entry);
    for (let id = first; id >= 0; id = this.next[id] - 1) this.drop(id, reason);
  }

  /** It holds nothing any more. */
  private forget(entry: number): void {
    const { words } = this;
    const at = entry * Entry.Words;
    this.held -= words[at + Entry.Held];
    words[at + Entry.Held] = 0;
    const older = words[at + Entry.Older];
    const newer = words[at + Entry.Newer];
    if (older === 0) this.oldest = newer;
    else words[(older - 1) * Entry.Words + Entry.Newer] = newer;
    if (newer === 0) this.newest = older;
    else words[(newer - 1) * Entry.Words + Entry.Older] = older;
  }

  private append(entry: number): void {
    const at = entry * Entry.Words;
    this.words[at + Entry.Older] = this.newest;
    this.words[at + Entry.Newer] = 0;
    if (this.newest === 0) this.oldest = entry + 1;
    else this.words[(this.newest - 1) * Entry.Words + Entry.Newer] = entry + 1;
    this.newest = entry + 1;
  }
}
