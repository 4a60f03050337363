// RED: the average against the papers' formula, verdicts against the configured curve, by frequency.

import fc from 'fast-check';
import t from 'tap';
import { Clock } from '../../../../dataplane/mem/clock.js';
import { Red, RedChances, RedCurve, RedVerdict, redAverage, redIdle, redVerdict } from '../../../../dataplane/proto/red.js';

t.test('the average is the exponentially weighted one, and falls while the queue is empty', (t) => {
  const step = fc.record({ packets: fc.nat(200), gapUs: fc.nat(50_000), idle: fc.boolean() });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 16 }),
      fc.integer({ min: 1, max: 20_000 }),
      fc.array(step, { maxLength: 100 }),
      (n, packetUs, steps) => {
        const rows = new Float64Array(Red.Words);
        rows.set([0, 2 ** -n, -1, packetUs]);
        const clock = new Float64Array(Clock.Count);
        let model = 0;
        for (const { packets, gapUs, idle } of steps) {
          if (idle) redIdle(rows, 0, clock);
          clock[Clock.Us] += gapUs;
          if (idle) model *= Math.exp(Math.log1p(-(2 ** -n)) * (gapUs / packetUs));
          model = model * (1 - 2 ** -n) + packets * 2 ** -n;
          redAverage(rows, 0, packets, clock);
          const seen = rows[Red.Average];
          if (Math.abs(seen - model) > 1e-6) throw new Error(`${seen}, not ${model}`);
        }
      },
    ),
    { numRuns: 300 },
  );
  t.pass('held for every sequence tried');
  t.end();
});

t.test('how often it drops is the curve, within five standard deviations', (t) => {
  const curves = new Float64Array(2 * RedCurve.Words);
  curves.set([20, 40, 1 / 10], RedCurve.Words);
  const rows = new Float64Array(Red.Words);
  let state = 0x9e3779b9;
  const random = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % RedChances;
  };
  const tries = 100_000;
  for (const [average, wanted] of [
    [0, 0],
    [19.9, 0],
    [20, 0],
    [25, 0.025],
    [30, 0.05],
    [39.99, 0.09995],
  ]) {
    rows[Red.Average] = average;
    let early = 0;
    for (let i = 0; i < tries; i++) if (redVerdict(rows, 0, curves, RedCurve.Words, random()) === RedVerdict.Early) early++;
    const deviation = Math.sqrt(tries * wanted * (1 - wanted));
    t.ok(Math.abs(early - tries * wanted) <= 5 * deviation, `average ${average}: ${early} of ${tries}, wanted ${tries * wanted}`);
  }
  for (const average of [40, 1e6]) {
    rows[Red.Average] = average;
    t.equal(redVerdict(rows, 0, curves, RedCurve.Words, RedChances - 1), RedVerdict.Above);
  }
  t.end();
});
