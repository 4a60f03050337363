// The main thread's part of `monitor capture`: tells the workers what to record (mem/capture.ts), and takes the records from their rings to control while
// there is a capture. Does not: know of files, names or limits, which are control's.

import { PathCount } from '../counters/declare.js';
import { CaptureFilter, captureFilterOf, captureReaderOf } from '../mem/capture.js';
import { type RingReader, RingShape } from '../mem/ring.js';
import { allCountersOf, type CounterBlocks, Ctl, controlWords, type SharedState } from '../mem/shared.js';
import { SlotShape } from '../mem/slots.js';
import { type CaptureStart, CaptureWord, type FromCapture, MaxCaptureAces } from '../tables/capture.js';
import { Ace, Cap } from '../tables/layout.js';
import { readFlag, readInteger, readList, readNullable, readRecord, refuse } from './shape.js';

const IntervalMs = 10;
/** A pass that was under way when the capture ended is over by then. */
const LastPassMs = 50;
/** Control that reads slower than this much is left alone: the rings fill, and count what they lose. */
const MaxUnsentBytes = 1 << 20;
/** Words of one message at the most. */
const ChunkWords = 1 << 16;

/** @throws ShapeError */
export function readCaptureStart(message: unknown): CaptureStart {
  const { session, wire, inner, aces, follow } = readRecord(message, 'capture');
  const words = readNullable(aces, (list) =>
    readList(list, 'capture.aces', MaxCaptureAces * Ace.Words, (word, what) => readInteger(word, what, -0x80000000, 0xffffffff)),
  );
  if (words !== null && words.length % Ace.Words !== 0) refuse('capture.aces: no whole rows');
  return {
    type: 'capture-start',
    session: readInteger(session, 'capture.session', 0, Number.MAX_SAFE_INTEGER),
    wire: readInteger(wire, 'capture.wire', 0, 2 ** Cap.Ports - 1),
    inner: readFlag(inner, 'capture.inner'),
    aces: words,
    follow: readFlag(follow, 'capture.follow'),
  };
}

export interface CaptureReaderMeans {
  send(head: FromCapture, records: Uint8Array): void;
  /** Of what was sent before. */
  unsentBytes(): number;
  /** The workers' clock. */
  nowMs(): number;
}

export class CaptureReader {
  private readonly control: Int32Array;
  private readonly filter: Int32Array;
  private readonly rings: RingReader[];
  private readonly blocks: CounterBlocks[];
  private readonly chunk = new Int32Array(ChunkWords);
  private session = 0;
  private wallMs = 0;
  private lostBefore = 0;
  private timer: NodeJS.Timeout | null = null;

  constructor(
    shared: SharedState,
    private readonly means: CaptureReaderMeans,
  ) {
    this.control = controlWords(shared);
    this.filter = captureFilterOf(shared);
    const workers = Array.from({ length: shared.workers }, (_, worker) => worker);
    this.rings = workers.map((worker) => captureReaderOf(shared, worker));
    this.blocks = allCountersOf(shared);
  }

  start({ session, wire, inner, aces, follow }: CaptureStart): void {
    this.end();
    for (const ring of this.rings) dropAll(ring);
    this.filter.fill(0);
    this.filter.set(aces ?? [], CaptureFilter.Rows);
    this.filter[CaptureFilter.Count] = aces === null ? -1 : aces.length / Ace.Words;
    this.session = session;
    this.wallMs = Date.now() - this.means.nowMs();
    this.lostBefore = this.lost;
    Atomics.store(this.control, Ctl.CaptureFollow, follow ? 1 : 0);
    Atomics.store(this.control, Ctl.CaptureInner, inner ? 1 : 0);
    Atomics.store(this.control, Ctl.CaptureWire, wire);
    this.timer = setInterval(() => this.take(), IntervalMs);
  }

  /** What was recorded until now is still sent. */
  stop(): void {
    if (this.timer === null) return;
    this.end();
    this.timer = setTimeout(() => this.finish(), LastPassMs);
  }

  private finish(): void {
    while (this.take()) {}
    const isDone = this.oldest() === null;
    this.timer = isDone ? null : setTimeout(() => this.finish(), IntervalMs);
    if (isDone) this.send(0, true);
  }

  /** At once; for the end of the process, and of a control that is no more. */
  end(): void {
    Atomics.store(this.control, Ctl.CaptureWire, 0);
    Atomics.store(this.control, Ctl.CaptureInner, 0);
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
  }

  /** Sends what waits, in the order of time. @returns false when nothing is left, or control does not read */
  take(): boolean {
    if (this.means.unsentBytes() > MaxUnsentBytes) return false;
    let used = 0;
    while (used + CaptureWord.Words + SlotShape.MaxPacket / 4 <= ChunkWords) {
      const ring = this.oldest();
      if (ring === null) break;
      used += this.copy(ring, used);
      ring.skip();
    }
    for (const ring of this.rings) ring.release();
    if (used > 0) this.send(used, false);
    return used > 0;
  }

  private get lost(): number {
    return this.blocks.reduce((sum, { path }) => sum + path[PathCount.CaptureLost], 0);
  }

  private send(words: number, last: boolean): void {
    const { session, wallMs, lost, lostBefore, chunk } = this;
    this.means.send({ type: 'captured', session, wallMs, lost: lost - lostBefore, last }, new Uint8Array(chunk.buffer.slice(0, words * 4)));
  }

  private copy(ring: RingReader, to: number): number {
    const at = ring.peek();
    const count = (ring.words[at + CaptureWord.Length] + 3) >> 2;
    this.chunk.set(ring.words.subarray(at, at + CaptureWord.Words), to);
    const from = at + RingShape.ColumnWords;
    this.chunk.set(ring.words.subarray(from, from + count), to + CaptureWord.Words);
    return CaptureWord.Words + count;
  }

  /** The ring whose next record is the oldest. */
  private oldest(): RingReader | null {
    let found: RingReader | null = null;
    let least = Number.POSITIVE_INFINITY;
    for (const ring of this.rings) {
      const at = ring.peek();
      if (at < 0) continue;
      const micros = ring.words[at + CaptureWord.Seconds] * 1e6 + ring.words[at + CaptureWord.Micros];
      if (micros >= least) continue;
      found = ring;
      least = micros;
    }
    return found;
  }
}

function dropAll(ring: RingReader): void {
  while (ring.peek() >= 0) ring.skip();
  ring.release();
}
