// Meters against the text of RFC 2697 §3 and RFC 2698 §3, which counts tokens one by one; shapers against what a shaper promises.

import fc from 'fast-check';
import t from 'tap';
import { Clock } from '../../../../dataplane/mem/clock.js';
import { Color, fillMeter, fillShaper, Meter, meterPacket, Shaper, shaperTake, shaperWait } from '../../../../dataplane/proto/meter.js';

/** Tokens that have come until a time: one at every 1 / rate of a second. */
const ticks = (rate: number, us: number): bigint => (BigInt(rate) * BigInt(us)) / 1_000_000n;

interface Settings {
  cir: number;
  cbs: number;
  pir: number;
  ebs: number;
}

/** The RFCs' words, tokens in whole numbers of any size. */
class TextModel {
  private tc: bigint;
  private te: bigint;
  private last = 0;

  constructor(private readonly with_: Settings) {
    this.tc = BigInt(with_.cbs);
    this.te = BigInt(with_.ebs);
  }

  color(bytes: number, us: number): Color {
    const { cir, cbs, pir, ebs } = this.with_;
    const b = BigInt(bytes);
    const fresh = ticks(cir, us) - ticks(cir, this.last);
    if (pir === 0) {
      // "If Tc is less than CBS, Tc is incremented by one, else if Te is less then EBS, Te is incremented by one."
      const toCommitted = fresh < BigInt(cbs) - this.tc ? fresh : BigInt(cbs) - this.tc;
      this.tc += toCommitted;
      const rest = fresh - toCommitted;
      this.te = this.te + rest > BigInt(ebs) ? BigInt(ebs) : this.te + rest;
    } else {
      const peak = ticks(pir, us) - ticks(pir, this.last);
      this.tc = this.tc + fresh > BigInt(cbs) ? BigInt(cbs) : this.tc + fresh;
      this.te = this.te + peak > BigInt(ebs) ? BigInt(ebs) : this.te + peak;
    }
    this.last = us;
    if (pir === 0) {
      if (this.tc - b >= 0n) {
        this.tc -= b;
        return Color.Conform;
      }
      if (this.te - b < 0n) return Color.Violate;
      this.te -= b;
      return Color.Exceed;
    }
    if (this.te - b < 0n) return Color.Violate;
    this.te -= b;
    if (this.tc - b < 0n) return Color.Exceed;
    this.tc -= b;
    return Color.Conform;
  }
}

function clockAt(us: number): Float64Array {
  const clock = new Float64Array(Clock.Count);
  clock[Clock.Us] = us;
  return clock;
}

const settings: fc.Arbitrary<Settings> = fc
  .record({
    cir: fc.oneof(fc.integer({ min: 1000, max: 1_250_000 }), fc.integer({ min: 1000, max: 1_250_000_000 })),
    more: fc.oneof(fc.constant(-1), fc.integer({ min: 0, max: 1_250_000 })),
    cbs: fc.integer({ min: 0, max: 200_000 }),
    ebs: fc.integer({ min: 0, max: 200_000 }),
  })
  .map(({ cir, more, cbs, ebs }) => ({ cir, cbs, ebs, pir: more < 0 ? 0 : cir + more }));
const packets = fc.array(
  fc.record({ bytes: fc.integer({ min: 20, max: 1856 }), gapUs: fc.oneof(fc.nat(20), fc.nat(5000), fc.nat(10_000_000)) }),
  {
    minLength: 1,
    maxLength: 200,
  },
);

t.test('every color is the one that the RFCs’ text gives', (t) => {
  fc.assert(
    fc.property(settings, packets, fc.nat(9), (with_, list, row) => {
      const rows = new Float64Array((row + 1) * Meter.Words);
      const at = row * Meter.Words;
      rows.set([with_.cir, with_.cbs, with_.pir, with_.ebs], at);
      fillMeter(rows, at, 0);
      const model = new TextModel(with_);
      let now = 0;
      list.forEach(({ bytes, gapUs }, n) => {
        now += gapUs;
        const [seen, wanted] = [meterPacket(rows, at, bytes, clockAt(now)), model.color(bytes, now)];
        if (seen !== wanted) throw new Error(`packet ${n} at ${now} us: ${seen}, the text says ${wanted}`);
      });
    }),
    { numRuns: 500 },
  );
  t.pass('held for every sequence tried');
  t.end();
});

t.test('a year of silence at 100 Gbit/s fills the buckets and breaks nothing', (t) => {
  const rows = new Float64Array(Meter.Words);
  rows.set([12_500_000_000, 3000, 12_500_000_000, 3000]);
  fillMeter(rows, 0, 0);
  const year = 31_536_000_000_000;
  for (const now of [0, year]) {
    const colors = [1500, 1500, 1500].map((bytes) => meterPacket(rows, 0, bytes, clockAt(now)));
    t.strictSame(colors, [Color.Conform, Color.Conform, Color.Violate]);
  }
  t.end();
});

t.test('a shaper that is asked too late loses nothing of its rate', (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 20_000, max: 12_500_000 }),
      fc.array(fc.integer({ min: 0, max: 40_000 }), { minLength: 300, maxLength: 300 }),
      (rate, delays) => {
        const rows = new Float64Array(Shaper.Words);
        rows[Shaper.Rate] = rate;
        rows[Shaper.Burst] = 1500;
        fillShaper(rows, 0, 0);
        let now = 0;
        let sent = 0;
        for (const late of delays) {
          let wait = shaperWait(rows, 0, clockAt(now));
          for (; wait === 0; wait = shaperWait(rows, 0, clockAt(now))) {
            shaperTake(rows, 0, 1000);
            sent += 1000;
          }
          now += wait + late;
        }
        const wanted = (rate * now) / 1e6;
        // What the last delay has brought is not taken yet.
        if (sent > wanted + 1500 + 1000 || sent < wanted - 1500 - rate * 0.05 - 1000)
          throw new Error(`${sent} bytes, the rate gives ${wanted}`);
      },
    ),
    { numRuns: 100 },
  );
  // Beyond MostLateUs it does: a router that stood still for a minute has no minute to send.
  const rows = new Float64Array(Shaper.Words);
  rows[Shaper.Rate] = 1_000_000;
  rows[Shaper.Burst] = 1500;
  fillShaper(rows, 0, 0);
  shaperTake(rows, 0, 1500);
  t.equal(shaperWait(rows, 0, clockAt(0)), 1);
  t.equal(shaperWait(rows, 0, clockAt(60_000_001)), 0);
  t.equal(rows[Shaper.Tokens], 1500 + 50_000);
  t.end();
});

t.test('a shaper lets out its rate, and in any time no more than rate, burst and a packet', (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1000, max: 12_500_000 }),
      // A burst below what the rate brings in a microsecond loses some of it.
      fc.integer({ min: 30, max: 50_000 }),
      fc.array(fc.integer({ min: 20, max: 1856 }), { minLength: 100, maxLength: 200 }),
      (rate, burst, sizes) => {
        const rows = new Float64Array(Shaper.Words);
        rows[Shaper.Rate] = rate;
        rows[Shaper.Burst] = burst;
        fillShaper(rows, 0, 0);
        let now = 0;
        const sent: [number, number][] = [];
        for (const bytes of sizes) {
          const wait = shaperWait(rows, 0, clockAt(now));
          // The wait is exact: a microsecond less is too early.
          if (wait > 1 && shaperWait(rows, 0, clockAt(now + wait - 1)) !== 1) throw new Error(`ready before its ${wait} us are over`);
          now += wait;
          if (shaperWait(rows, 0, clockAt(now)) !== 0) throw new Error(`not ready when it said it would be`);
          shaperTake(rows, 0, bytes);
          sent.push([now, bytes]);
        }
        for (let from = 0; from < sent.length; from += 7) {
          let sum = 0;
          for (let to = from; to < sent.length; to++) {
            sum += sent[to][1];
            const most = (rate * (sent[to][0] - sent[from][0])) / 1e6 + burst + 1856 + 1;
            if (sum > most) throw new Error(`${sum} bytes in ${sent[to][0] - sent[from][0]} us, at most ${most}`);
          }
        }
        const all = sizes.reduce((a, b) => a + b, 0);
        const least = (rate * now) / 1e6 - 1;
        if (all < least) throw new Error(`${all} bytes in ${now} us: the rate gives ${least}`);
      },
    ),
    { numRuns: 200 },
  );
  t.pass('held for every sequence tried');
  t.end();
});
