// Replay windows against naive ones. With few senders: exactly RFC 4303 §3.4.3. With more than there is room for: whatever is forgotten,
// nothing that was accepted is ever accepted again, and a sender that counts on is not refused for ever.

import fc from 'fast-check';
import t from 'tap';
import { Mark, NoSequence, Replay, ReplayTable } from '../../../../dataplane/proto/replay.js';

class Naive {
  private top = 0;
  private readonly seen = new Set<number>();

  mark(sequence: number, size: number): boolean {
    if (sequence === 0 || this.seen.has(sequence) || (sequence <= this.top && this.top - sequence >= size)) return false;
    this.seen.add(sequence);
    this.top = Math.max(this.top, sequence);
    return true;
  }
}

t.test('few senders: exact', async () => {
  const step = fc.record({
    sa: fc.nat(2),
    sender: fc.constantFrom(0, 1, -1, 0x0a000001, 0x7fffffff),
    sequence: fc.oneof(fc.nat(40), fc.integer({ min: 0xffffff00, max: 0xffffffff }), fc.integer({ min: 900, max: 1300 })),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom(64, 128, 1024), (steps, size) => {
      const table = new ReplayTable();
      const naive = new Map<string, Naive>();
      return steps.every(({ sa, sender, sequence }) => {
        const key = `${sa} ${sender}`;
        const window = naive.get(key) ?? new Naive();
        naive.set(key, window);
        const look = table.mayBeFresh(sa, sender, sequence, size);
        const fresh = table.mark(sa, sender, sequence, size) === Mark.Fresh;
        return fresh === window.mark(sequence, size) && (look || !fresh);
      });
    }),
    { numRuns: 150 },
  );
});

t.test('extended numbers, of which only the lower half is seen: exact while losses stay below 2^32 less a window', async () => {
  const walk = fc.record({
    start: fc.oneof(fc.constantFrom(1, 2 ** 32 - 70, 2 ** 32 - 1, 2 ** 32, 2 ** 33 - 5, 2 ** 52 - 3), fc.integer({ min: 1, max: 2 ** 34 })),
    size: fc.constantFrom(64, 512, 1024),
    // Forward by so many, or back.
    steps: fc.array(fc.oneof(fc.integer({ min: -1100, max: 1100 }), fc.integer({ min: 2 ** 31, max: 2 ** 32 - 3000 })), { maxLength: 40 }),
  });
  fc.assert(
    fc.property(walk, ({ start, size, steps }) => {
      const table = new ReplayTable();
      const naive = new Naive();
      table.mark(0, 0, start, size);
      naive.mark(start, size);
      let top = start;
      return steps.every((step) => {
        const sequence = Math.max(1, top + step);
        top = Math.max(top, sequence);
        const whole = table.extend(0, 0, sequence % 2 ** 32, size);
        // What is left of the window is taken for a number of the next 2^32, and its ICV will not do.
        const isRight = whole === sequence || (sequence <= top - size && (whole === sequence + 2 ** 32 || whole === NoSequence));
        if (!isRight || whole !== sequence) return isRight;
        const look = table.mayBeFresh(0, 0, whole, size);
        const fresh = table.mark(0, 0, whole, size) === Mark.Fresh;
        return fresh === naive.mark(sequence, size) && (look || !fresh);
      });
    }),
    { numRuns: 1000 },
  );
});

t.test('three times as many senders as windows, packets doubled and late', async (t) => {
  const table = new ReplayTable();
  const senders = Replay.Windows * 3;
  const next = new Uint32Array(senders);
  const accepted = new Set<number>();
  let state = 12345;
  const random = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const old: [number, number][] = [];
  let twice = 0;
  let fresh = 0;
  const give = (sender: number, sequence: number): boolean => {
    const isFresh = table.mark(1, sender, sequence, 64) === Mark.Fresh;
    if (!isFresh) return false;
    const key = sender * 2 ** 20 + sequence;
    if (accepted.has(key)) twice++;
    accepted.add(key);
    fresh++;
    return true;
  };
  for (let i = 0; i < 400_000; i++) {
    const sender = random(senders);
    next[sender] += 1 + random(3);
    give(sender, next[sender]);
    if (random(4) === 0) old.push([sender, next[sender]]);
    if (old.length > 0 && random(3) === 0) give(...old[random(old.length)]);
  }
  t.equal(twice, 0, `of ${fresh} accepted packets`);
  t.ok(table.evictions > 10_000, `${table.evictions} windows were given up`);
  t.equal(table.length, Replay.Windows as number);
  t.ok(fresh > 200_000, `${fresh} of about 400,000 new packets accepted`);
  // Who goes on counting comes through.
  const last = Math.max(...next);
  for (let sender = 0; sender < senders; sender += 97) t.ok(give(sender, last + 1), 'above every floor');
});

t.test('clearSa forgets windows and floors of one SA alone', async (t) => {
  const table = new ReplayTable();
  for (let sender = 0; sender < Replay.Windows + 100; sender++) table.mark(1, sender, 1000, 64);
  table.mark(2, 7, 50, 64);
  table.clearSa(1);
  t.equal(table.mark(1, 7, 1, 64), Mark.Fresh as number, 'a new SA begins at 1, on every floor');
  t.equal(table.mark(2, 7, 50, 64), Mark.Seen as number);
});
