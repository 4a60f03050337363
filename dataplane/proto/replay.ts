// Anti-replay windows, RFC 4303 §3.4.3, as ring bitmaps (RFC 6479): moving the window clears whole words and shifts nothing. One window
// per (SA, sender): several members share one SA and each counts for itself, so a shared window would drop good packets.
// The table is bounded: an open-addressing hash over typed arrays that never grows. When it is full a sender that was quiet gives its window
// up. What it had reached is kept as a floor, shared by the senders of the SA that hash to one place: who has no window must be above it. So nothing
// that was accepted is accepted again, and the price is paid by senders that are new or quiet and count lower than one that was forgotten: until they
// are above the floor they are refused. Extended sequence numbers (RFC 4303 §2.2.1) are whole ones
// here, exact up to 2^53. Does not: sequence numbers that wrap; replays in time-based SAs (proto/tbar.ts) are not its business.

import { Cap } from '../tables/layout.js';

export const enum Replay {
  /** Windows one worker holds: 2.5 MB. */
  Windows = 16384,
  /** Hash places: twice the windows, so that probing stays short when full. */
  Places = 32768,
  /** 1024 bits and one word that is being cleared. */
  RingWords = 33,
  MaxSize = 1024,
  /** Windows that are looked at for one to give up. */
  Candidates = 16,
}

/** What is kept of forgotten senders. */
const enum Floors {
  /** Of one SA slot: 2 MB for all. */
  PerSa = 1024,
}

/** Not a number that a packet can have: it is left of every window. */
export const NoSequence = 0;

/** The word of the bitmap that a sequence number is in. */
function wordOf(sequence: number): number {
  return sequence <= 0xffffffff ? sequence >>> 5 : Math.floor(sequence / 32);
}

/** Outcome of {@link ReplayTable.mark}. */
export const enum Mark {
  Fresh = 0,
  Seen = 1,
}

export class ReplayTable {
  private readonly places = new Int32Array(Replay.Places).fill(-1);
  private readonly saOf = new Int32Array(Replay.Windows);
  private readonly senderOf = new Int32Array(Replay.Windows);
  /** Highest sequence number verified. */
  private readonly top = new Float64Array(Replay.Windows);
  private readonly rings = new Int32Array(Replay.Windows * Replay.RingWords);
  /** 1: used since the hand last passed. */
  private readonly recent = new Uint8Array(Replay.Windows);
  /** Highest sequence number of forgotten senders, {@link Floors.PerSa} per SA slot. */
  private readonly floors = new Float64Array(Cap.Sas * Floors.PerSa);
  private hand = 0;
  private used = 0;
  /** Windows that were given up since the start. */
  evictions = 0;

  /** Windows in use. */
  get length(): number {
    return this.used;
  }

  private hashOf(sa: number, sender: number): number {
    const hash = Math.imul(sender ^ Math.imul(sa, 0x85ebca6b), 0x9e3779b1);
    return hash ^ (hash >>> 15);
  }

  private floorAt(sa: number, sender: number): number {
    return sa * Floors.PerSa + (this.hashOf(sa, sender) & (Floors.PerSa - 1));
  }

  /** @returns the hash place of the sender's window, or of the free place where it belongs */
  private place(sa: number, sender: number): number {
    let place = this.hashOf(sa, sender) & (Replay.Places - 1);
    for (;;) {
      const window = this.places[place];
      if (window < 0 || (this.saOf[window] === sa && this.senderOf[window] === sender)) return place;
      place = (place + 1) & (Replay.Places - 1);
    }
  }

  /**
   * The whole of an extended sequence number, of which a packet carries the lower half: the one nearest to the window (RFC 4303 App. A2.1).
   * @param low unsigned @param size packets, 1..1024 @returns {@link NoSequence} when it is older than the first packet
   */
  extend(sa: number, sender: number, low: number, size: number): number {
    const window = this.places[this.place(sa, sender)];
    const top = window < 0 ? this.floors[this.floorAt(sa, sender)] : this.top[window];
    const topLow = top >>> 0;
    const topHigh = (top - topLow) / 2 ** 32;
    // The left edge of the window, which may lie in the 2^32 before.
    const edge = topLow - size + 1;
    const high = edge >= 0 ? (low >= edge ? topHigh : topHigh + 1) : low >= edge + 2 ** 32 ? topHigh - 1 : topHigh;
    return high < 0 ? NoSequence : high * 2 ** 32 + low;
  }

  /** Before verification: looks only. @param sequence whole @param size packets, 1..1024 @returns false = certainly a replay */
  mayBeFresh(sa: number, sender: number, sequence: number, size: number): boolean {
    if (sequence === 0) return false; // RFC 4303 §3.3.3: the first packet has 1, and 0 comes only after a wrap
    const window = this.places[this.place(sa, sender)];
    if (window < 0) return sequence > this.floors[this.floorAt(sa, sender)];
    const top = this.top[window];
    if (sequence > top) return true;
    if (top - sequence >= size) return false;
    const word = wordOf(sequence);
    return (this.rings[window * Replay.RingWords + (word % Replay.RingWords)] & (1 << (sequence & 31))) === 0;
  }

  /** After verification: test and set in one, so that the second of two copies in one batch is found. Parameters as above. */
  mark(sa: number, sender: number, sequence: number, size: number): Mark {
    if (sequence === 0) return Mark.Seen;
    const place = this.place(sa, sender);
    let window = this.places[place];
    if (window < 0) {
      if (sequence <= this.floors[this.floorAt(sa, sender)]) return Mark.Seen;
      window = this.open(sa, sender, place);
    }
    this.recent[window] = 1;
    const ring = window * Replay.RingWords;
    const top = this.top[window];
    const word = wordOf(sequence);
    if (sequence > top) {
      const topWord = wordOf(top);
      const steps = word - topWord;
      if (steps >= Replay.RingWords) this.rings.fill(0, ring, ring + Replay.RingWords);
      else for (let i = 1; i <= steps; i++) this.rings[ring + ((topWord + i) % Replay.RingWords)] = 0;
      this.top[window] = sequence;
    } else if (top - sequence >= size) {
      return Mark.Seen;
    }
    const at = ring + (word % Replay.RingWords);
    const bit = 1 << (sequence & 31);
    if ((this.rings[at] & bit) !== 0) return Mark.Seen;
    this.rings[at] |= bit;
    return Mark.Fresh;
  }

  /** A window for a new sender, in which everything up to its floor counts as seen. */
  private open(sa: number, sender: number, freePlace: number): number {
    const isFull = this.used >= Replay.Windows;
    const window = isFull ? this.evict() : this.used++;
    this.places[isFull ? this.place(sa, sender) : freePlace] = window;
    this.saOf[window] = sa;
    this.senderOf[window] = sender;
    const floor = this.floors[this.floorAt(sa, sender)];
    const ring = window * Replay.RingWords;
    this.top[window] = floor;
    this.rings.fill(floor === 0 ? 0 : -1, ring, ring + Replay.RingWords);
    if (floor > 0) this.rings[ring + (wordOf(floor) % Replay.RingWords)] = (floor & 31) === 31 ? -1 : (2 << (floor & 31)) - 1;
    return window;
  }

  /** Of a few windows the one that reached least, those used since the hand's last round apart. @returns it, free */
  private evict(): number {
    let victim = -1;
    for (let i = 0; i < Replay.Candidates; i++) {
      const window = this.hand;
      this.hand = (this.hand + 1) % Replay.Windows;
      if (
        victim < 0 ||
        this.recent[window] < this.recent[victim] ||
        (this.recent[window] === this.recent[victim] && this.top[window] < this.top[victim])
      )
        victim = window;
    }
    // Those that were spared lose their mark: the next round may take them.
    for (let i = 1; i <= Replay.Candidates; i++) this.recent[(this.hand + Replay.Windows - i) % Replay.Windows] = 0;
    const floor = this.floorAt(this.saOf[victim], this.senderOf[victim]);
    if (this.floors[floor] < this.top[victim]) this.floors[floor] = this.top[victim];
    this.removePlace(this.place(this.saOf[victim], this.senderOf[victim]));
    this.evictions++;
    return victim;
  }

  /** Empties a hash place; what was put behind it because it was taken moves up. */
  private removePlace(place: number): void {
    const mask = Replay.Places - 1;
    let hole = place;
    for (let next = (hole + 1) & mask; this.places[next] >= 0; next = (next + 1) & mask) {
      const window = this.places[next];
      const home = this.hashOf(this.saOf[window], this.senderOf[window]) & mask;
      if (((next - home) & mask) < ((next - hole) & mask)) continue;
      this.places[hole] = window;
      hole = next;
    }
    this.places[hole] = -1;
  }

  /** Forgets every window of an SA slot; the others keep their state. Slow: between passes only. */
  clearSa(sa: number): void {
    this.floors.fill(0, sa * Floors.PerSa, (sa + 1) * Floors.PerSa);
    let kept = 0;
    for (let window = 0; window < this.used; window++) {
      if (this.saOf[window] === sa) continue;
      if (kept !== window) {
        this.saOf[kept] = this.saOf[window];
        this.senderOf[kept] = this.senderOf[window];
        this.top[kept] = this.top[window];
        this.recent[kept] = this.recent[window];
        this.rings.copyWithin(kept * Replay.RingWords, window * Replay.RingWords, (window + 1) * Replay.RingWords);
      }
      kept++;
    }
    if (kept === this.used) return;
    this.used = kept;
    this.places.fill(-1);
    for (let window = 0; window < kept; window++) this.places[this.place(this.saOf[window], this.senderOf[window])] = window;
  }
}
