// The same day, with half of the members cut off from the key server for 30 minutes, while a TEK is renewed and the old one expires.

import t from 'tap';
import { Day, usualDay } from './day.js';

const Minute = 60_000;
/**
 * The longest that a member waits between two tries: a try is given up after five sendings (1 + 2 + 4 + 8 + 16 s), the next begins after at
 * most 60 s, both give or take a quarter.
 */
const ReregistrationMs = 1.25 * (31_000 + 60_000);

t.test('a day with a partition of 30 minutes', async (t) => {
  // A TEK is pushed 110 s before the one before it expires, so every 3490 s: here the third, after 2 h 54 min 30 s: four hours show all of it.
  const partition = { at: (2 * 60 + 45) * Minute, length: 30 * Minute };
  const day = new Day({
    ...usualDay,
    hours: 4,
    memberRestarts: 8,
    serverRestarts: 2,
    seed: process.env.SIMULATE_SEED ?? 'partition',
    partition,
  });
  day.run();
  const what = day.summary();
  t.same(day.faults.slice(0, 5), [], `no two members of one side without a common TEK, no sender ID twice, no rekey twice: ${what}`);
  t.ok(day.traffic.cut > 2000, `the cut was felt: ${what}`);
  t.ok(day.cutOff > 400, `members of the far side had lost their keys: ${day.cutOff}; ${what}`);
  t.ok(day.backAfterMs !== null && day.backAfterMs <= ReregistrationMs, `all are back within ${ReregistrationMs / 1000} s: ${what}`);
  t.ok(day.registrations.most <= 100, `registrations stay under the limit: ${what}`);
  t.equal(day.unregistered, 0, `all are registered at the end: ${what}`);
});
