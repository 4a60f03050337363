// Rows of NAT sessions by one of their two keys. Open addressing: a slot has the number of a row and 12 bits of the hash of its key, so that
// whoever looks for a key reads the slots of one cache line and then, but for one time in thousands, the one row that it wants. There are two
// slots for each row that can be, so that runs of slots stay short. What ends leaves no mark: the slots behind it move up.
//
// The hash has secret factors: nobody can choose addresses and ports that meet in one place. Measured: bench/README.md.

import { randomFillSync } from 'node:crypto';
import { NatRow } from '../tables/layout.js';
import { mix } from './hash.js';

const enum Slot {
  Row = 0xfffff,
  TagShift = 20,
  /** In place of a tag of 0: a slot of 0 is free. */
  LeastTag = 1 << TagShift,
}

/** The most rows that a slot can name. */
export const MostRows = Slot.Row + 1;

/** @returns the bits of the hash that stand in a slot, in their place */
function tagOf(hash: number): number {
  const tag = hash & ~Slot.Row;
  return tag === 0 ? Slot.LeastTag : tag;
}

export class NatIndex {
  readonly slots: Int32Array;
  private readonly mask: number;
  private readonly nearFactor: number;
  private readonly portsFactor: number;
  /** What guess() read: it must not be left out as useless. */
  seen = 0;

  /** @param capacity rows there can be, a power of two @param near, @param ports, @param far words of a row: with its protocol, the key */
  constructor(
    private readonly rows: Int32Array,
    capacity: number,
    private readonly near: NatRow,
    private readonly ports: NatRow,
    private readonly far: NatRow,
  ) {
    if (capacity > MostRows) throw new RangeError(`${capacity} rows: at most ${MostRows}`);
    this.slots = new Int32Array(2 * capacity);
    this.mask = 2 * capacity - 1;
    const secret = randomFillSync(new Int32Array(2));
    this.nearFactor = secret[0] | 1;
    this.portsFactor = secret[1] | 1;
  }

  hash(protocol: number, near: number, ports: number, far: number): number {
    return mix(near, ports, far, protocol, this.nearFactor, this.portsFactor);
  }

  /**
   * Looks for many keys at once, so that loads do not wait for each other. @param hashes in: of the keys; out: row + 1 of what is likely
   * theirs, 0 = there is none
   */
  guess(hashes: Int32Array, count: number): void {
    const { slots, rows, mask } = this;
    let seen = 0;
    for (let i = 0; i < count; i++) seen ^= slots[hashes[i] & mask];
    for (let i = 0; i < count; i++) {
      const tag = tagOf(hashes[i]);
      let at = hashes[i] & mask;
      while (slots[at] !== 0 && (slots[at] ^ tag) >>> Slot.TagShift !== 0) at = (at + 1) & mask;
      hashes[i] = slots[at] === 0 ? 0 : (slots[at] & Slot.Row) + 1;
    }
    for (let i = 0; i < count; i++) seen ^= rows[(hashes[i] - (hashes[i] > 0 ? 1 : 0)) * NatRow.Words];
    this.seen = seen;
  }

  private isAt(row: number, protocol: number, near: number, ports: number, far: number): boolean {
    const { rows } = this;
    const at = row * NatRow.Words;
    return (
      rows[at + this.ports] === ports &&
      rows[at + this.near] === near &&
      rows[at + this.far] === far &&
      rows[at + NatRow.Protocol] === protocol
    );
  }

  /** @param guess of guess(), or 0; any number of a row is safe @returns row, -1 */
  find(protocol: number, near: number, ports: number, far: number, guess: number): number {
    if (guess > 0 && this.isAt(guess - 1, protocol, near, ports, far)) return guess - 1;
    const { slots, mask } = this;
    const hash = this.hash(protocol, near, ports, far);
    const tag = tagOf(hash);
    for (let at = hash & mask; slots[at] !== 0; at = (at + 1) & mask) {
      if ((slots[at] ^ tag) >>> Slot.TagShift !== 0) continue;
      const row = slots[at] & Slot.Row;
      if (this.isAt(row, protocol, near, ports, far)) return row;
    }
    return -1;
  }

  private hashOf(row: number): number {
    const { rows } = this;
    const at = row * NatRow.Words;
    return this.hash(rows[at + NatRow.Protocol], rows[at + this.near], rows[at + this.ports], rows[at + this.far]);
  }

  /** @param row whose key is written, and which is not in the index */
  add(row: number): void {
    const { slots, mask } = this;
    const hash = this.hashOf(row);
    let at = hash & mask;
    while (slots[at] !== 0) at = (at + 1) & mask;
    slots[at] = tagOf(hash) | row;
  }

  /** @param row whose key still stands, and which is in the index */
  remove(row: number): void {
    const { slots, mask } = this;
    let hole = this.hashOf(row) & mask;
    while ((slots[hole] & Slot.Row) !== row) hole = (hole + 1) & mask;
    for (let at = (hole + 1) & mask; slots[at] !== 0; at = (at + 1) & mask) {
      const home = this.hashOf(slots[at] & Slot.Row) & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue; // it may not stand before its own place
      slots[hole] = slots[at];
      hole = at;
    }
    slots[hole] = 0;
  }
}
