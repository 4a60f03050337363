// 97-nat-expire: at the end of a pass, sessions that have been quiet for too long end: a bounded number of rows is looked at, in proportion to the
// time since the last look, so that no pass is held up and every row's turn comes; where there is no room, as many as may be in every pass. Fragments that have waited too long for their first, or for the rest of their datagram, are dropped.
// In: sessions, held fragments. Out: nothing. Drops: fragment-timeout, reassembly-timeout.

import { NatCount, PathCount } from '../counters/declare.js';
import type { Env } from '../env.js';
import { Clock } from '../mem/clock.js';

/** Bounds of one look, so that the pass stays under a millisecond whatever ends (an end costs four cache misses): measured with a million sessions, `bench/nat-expiry.ts`. */
export const enum Sweep {
  /** A million rows in five seconds. */
  RowsPerMs = 200,
  MostRows = 8192,
  MostEnds = 128,
  EveryMs = 2,
}

export function makeNatExpire(env: Env): () => void {
  const { clock, nat, natBegin, fragments, reassembly } = env;
  const { natTimeouts } = env.tables;
  const { nat: counts, path } = env.counters;
  const lastMs = new Float64Array(1);

  return function natExpire() {
    const elapsed = clock[Clock.Ms] - lastMs[0];
    const { isFull } = natBegin;
    if (elapsed < Sweep.EveryMs && !isFull) return;
    lastMs[0] = clock[Clock.Ms];
    fragments.expire(clock[Clock.Ms]);
    path[PathCount.Held] = fragments.held;
    reassembly.expire(clock[Clock.Ms]);
    path[PathCount.Assembling] = reassembly.held;
    counts[NatCount.Expired] += nat.sessions.sweep(
      natTimeouts,
      clock[Clock.UptimeSeconds],
      isFull ? Sweep.MostRows : Math.min(elapsed * Sweep.RowsPerMs, Sweep.MostRows),
      Sweep.MostEnds,
    );
    counts[NatCount.Sessions] = nat.sessions.length;
  };
}
