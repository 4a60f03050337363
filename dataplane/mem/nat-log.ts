// The beginnings and ends of NAT sessions on their way to control: a ring in shared memory from each worker to the main thread. A full ring loses
// what comes and counts it; the worker never waits. Nothing is written while nobody asks.
//
//   written | read | ... 16 words | row 0 | row 1 | ...      written and read count up; their difference is what waits

import { NatCount } from '../counters/declare.js';
import { NatLogRow, NatRow } from '../tables/layout.js';
import { Clock } from './clock.js';
import { Ctl, natRowBytes, natRowsAt, type SharedState } from './shared.js';

export const enum NatLogShape {
  /** A power of two. */
  Rows = 4096,
  Written = 0,
  Read = 1,
  Head = 16,
  Words = 65552, // Head + Rows * NatRow.Words
}

/** Of one worker. */
export function natLogOf(state: SharedState, worker: number): Int32Array {
  const at = natRowsAt(state.workers) + state.workers * natRowBytes + worker * NatLogShape.Words * 4;
  return new Int32Array(state.memory, at, NatLogShape.Words);
}

export class NatLog {
  /** @param words of this worker's ring @param control the control block: Ctl.NatLog says whether anybody asks @param clock of the passes */
  constructor(
    private readonly words: Int32Array,
    private readonly control: Int32Array,
    private readonly clock: Float64Array,
    private readonly counts: Float64Array,
  ) {}

  /** @param event of NatLogRow @param at word of the session's row */
  note(event: number, rows: Int32Array, at: number): void {
    if (this.control[Ctl.NatLog] === 0) return;
    const { words } = this;
    const written = words[NatLogShape.Written];
    if (((written - Atomics.load(words, NatLogShape.Read)) | 0) >= NatLogShape.Rows) {
      this.counts[NatCount.LogLost]++;
      return;
    }
    const to = NatLogShape.Head + (written & (NatLogShape.Rows - 1)) * NatRow.Words;
    for (let word = 0; word < NatRow.Words; word++) words[to + word] = rows[at + word];
    words[to + NatLogRow.Event] = event;
    words[to + NatLogRow.At] = this.clock[Clock.Ms] & 0x7fffffff;
    Atomics.store(words, NatLogShape.Written, (written + 1) | 0);
  }
}

/** What waits in a ring, taken out. @param nowMs of the workers' clock @returns words of rows as control gets them */
export function takeNatLog(words: Int32Array, nowMs: number): Int32Array {
  const read = words[NatLogShape.Read];
  const count = (Atomics.load(words, NatLogShape.Written) - read) | 0;
  const taken = new Int32Array(count * NatRow.Words);
  for (let i = 0; i < count; i++) {
    const from = NatLogShape.Head + ((read + i) & (NatLogShape.Rows - 1)) * NatRow.Words;
    taken.set(words.subarray(from, from + NatRow.Words), i * NatRow.Words);
    const at = i * NatRow.Words + NatLogRow.At;
    taken[at] = (Math.floor(nowMs) - taken[at]) & 0x7fffffff;
  }
  Atomics.store(words, NatLogShape.Read, (read + count) | 0);
  return taken;
}
