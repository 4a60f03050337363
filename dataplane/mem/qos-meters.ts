// Policers: token buckets that all workers share, so that the rate holds for the interface. A lock for each, held for a few dozen instructions; a
// worker that waits for one that lost its CPU gives up after a while and goes on: a token too many rather than a router that stands still.

import { type Color, fillMeter, Meter, meterPacket } from '../proto/meter.js';
import { QosClass } from '../tables/layout.js';
import { readRate } from './qos-queues.js';
import { metersOf, type SharedState } from './shared.js';

/** About a millisecond. */
const MostTries = 20_000;

/** By the main thread, before it publishes classes that are others. @param nowUs of the workers' clock */
export function startMeters(shared: SharedState, classes: Int32Array, nowUs: number): void {
  const { rows, locks } = metersOf(shared);
  rows.fill(0);
  locks.fill(0);
  for (let index = 0; index < classes.length / QosClass.Words; index++) {
    const row = index * QosClass.Words;
    const at = index * Meter.Words;
    rows[at + Meter.CommittedRate] = readRate(classes, row + QosClass.CirHigh);
    rows[at + Meter.CommittedBurst] = classes[row + QosClass.CommittedBurst];
    rows[at + Meter.PeakRate] = readRate(classes, row + QosClass.PirHigh);
    rows[at + Meter.ExcessBurst] = classes[row + QosClass.ExcessBurst];
    fillMeter(rows, at, nowUs);
  }
}

/** @param isShared several workers use them @returns colours a packet of a class and takes its tokens */
export function makeColor(
  rows: Float64Array,
  locks: Int32Array,
  isShared: boolean,
  clock: Float64Array,
): (index: number, bytes: number) => Color {
  return function color(index, bytes) {
    const at = index * Meter.Words;
    if (!isShared) return meterPacket(rows, at, bytes, clock);
    for (let tries = 0; tries < MostTries && Atomics.compareExchange(locks, index, 0, 1) !== 0; tries++);
    const result = meterPacket(rows, at, bytes, clock);
    Atomics.store(locks, index, 0);
    return result;
  };
}
