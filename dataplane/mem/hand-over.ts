// Who owns which packet when there are several workers, and the rings by which a worker gives what is another's.
//
// Everything from one source belongs to one worker (ownerOf in native.ts): receivers keep a replay window per inner source where there are no
// sender IDs, and so do we, and order within a flow stays. Who seals is decided per SA. With sender IDs receivers keep a window
// per sender ID (RFC 6054 §3), so each ID is one worker's alone: worker w has the IDs w, w + workers, … of the row. A worker that was
// left without one gives what is to be sealed to one that has. Without sender IDs it is the owner of the inner source.
//
// Sleep and wake: a worker says that it sleeps, looks at its rings once more, then polls; a writer publishes, then looks whether the reader sleeps.
// Atomics are sequentially consistent, so one of the two sees the other (Dekker), and no packet waits for a worker that sleeps.

import { Drop, PathCount } from '../counters/declare.js';
import { ownerOf } from '../native/native.js';
import { QosKey } from '../proto/qos-classes.js';
import { Cap, Sa } from '../tables/layout.js';
import { datagramWords, RingReader, RingShape, RingWriter } from './ring.js';
import { type CounterBlocks, Ctl, controlWords, ringAt, type SharedState } from './shared.js';
import { QosColumn, SlotShape, type Slots } from './slots.js';

/** Columns that travel with a packet, words of a ring's entry. */
const enum Column {
  Len = 0,
  RxPort = 1,
  TxPort = 2,
  NextHop = 3,
  Flags = 4,
  Nesting = 5,
  /** SA slot that is to seal it; -1: it was just received. */
  Sa = 6,
  /** The SA's serial: the taker's tables may be others. */
  Serial = 7,
  FirstPorts = 8,
  Hop = 9,
  Qos = 10,
  /** QosKey.Words words, where QosColumn.Known is set. */
  Keys = 11,
  /** In captures. */
  Packet = 31,
}

/** In place of an SA's serial. */
export const enum HandOverSerial {
  /** It was just received. */
  Received = 0,
  /** It is done but for the queue of the port that it leaves by. */
  ToQueue = -1,
}

export interface HandToParts {
  /** null when there is one worker, and nobody to give to. */
  handOver: HandOver | null;
  slots: Slots;
  counters: Pick<CounterBlocks, 'path'>;
  drop: (id: number, reason: Drop) => void;
}

/** @returns a packet's end at this worker: it goes into the ring to another, or is dropped when that is full. Its parameters are those of {@link HandOver.give} */
export function makeHandTo({ handOver, slots, counters, drop }: HandToParts): (id: number, to: number, serial: number) => void {
  const { path } = counters;
  return function handTo(id, to, serial) {
    if (handOver?.give(id, to, serial)) {
      path[PathCount.HandedOver]++;
      slots.release(id);
    } else {
      drop(id, Drop.HandOverFull);
    }
  };
}

/** Not a worker's number. */
const OwnerOfSource = -1;

export class HandOver {
  private readonly writers: RingWriter[];
  /** By the worker that writes; the own one stays empty. */
  readonly readers: RingReader[];
  private readonly control: Int32Array;
  /** Per SA slot: the worker that seals what is ours, or OwnerOfSource. */
  private readonly sealers = new Int32Array(Cap.Sas).fill(OwnerOfSource);
  private readonly pool: Int32Array;

  /** @param wakeFds of every worker */
  constructor(
    private readonly slots: Slots,
    shared: SharedState,
    private readonly worker: number,
    private readonly wakeFds: readonly number[],
    private readonly wakeSignal: (fd: number) => void,
  ) {
    const { memory, workers } = shared;
    const everybody = Array.from({ length: workers }, (_, other) => other);
    this.writers = everybody.map((to) => new RingWriter(memory, ringAt(shared, worker, to)));
    this.readers = everybody.map((from) => new RingReader(memory, ringAt(shared, from, worker)));
    this.control = controlWords(shared);
    this.pool = new Int32Array(slots.bytes.buffer);
  }

  /** After new tables. @param sas rows */
  adopt(sas: Int32Array): void {
    const workers = this.writers.length;
    for (let slot = 0; slot < Cap.Sas; slot++) {
      const row = slot * Sa.Words;
      const ids = Math.min(sas[row + Sa.SidCount], Cap.Sids);
      if (sas[row + Sa.SidBits] === 0) this.sealers[slot] = OwnerOfSource;
      else this.sealers[slot] = ids === 0 || ids >= workers ? this.worker : this.worker % ids;
    }
  }

  /** The worker that seals a packet that this worker has. @param slot of the SA @param source inner */
  sealerOf(slot: number, source: number): number {
    const sealer = this.sealers[slot];
    return sealer === OwnerOfSource ? ownerOf(source, this.writers.length) : sealer;
  }

  /**
   * Copies a packet into the ring to another worker; the slot stays the caller's. @param serial of its SA, or {@link HandOverSerial} @returns false = the ring is full.
   * A loop over words, because set() wants a view object per packet. Headers are whole words, so datagrams begin at one.
   */
  give(id: number, to: number, serial: number): boolean {
    const ring = this.writers[to];
    const at = ring.claim();
    if (at < 0) return false;
    const { words } = ring;
    const { slots, pool } = this;
    words[at + Column.Len] = slots.len[id];
    words[at + Column.RxPort] = slots.rxPort[id];
    words[at + Column.TxPort] = slots.txPort[id];
    words[at + Column.NextHop] = slots.nextHop[id];
    words[at + Column.Flags] = slots.flags[id];
    words[at + Column.Hop] = slots.hop[id];
    words[at + Column.Nesting] = slots.nesting[id];
    words[at + Column.Sa] = slots.sa[id];
    words[at + Column.Serial] = serial;
    words[at + Column.FirstPorts] = slots.firstPorts[id];
    words[at + Column.Qos] = slots.qos[id];
    words[at + Column.Packet] = slots.packet[id];
    if ((slots.qos[id] & QosColumn.Known) !== 0)
      for (let i = 0; i < QosKey.Words; i++) words[at + Column.Keys + i] = slots.keys[id * QosKey.Words + i];
    const first = slots.off[id] >> 2;
    const count = datagramWords(slots.len[id]);
    for (let i = 0; i < count; i++) words[at + RingShape.ColumnWords + i] = pool[first + i];
    return true;
  }

  /** Copies an entry into a slot. @param at as peek() tells it */
  take(ring: RingReader, at: number, id: number): void {
    const { words } = ring;
    const { slots, pool } = this;
    slots.off[id] = id * SlotShape.Bytes + SlotShape.Headroom;
    slots.len[id] = words[at + Column.Len];
    slots.rxPort[id] = words[at + Column.RxPort];
    slots.txPort[id] = words[at + Column.TxPort];
    slots.nextHop[id] = words[at + Column.NextHop];
    slots.flags[id] = words[at + Column.Flags];
    slots.hop[id] = words[at + Column.Hop];
    slots.nesting[id] = words[at + Column.Nesting];
    slots.sa[id] = words[at + Column.Sa];
    slots.firstPorts[id] = words[at + Column.FirstPorts];
    slots.qos[id] = words[at + Column.Qos];
    slots.packet[id] = words[at + Column.Packet];
    if ((slots.qos[id] & QosColumn.Known) !== 0)
      for (let i = 0; i < QosKey.Words; i++) slots.keys[id * QosKey.Words + i] = words[at + Column.Keys + i];
    const first = slots.off[id] >> 2;
    const count = datagramWords(slots.len[id]);
    for (let i = 0; i < count; i++) pool[first + i] = words[at + RingShape.ColumnWords + i];
  }

  /** @returns SA slot that is to seal an entry, -1 = it was just received */
  saOf(ring: RingReader, at: number): number {
    return ring.words[at + Column.Sa];
  }

  serialOf(ring: RingReader, at: number): number {
    return ring.words[at + Column.Serial];
  }

  /** Does this worker use the tables that were published last? */
  hasNewestTables(): boolean {
    return Atomics.load(this.control, Ctl.Epoch) === Atomics.load(this.control, Ctl.Ack + this.worker);
  }

  /** Shows the others what was given, and wakes those of them that sleep: one signal each at the most. */
  announce(): void {
    for (let to = 0; to < this.writers.length; to++) {
      if (!this.writers[to].publish()) continue;
      if (Atomics.compareExchange(this.control, Ctl.Sleeping + to, 1, 0) === 1) this.wakeSignal(this.wakeFds[to]);
    }
  }

  /** Says that this worker is about to sleep. @returns false = it must not, packets wait */
  fallAsleep(): boolean {
    Atomics.store(this.control, Ctl.Sleeping + this.worker, 1);
    for (let from = 0; from < this.readers.length; from++) if (this.readers[from].peek() >= 0) return false;
    return true;
  }

  /** After a sleep, or when there was none. */
  wakeUp(): void {
    Atomics.store(this.control, Ctl.Sleeping + this.worker, 0);
  }
}
