// Virtual reassembly against sets of bytes: whatever comes in whatever order, the same fragments pass, wait, are let go and are dropped, and no slot is lost.

import fc from 'fast-check';
import t from 'tap';
import { Drop } from '../../../../dataplane/counters/declare.js';
import { Fate, FragmentShape, FragmentTable } from '../../../../dataplane/mem/fragments.js';
import { MaxRanges } from '../../../../dataplane/mem/ranges.js';
import { FragmentLimit } from '../../../../dataplane/tables/limits.js';

const piece = fc.record({
  kind: fc.constant('piece' as const),
  datagram: fc.nat(2),
  from: fc.nat(18),
  length: fc.integer({ min: 1, max: 6 }),
  more: fc.boolean(),
});
const steps = fc.array(fc.oneof({ weight: 9, arbitrary: piece }, fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(2500) })), {
  maxLength: 60,
  size: 'max',
});

interface Known {
  bytes: Set<number>;
  total: number | null;
  ports: number | null;
  isBad: boolean;
  deadline: number;
  held: number[];
}

/** What the table should do, one byte of payload (a unit of 8) at a time. */
class Naive {
  readonly known = new Map<number, Known>();
  readonly dropped: [number, Drop][] = [];

  expire(now: number): void {
    for (const [datagram, { deadline, held }] of this.known) {
      if (deadline > now) continue;
      for (const id of held) this.dropped.push([id, Drop.FragmentTimeout]);
      this.known.delete(datagram);
    }
  }

  take(id: number, datagram: number, from: number, to: number, more: boolean, now: number): { fate: number; released: number[] } {
    const entry = this.known.get(datagram) ?? { bytes: new Set(), total: null, ports: null, isBad: false, deadline: now + 3000, held: [] };
    this.known.set(datagram, entry);
    if (entry.isBad) return { fate: ~Drop.FragmentOverlap, released: [] };
    const units = Array.from({ length: to - from }, (_, i) => from + i);
    const beyond = Math.max(0, ...entry.bytes) >= to && !more;
    const wrongEnd = entry.total !== null && (more ? to > entry.total : to !== entry.total);
    const seen = units.filter((unit) => entry.bytes.has(unit)).length;
    // Bytes seen in two ranges that do not meet are not all seen: there is a hole between them.
    if (!(wrongEnd || beyond) && seen === units.length) return { fate: ~Drop.FragmentDuplicate, released: [] };
    if (wrongEnd || beyond || seen > 0) {
      entry.isBad = true;
      for (const held of entry.held.splice(0)) this.dropped.push([held, Drop.FragmentOverlap]);
      return { fate: ~Drop.FragmentOverlap, released: [] };
    }
    for (const unit of units) entry.bytes.add(unit);
    if (!more) entry.total = to;
    if (from === 0) entry.ports = id;
    if (entry.ports === null) {
      entry.held.push(id);
      return { fate: Fate.Held, released: [] };
    }
    entry.deadline = now + 3000;
    const released = entry.held.splice(0);
    if (entry.bytes.size === entry.total) this.known.delete(datagram);
    return { fate: Fate.Pass, released };
  }
}

t.test('the table is sets of bytes', (t) => {
  const seen = new Set<number>();
  fc.assert(
    fc.property(steps, (actions) => {
      const dropped: [number, Drop][] = [];
      const table = new FragmentTable((id, reason) => dropped.push([id, reason]));
      const naive = new Naive();
      let now = 1000;
      let id = 0;
      for (const step of actions) {
        if (step.kind === 'wait') {
          now += step.ms;
          continue;
        }
        table.expire(now);
        naive.expire(now);
        const { datagram, from, length, more } = step;
        id++;
        const wanted = naive.take(id, datagram, from, from + length, more, now);
        const fate = table.take(id, 7, -datagram, 17, from * 8, (from + length) * 8, more, id, now);
        seen.add(fate);
        const released = [...table.released.subarray(0, table.releasedCount)];
        if (fate !== wanted.fate) throw new Error(`fragment ${id}: ${fate}, not ${wanted.fate}`);
        if (JSON.stringify(released) !== JSON.stringify(wanted.released)) throw new Error(`released ${released}, not ${wanted.released}`);
        const held = [...naive.known.values()].reduce((sum, entry) => sum + entry.held.length, 0);
        if (table.held !== held) throw new Error(`${table.held} held, not ${held}`);
      }
      table.expire(now + 10_000);
      naive.expire(now + 10_000);
      if (JSON.stringify(dropped.sort()) !== JSON.stringify(naive.dropped.sort())) throw new Error('others were dropped');
      return table.held === 0;
    }),
    { numRuns: 3000 },
  );
  t.strictSame([...seen].sort(), [Fate.Pass, Fate.Held, ~Drop.FragmentOverlap, ~Drop.FragmentDuplicate].sort(), 'every fate was seen');
  t.end();
});

t.test('a flood of later fragments holds no more than it may, takes the oldest places, and what comes in order passes', (t) => {
  let dropped = 0;
  const table = new FragmentTable(() => dropped++);
  let held = 0;
  for (let i = 0; i < 20_000; i++) {
    if (table.take(i % 4096, i, 9, 17, 1480, 2960, true, 0, 1000) === Fate.Held) held++;
    if (i % 100 !== 0) continue;
    t.equal(table.take(4095, 1_000_000 + i, 9, 17, 0, 1480, true, 5, 1000), Fate.Pass);
    t.equal(table.take(4095, 1_000_000 + i, 9, 17, 1480, 2000, false, 0, 1000), Fate.Pass);
    t.equal(table.ports, 5);
  }
  t.ok(table.held <= FragmentShape.Held && table.held > FragmentShape.Held / 2, `${table.held} held`);
  t.equal(held, table.held + dropped, 'the others gave way');
  table.expire(4000);
  t.equal(table.held, 0);
  t.end();
});

t.test('one datagram: so many pieces wait, so many that do not meet', (t) => {
  let dropped = 0;
  const table = new FragmentTable(() => dropped++);
  for (let i = 0; i < FragmentShape.HeldPerDatagram; i++) t.equal(table.take(i, 1, 2, 17, 8 + 8 * i, 16 + 8 * i, true, 0, 0), Fate.Held);
  t.equal(
    table.take(99, 1, 2, 17, 8 + 8 * FragmentShape.HeldPerDatagram, 16 + 8 * FragmentShape.HeldPerDatagram, true, 0, 0),
    ~Drop.FragmentLimit,
  );
  t.equal(table.take(100, 1, 2, 17, 0, 8, true, 7, 0), Fate.Pass);
  t.equal(table.releasedCount, FragmentShape.HeldPerDatagram);
  for (let i = 0; i < MaxRanges; i++) t.equal(table.take(i, 3, 2, 17, 16 * i, 16 * i + 8, true, 0, 0), Fate.Pass);
  t.equal(table.take(100, 3, 2, 17, 1024, 1032, true, 0, 0), ~Drop.FragmentLimit);
  t.equal(dropped, 0);
  t.end();
});

t.test('operators are shown the bounds that there are', (t) => {
  const bounds = [FragmentShape.Sets * FragmentShape.Ways, FragmentShape.HeldPerDatagram, FragmentShape.TimeoutMs];
  t.strictSame(bounds, [FragmentLimit.Datagrams, FragmentLimit.PerDatagram, FragmentLimit.TimeoutMs]);
  t.end();
});
