// A ring between two workers: what one thread reads and another owns passes here, in order. One side writes and one reads, so two positions
// are all the locking (L. Lamport, Proving the Correctness of Multiprocess Programs, 1977). They count entries for ever, modulo 2^32, and
// each is written by one side only and stands in cache lines of its own.
//
//  0           64          128                        256                            +1984
//  | written   | taken     | entry 0: columns, 128    | datagram, up to 1856 bytes   | entry 1 | … 511
//
// Entries become visible to the reader with one store for all that were claimed since the last, and return to the writer likewise.
// Does not: know what an entry holds or wake anybody (hand-over.ts), grow.

import { SlotShape } from './slots.js';

export const enum RingShape {
  /** A power of two. Twice what a worker reads from one link in a pass. */
  Entries = 512,
  ColumnWords = 32,
  EntryWords = 496, // ColumnWords + SlotShape.MaxPacket / 4
  HeaderBytes = 128,
  Bytes = 1015936, // HeaderBytes + Entries * EntryWords * 4
}

/** Words of the header. */
const enum Position {
  Written = 0,
  Taken = 16,
}

function positionsOf(memory: SharedArrayBuffer, at: number): Int32Array {
  return new Int32Array(memory, at, RingShape.HeaderBytes / 4);
}

function wordsOf(memory: SharedArrayBuffer, at: number, entries: number): Int32Array {
  return new Int32Array(memory, at + RingShape.HeaderBytes, entries * RingShape.EntryWords);
}

/** @param position counted for ever @param entries of the ring */
export function firstWord(position: number, entries: number): number {
  return (position & (entries - 1)) * RingShape.EntryWords;
}

/** @param entries a power of two */
export function ringBytes(entries: number): number {
  return RingShape.HeaderBytes + entries * RingShape.EntryWords * 4;
}

/** The side that writes: one thread. */
export class RingWriter {
  /** Entries; valid from a claim until it is published. */
  readonly words: Int32Array;
  private readonly positions: Int32Array;
  private claimed = 0;
  private published = 0;
  /** How far the reader was when last looked at: asked again only when the ring seems full. */
  private taken = 0;

  /** @param at first byte of the ring, a multiple of 64; zeroes when new @param entries a power of two */
  constructor(
    memory: SharedArrayBuffer,
    at: number,
    private readonly entries: number = RingShape.Entries,
  ) {
    this.positions = positionsOf(memory, at);
    this.words = wordsOf(memory, at, entries);
  }

  /** @returns first word of an entry to be filled, -1 = full */
  claim(): number {
    if (((this.claimed - this.taken) | 0) === this.entries) {
      this.taken = Atomics.load(this.positions, Position.Taken);
      if (((this.claimed - this.taken) | 0) === this.entries) return -1;
    }
    const at = firstWord(this.claimed, this.entries);
    this.claimed = (this.claimed + 1) | 0;
    return at;
  }

  /** Shows the reader everything that was claimed, which is filled by now. @returns false = there was nothing new */
  publish(): boolean {
    if (this.claimed === this.published) return false;
    this.published = this.claimed;
    Atomics.store(this.positions, Position.Written, this.claimed);
    return true;
  }
}

/** The side that reads: one thread. */
export class RingReader {
  /** Entries; valid from a peek until it is released. */
  readonly words: Int32Array;
  private readonly positions: Int32Array;
  private next = 0;
  private released = 0;
  /** How far the writer was when last looked at. */
  private written = 0;

  /** Parameters as in RingWriter. */
  constructor(
    memory: SharedArrayBuffer,
    at: number,
    private readonly entries: number = RingShape.Entries,
  ) {
    this.positions = positionsOf(memory, at);
    this.words = wordsOf(memory, at, entries);
  }

  /** @returns first word of the oldest entry, -1 = none waits */
  peek(): number {
    if (this.next === this.written) {
      this.written = Atomics.load(this.positions, Position.Written);
      if (this.next === this.written) return -1;
    }
    return firstWord(this.next, this.entries);
  }

  /** Goes on to the entry after the one that peek() tells. */
  skip(): void {
    this.next = (this.next + 1) | 0;
  }

  /** Gives back to the writer what was skipped. */
  release(): void {
    if (this.next === this.released) return;
    this.released = this.next;
    Atomics.store(this.positions, Position.Taken, this.next);
  }
}

/** How many words hold a datagram of so many bytes. */
export function datagramWords(bytes: number): number {
  return (Math.min(bytes, SlotShape.MaxPacket) + 3) >> 2;
}
