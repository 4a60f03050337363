// The histogram of times against the sorted list of them.

import fc from 'fast-check';
import t from 'tap';
import { Latency, latencyFloor, latencyPlace, latencyQuantile } from '../../../dataplane/counters/latency.js';

t.test('places are in order, and every time lies in its own', (t) => {
  fc.assert(
    fc.property(fc.oneof(fc.nat(100), fc.nat(0x7fffffff)), (us) => {
      const place = latencyPlace(us);
      return place < Latency.Places && latencyFloor(place) <= us && us < latencyFloor(place + 1);
    }),
    { numRuns: 2000 },
  );
  t.equal(latencyPlace(1e15), latencyPlace(0x7fffffff), 'no time is too long');
  t.end();
});

t.test('a quantile is not below the true one, and above it by a quarter at most', (t) => {
  fc.assert(
    fc.property(fc.array(fc.nat(5_000_000), { minLength: 1, maxLength: 300 }), fc.constantFrom(0.01, 0.5, 0.9, 0.99, 1), (times, q) => {
      const counts = new Float64Array(2 * Latency.Places);
      for (const us of times) counts[Latency.Places + latencyPlace(us)]++;
      const sorted = [...times].sort((a, b) => a - b);
      const wanted = sorted[Math.max(1, Math.ceil(q * times.length)) - 1];
      const seen = latencyQuantile(counts, Latency.Places, q);
      if (seen === null || seen <= wanted || seen > wanted * 1.25 + 1) throw new Error(`${seen} for ${wanted}`);
    }),
    { numRuns: 500 },
  );
  t.equal(latencyQuantile(new Float64Array(Latency.Places), 0, 0.5), null);
  t.end();
});
