// Medians, ranges and ratios, against a naive count and by hand.

import fc from 'fast-check';
import t from 'tap';
import { peersOf, ratio, segsOf, spread, spreadOf } from '../../../bench/summary.js';
import { results, round, tcp } from './runs.js';

t.test('a median has as many values below as above', (t) => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 30 }), (values) => {
      const before = [...values];
      const found = spread(values);
      if (found === null) return false;
      const below = values.filter((value) => value < found.median).length;
      const above = values.filter((value) => value > found.median).length;
      const half = values.length / 2;
      return (
        below <= half &&
        above <= half &&
        found.n === values.length &&
        found.min === Math.min(...values) &&
        found.max === Math.max(...values) &&
        JSON.stringify(values) === JSON.stringify(before)
      );
    }),
  );
  t.strictSame(spread([3, 1, 2]), { median: 2, min: 1, max: 3, n: 3 }, 'odd');
  t.strictSame(spread([10, 4, 1, 2]), { median: 3, min: 1, max: 10, n: 4 }, 'even: between the middle two');
  t.strictSame(spread([9, 10, 100]), { median: 10, min: 9, max: 100, n: 3 }, 'sorted as numbers, not as text');
  t.equal(spread([]), null, 'of nothing there is none');
  t.end();
});

t.test('a ratio is of the medians, its range of the extremes', (t) => {
  t.strictSame(ratio({ median: 6, min: 4, max: 8, n: 3 }, { median: 2, min: 1, max: 4, n: 3 }), { value: 3, low: 1, high: 8 });
  t.end();
});

t.test('a spread is of one peer at one SEG, and passes over rounds that failed', (t) => {
  const run = results([
    round('groupwire', 0, 1, { tcp1: tcp(5) }),
    round('groupwire', 1, 1, { tcp1: tcp(99) }),
    round('openvpn', 0, 1, { tcp1: tcp(99) }),
    round('groupwire', 0, 2, { failed: 'no ping' }),
    round('groupwire', 0, 3, { tcp1: tcp(7) }),
  ]);
  t.strictSame(spreadOf(run, 'groupwire', 0, 'tcp1'), { median: 6, min: 5, max: 7, n: 2 });
  t.equal(spreadOf(run, 'groupwire', 0, 'rtt'), null, 'not measured');
  t.strictSame(peersOf(run), ['groupwire', 'openvpn'], 'each peer once, as they ran');
  t.strictSame(segsOf(run), [0, 1]);
  t.end();
});
