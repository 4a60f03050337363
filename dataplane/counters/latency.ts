// A histogram of times, as counters that only grow: microseconds on a logarithmic scale with four places for each doubling, so a quantile is known
// to a fifth of itself. 0 us to over an hour.
//
//   place 0..3: that many us;  above: 4 x (doublings - 1) + the two bits behind the first one

export const enum Latency {
  Places = 128,
}

/** @param us whole microseconds, not negative @returns its place */
export function latencyPlace(us: number): number {
  const value = us > 0x7fffffff ? 0x7fffffff : us | 0;
  if (value < 4) return value;
  const doublings = 31 - Math.clz32(value);
  return ((doublings - 1) << 2) | ((value >>> (doublings - 2)) & 3);
}

/** The least time that belongs to a place, us. */
export function latencyFloor(place: number): number {
  if (place < 4) return place;
  return (4 | (place & 3)) * 2 ** ((place >>> 2) - 1);
}

/** @param counts of the places, from `first` on @param q 0..1 @returns microseconds below which the q-th part lies, null when there is none */
export function latencyQuantile(counts: ArrayLike<number>, first: number, q: number): number | null {
  let all = 0;
  for (let place = 0; place < Latency.Places; place++) all += counts[first + place];
  if (all === 0) return null;
  const wanted = Math.max(1, Math.ceil(q * all));
  let seen = 0;
  let place = 0;
  for (; place < Latency.Places; place++) {
    seen += counts[first + place];
    if (seen >= wanted) break;
  }
  return latencyFloor(place + 1);
}
