// How often something may be done: so many times at once, and so many a second. For what is told and learnt, not for packets on their way (proto/meter.ts is exact).

import { Clock } from './clock.js';

/** @param clock of the passes @param burst tokens at the most, and at first @returns takes a token; false = there is none */
export function makeTokenBucket(clock: Float64Array, burst: number, perSecond: number): () => boolean {
  let tokens = burst;
  let countedAt = Number.NEGATIVE_INFINITY;
  return function takeToken() {
    tokens = Math.min(burst, tokens + ((clock[Clock.Ms] - countedAt) * perSecond) / 1000);
    countedAt = clock[Clock.Ms];
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}
