// Token buckets: a single rate three color marker (RFC 2697), a two rate one (RFC 2698), both color-blind, and a shaper. A bucket's row is words of a
// Float64Array; time is whole microseconds of any clock that does not go back. Exactly the RFCs' buckets, which get one token (a byte) CIR
// times a second: what is less than a byte stays as a fraction, in millionths of it, so that every number here is a whole one below 2^53.
// Does not: color-aware mode; lock: a row belongs to one worker.

import { Clock } from '../mem/clock.js';

/** Words of a meter. Rates in bytes a second, bursts and tokens in bytes. */
export const enum Meter {
  CommittedRate = 0,
  CommittedBurst = 1,
  /** Peak rate; 0 = one rate: RFC 2697. */
  PeakRate = 2,
  /** EBS with one rate, 0 = two colors; PBS with two. */
  ExcessBurst = 3,
  Committed = 4,
  Excess = 5,
  CommittedFraction = 6,
  ExcessFraction = 7,
  /** Microseconds. */
  Last = 8,
  Words = 9,
}

/** Green, yellow, red of the RFCs, by IOS's names. */
export const enum Color {
  Conform = 0,
  Exceed = 1,
  Violate = 2,
}

const MicrosPerSecond = 1_000_000;
/** Above it a fraction would not be exact any more; by then any bucket is full. */
const MostMicroBytes = Number.MAX_SAFE_INTEGER;

/** Both buckets full, as they are at time 0 (RFC 2697 §3, RFC 2698 §3). */
export function fillMeter(rows: Float64Array, row: number, nowUs: number): void {
  rows[row + Meter.Committed] = rows[row + Meter.CommittedBurst];
  rows[row + Meter.Excess] = rows[row + Meter.ExcessBurst];
  rows[row + Meter.CommittedFraction] = 0;
  rows[row + Meter.ExcessFraction] = 0;
  rows[row + Meter.Last] = nowUs;
}

/** Tokens that a rate brings in so many microseconds, with the fraction of a byte that was there; what is left of one goes to `fraction`. @param rate, fraction indices of words */
function accrue(rows: Float64Array, rate: number, elapsedUs: number, fraction: number): number {
  const microBytes = rows[rate] * elapsedUs + rows[fraction];
  if (microBytes > MostMicroBytes) {
    rows[fraction] = 0;
    return MostMicroBytes;
  }
  const tokens = Math.floor(microBytes / MicrosPerSecond);
  rows[fraction] = microBytes - tokens * MicrosPerSecond;
  return tokens;
}

/**
 * Colors one packet and takes its tokens.
 * @param row index of the meter's first word @param bytes of the datagram @param clock of mem/clock.ts; never goes back
 */
export function meterPacket(rows: Float64Array, row: number, bytes: number, clock: Float64Array): Color {
  // Another worker's clock may be ahead.
  const elapsed = Math.max(0, clock[Clock.Us] - rows[row + Meter.Last]);
  rows[row + Meter.Last] += elapsed;
  const tokens = accrue(rows, row + Meter.CommittedRate, elapsed, row + Meter.CommittedFraction);
  return rows[row + Meter.PeakRate] === 0 ? oneRate(rows, row, bytes, tokens) : twoRates(rows, row, bytes, tokens, elapsed);
}

/** RFC 2697 §3: tokens go to the committed bucket until it is full, then to the excess bucket. */
function oneRate(rows: Float64Array, row: number, bytes: number, tokens: number): Color {
  const burst = rows[row + Meter.CommittedBurst];
  let committed = rows[row + Meter.Committed] + tokens;
  let excess = rows[row + Meter.Excess];
  if (committed > burst) {
    excess = Math.min(excess + committed - burst, rows[row + Meter.ExcessBurst]);
    committed = burst;
  }
  let color = Color.Violate;
  if (committed >= bytes) {
    committed -= bytes;
    color = Color.Conform;
  } else if (excess >= bytes) {
    excess -= bytes;
    color = Color.Exceed;
  }
  rows[row + Meter.Committed] = committed;
  rows[row + Meter.Excess] = excess;
  return color;
}

/** RFC 2698 §3: two buckets that fill on their own; what is above the peak takes nothing, what is green takes from both. */
function twoRates(rows: Float64Array, row: number, bytes: number, tokens: number, elapsed: number): Color {
  const more = accrue(rows, row + Meter.PeakRate, elapsed, row + Meter.ExcessFraction);
  const committed = Math.min(rows[row + Meter.Committed] + tokens, rows[row + Meter.CommittedBurst]);
  const peak = Math.min(rows[row + Meter.Excess] + more, rows[row + Meter.ExcessBurst]);
  const isPeak = peak >= bytes;
  const isCommitted = isPeak && committed >= bytes;
  rows[row + Meter.Committed] = isCommitted ? committed - bytes : committed;
  rows[row + Meter.Excess] = isPeak ? peak - bytes : peak;
  return isCommitted ? Color.Conform : isPeak ? Color.Exceed : Color.Violate;
}

/**
 * Words of a shaper: what it lets out is `Rate` on average, and `Burst` + one packet more than that at most over any time. Who comes late for a packet that
 * waited, because there was no CPU, finds what the rate has brought meanwhile, for {@link MostLateUs} at the most: else every delay would lower the rate.
 */
export const enum Shaper {
  /** Bytes a second. */
  Rate = 0,
  Burst = 1,
  /** Bytes; below 0 after a packet that was longer than what was there, so that a burst below a packet does not stop it. */
  Tokens = 2,
  Fraction = 3,
  Last = 4,
  /** When a packet that waits may leave, -1 = none does. */
  Due = 5,
  Words = 6,
}
export const MostLateUs = 50_000;

/** Full, as after silence. */
export function fillShaper(rows: Float64Array, row: number, nowUs: number): void {
  rows[row + Shaper.Tokens] = rows[row + Shaper.Burst];
  rows[row + Shaper.Fraction] = 0;
  rows[row + Shaper.Last] = nowUs;
  rows[row + Shaper.Due] = -1;
}

/** What the rate has brought since a packet was due. */
function lateBytes(rows: Float64Array, row: number, clock: Float64Array): number {
  const due = rows[row + Shaper.Due];
  const nowUs = clock[Clock.Us];
  if (due < 0 || nowUs <= due) return 0;
  return Math.floor((Math.min(nowUs - due, MostLateUs) * rows[row + Shaper.Rate]) / MicrosPerSecond);
}

/** For a packet that waits. @param clock of mem/clock.ts @returns microseconds until it may leave, 0 = now */
export function shaperWait(rows: Float64Array, row: number, clock: Float64Array): number {
  const nowUs = clock[Clock.Us];
  const elapsed = nowUs - rows[row + Shaper.Last];
  if (elapsed > 0) {
    rows[row + Shaper.Last] = nowUs;
    const tokens = rows[row + Shaper.Tokens] + accrue(rows, row + Shaper.Rate, elapsed, row + Shaper.Fraction);
    rows[row + Shaper.Tokens] = Math.min(tokens, rows[row + Shaper.Burst] + lateBytes(rows, row, clock));
  }
  const tokens = rows[row + Shaper.Tokens];
  if (tokens > 0) {
    rows[row + Shaper.Due] = -1;
    return 0;
  }
  const wait = Math.ceil(((1 - tokens) * MicrosPerSecond - rows[row + Shaper.Fraction]) / rows[row + Shaper.Rate]);
  rows[row + Shaper.Due] = nowUs + wait;
  return wait;
}

/** A packet leaves. */
export function shaperTake(rows: Float64Array, row: number, bytes: number): void {
  rows[row + Shaper.Tokens] -= bytes;
}
