// Anti-replay windows, RFC 4303 §3.4.3, as ring bitmaps (RFC 6479): moving the window clears whole words and shifts nothing. One window
// per (SA, sender): several members share one SA and each counts for itself, so a shared window would drop good packets.
// The table is bounded: an open-addressing hash over typed arrays that never grows. Does not: ESN, sequence numbers that wrap.

export const enum Replay {
  /** Windows one worker holds. */
  Windows = 16384,
  /** Hash places: twice the windows, so that probing stays short when full. */
  Places = 32768,
  /** 1024 bits and one word that is being cleared. */
  RingWords = 33,
  MaxSize = 1024,
}

/** Outcome of {@link ReplayTable.mark}. */
export const enum Mark {
  Fresh = 0,
  Seen = 1,
  TableFull = 2,
}

export class ReplayTable {
  private readonly places = new Int32Array(Replay.Places).fill(-1);
  private readonly saOf = new Int32Array(Replay.Windows);
  private readonly senderOf = new Int32Array(Replay.Windows);
  /** Highest sequence number verified; Float64 because it is an unsigned 32-bit number. */
  private readonly top = new Float64Array(Replay.Windows);
  private readonly rings = new Int32Array(Replay.Windows * Replay.RingWords);
  private used = 0;

  /** Windows in use. */
  get length(): number {
    return this.used;
  }

  /** @returns the hash place of the sender's window, or of the free place where it belongs */
  private place(sa: number, sender: number): number {
    let hash = Math.imul(sender ^ Math.imul(sa, 0x85ebca6b), 0x9e3779b1);
    hash ^= hash >>> 15;
    let place = hash & (Replay.Places - 1);
    for (;;) {
      const window = this.places[place];
      if (window < 0 || (this.saOf[window] === sa && this.senderOf[window] === sender)) return place;
      place = (place + 1) & (Replay.Places - 1);
    }
  }

  /** Before verification: looks only. @param sequence unsigned @param size packets, 1..1024 @returns false = certainly a replay */
  mayBeFresh(sa: number, sender: number, sequence: number, size: number): boolean {
    if (sequence === 0) return false; // RFC 4303 §3.3.3: the first packet has 1, and 0 comes only after a wrap
    const window = this.places[this.place(sa, sender)];
    if (window < 0) return true;
    const top = this.top[window];
    if (sequence > top) return true;
    if (top - sequence >= size) return false;
    const word = sequence >>> 5;
    return (this.rings[window * Replay.RingWords + (word % Replay.RingWords)] & (1 << (sequence & 31))) === 0;
  }

  /** After verification: test and set in one, so that the second of two copies in one batch is found. Parameters as above. */
  mark(sa: number, sender: number, sequence: number, size: number): Mark {
    if (sequence === 0) return Mark.Seen;
    const place = this.place(sa, sender);
    let window = this.places[place];
    if (window < 0) {
      if (this.used >= Replay.Windows) return Mark.TableFull;
      window = this.used++;
      this.places[place] = window;
      this.saOf[window] = sa;
      this.senderOf[window] = sender;
      this.top[window] = 0;
      this.rings.fill(0, window * Replay.RingWords, (window + 1) * Replay.RingWords);
    }
    const ring = window * Replay.RingWords;
    const top = this.top[window];
    const word = sequence >>> 5;
    if (sequence > top) {
      const topWord = top >>> 5;
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

  /** Forgets every window of an SA slot; the others keep their state. Slow: between passes only. */
  clearSa(sa: number): void {
    let kept = 0;
    for (let window = 0; window < this.used; window++) {
      if (this.saOf[window] === sa) continue;
      if (kept !== window) {
        this.saOf[kept] = this.saOf[window];
        this.senderOf[kept] = this.senderOf[window];
        this.top[kept] = this.top[window];
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
