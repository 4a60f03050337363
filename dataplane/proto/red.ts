// Random early detection (RFC 2309 §3; Floyd and Jacobson, "Random Early Detection Gateways", 1993), weighted by a curve for each mark, and its ECN
// form (RFC 3168 §7: what is ECN-capable is marked where another would be dropped, up to the maximum threshold). Does not: spread drops by a count
// since the last one, as the paper does: then fewer or more than the configured curve are dropped.
//
//   probability      1 |              +------
//                      |              |
//   1 / denominator    |           _ -+
//                    0 |______ _ -    |
//                      +------+-------+------  average length of the queue, packets
//                            least   most

import { Clock } from '../mem/clock.js';

export const enum Red {
  /** Packets. */
  Average = 0,
  /** 2^-n of `exponential-weighting-constant n`. */
  Weight = 1,
  /** Microseconds since when the queue is empty, -1 = it is not. */
  IdleSince = 2,
  /** Microseconds that a packet takes to leave: what the average falls by while nothing comes. */
  PacketUs = 3,
  Words = 4,
}

/** Words of one curve. */
export const enum RedCurve {
  Least = 0,
  Most = 1,
  /** At `Most`: 1 / mark denominator. */
  Probability = 2,
  Words = 3,
}

/** Chance is a whole number below it: a fraction would be boxed on its way. */
export const RedChances = 2 ** 30;

export function redChance(): number {
  return (Math.random() * RedChances) | 0;
}

export const enum RedVerdict {
  Pass = 0,
  /** By chance: marked, if it can be. */
  Early = 1,
  /** The average is above: dropped in any case. */
  Above = 2,
}

/** A packet comes: the average is in the row. @param packets in the queue, without it @param clock of mem/clock.ts */
export function redAverage(rows: Float64Array, row: number, packets: number, clock: Float64Array): void {
  const weight = rows[row + Red.Weight];
  let average = rows[row + Red.Average];
  const idleSince = rows[row + Red.IdleSince];
  if (idleSince >= 0) {
    // As if so many packets had come to an empty queue (Floyd and Jacobson §3, m).
    average *= (1 - weight) ** ((clock[Clock.Us] - idleSince) / rows[row + Red.PacketUs]);
    rows[row + Red.IdleSince] = -1;
  }
  average += weight * (packets - average);
  rows[row + Red.Average] = average;
}

/** The last packet has left. */
export function redIdle(rows: Float64Array, row: number, clock: Float64Array): void {
  rows[row + Red.IdleSince] = clock[Clock.Us];
}

/** By the average of a row. @param curve index of its first word @param chance a random number of 0 to RedChances - 1 */
export function redVerdict(rows: Float64Array, row: number, curves: Float64Array, curve: number, chance: number): RedVerdict {
  const average = rows[row + Red.Average];
  const least = curves[curve + RedCurve.Least];
  if (average < least) return RedVerdict.Pass;
  const most = curves[curve + RedCurve.Most];
  if (average >= most) return RedVerdict.Above;
  const probability = (curves[curve + RedCurve.Probability] * (average - least)) / (most - least);
  return chance < probability * RedChances ? RedVerdict.Early : RedVerdict.Pass;
}

/** The ECN field of the ToS octet (RFC 3168 §5). */
export const enum Ecn {
  NotCapable = 0,
  /** All bits of the field. */
  CongestionExperienced = 3,
}
