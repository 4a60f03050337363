// Queues of a port against plain lists: no packet is lost, doubled or out of its queue's order; priority is strict; nothing waits that might leave;
// shares are those of the quanta, shapers hold on every level.

import fc from 'fast-check';
import t from 'tap';
import { Clock } from '../../../../dataplane/mem/clock.js';
import { Queue, Queues } from '../../../../dataplane/mem/queues.js';

const Slots = 2048;
const [Root, FirstClass, FirstFlow] = [0, 1, 8];

interface Shape {
  /** Of each class: 0 = by deficit. */
  priorities: number[];
  quanta: number[];
  /** Flows below the last class; 0 = it is a leaf. */
  flows: number;
}

/** One port: a root, its classes, and flows below the last of them. @returns the leaves */
function plant(queues: Queues, { priorities, quanta, flows }: Shape): number[] {
  queues.adopt(Root, FirstClass, priorities.length);
  priorities.forEach((priority, n) => {
    queues.rows[(FirstClass + n) * Queue.Words + Queue.Priority] = priority;
    queues.rows[(FirstClass + n) * Queue.Words + Queue.Quantum] = quanta[n];
  });
  const classes = priorities.map((_, n) => FirstClass + n);
  if (flows === 0) return classes;
  const last = classes.pop()!;
  queues.adopt(last, FirstFlow, flows);
  return [...classes, ...Array.from({ length: flows }, (_, n) => FirstFlow + n)];
}

const shape: fc.Arbitrary<Shape> = fc
  .record({
    classes: fc.array(fc.record({ priority: fc.constantFrom(0, 0, 0, 1, 2), quantum: fc.integer({ min: 1, max: 1500 }) }), {
      minLength: 1,
      maxLength: 6,
    }),
    flows: fc.nat(8),
  })
  .map(({ classes, flows }) => ({ priorities: classes.map((c) => c.priority), quanta: classes.map((c) => c.quantum), flows }));

t.test('any order of coming and going: first in first out in each queue, strict priority, work-conserving', (t) => {
  const step = fc.oneof(fc.record({ leaf: fc.nat(20), bytes: fc.integer({ min: 20, max: 1856 }) }), fc.constant(null));
  fc.assert(
    fc.property(shape, fc.array(step, { maxLength: 300 }), (shaped, steps) => {
      const len = new Int32Array(Slots);
      const queues = new Queues(32, 2, len, new Float64Array(Clock.Count));
      const leaves = plant(queues, shaped);
      const model = new Map<number, number[]>(leaves.map((leaf) => [leaf, []]));
      const priorityOf = (leaf: number) => queues.rows[leaf * Queue.Words + Queue.Priority] || 9;
      let next = 0;
      // A flow's priority is that of the class it is in.
      const level = (leaf: number) => (leaf >= FirstFlow ? priorityOf(queues.rows[leaf * Queue.Words + Queue.Parent]) : priorityOf(leaf));
      const leave = (): number => {
        const id = queues.dequeue(Root);
        const waiting = leaves.filter((leaf) => model.get(leaf)!.length > 0);
        if (id < 0) {
          if (waiting.length > 0) throw new Error('packets wait, and none leaves');
          return id;
        }
        const from = leaves.find((leaf) => model.get(leaf)![0] === id);
        if (from === undefined) throw new Error(`${id} is first in no queue`);
        const best = Math.min(...waiting.map(level));
        if (level(from) !== best) throw new Error(`level ${level(from)} left before ${best}`);
        model.get(from)!.shift();
        return id;
      };
      for (const item of steps) {
        if (item) {
          const leaf = leaves[item.leaf % leaves.length];
          len[next] = item.bytes;
          queues.enqueue(leaf, next);
          model.get(leaf)!.push(next++);
        } else leave();
        const packets = [...model.values()].reduce((sum, list) => sum + list.length, 0);
        if (queues.rows[Root * Queue.Words + Queue.Packets] !== packets) throw new Error('packets of the root');
      }
      while (leave() >= 0);
      for (let node = 0; node < 32; node++)
        if (queues.rows[node * Queue.Words + Queue.Packets] !== 0 || queues.rows[node * Queue.Words + Queue.Bytes] !== 0)
          throw new Error(`node ${node} is empty and counts something`);
    }),
    { numRuns: 400 },
  );
  t.pass('held for every order tried');
  t.end();
});

t.test('queues that always have something get bytes as their quanta are, whatever their packets', (t) => {
  const member = fc.record({
    quantum: fc.integer({ min: 50, max: 1500 }),
    sizes: fc.array(fc.integer({ min: 40, max: 1500 }), { minLength: 1, maxLength: 5 }),
  });
  fc.assert(
    fc.property(fc.array(member, { minLength: 2, maxLength: 6 }), (members) => {
      const len = new Int32Array(Slots);
      const queues = new Queues(32, 1, len, new Float64Array(Clock.Count));
      plant(queues, { priorities: members.map(() => 0), quanta: members.map(({ quantum }) => quantum), flows: 0 });
      const free = Array.from({ length: Slots }, (_, id) => id);
      const turn = members.map(() => 0);
      const owner = new Int32Array(Slots);
      const fill = (n: number) => {
        const id = free.pop()!;
        const { sizes } = members[n];
        len[id] = sizes[turn[n]++ % sizes.length];
        owner[id] = n;
        queues.enqueue(FirstClass + n, id);
      };
      members.forEach((_, n) => {
        fill(n);
        fill(n);
      });
      const sent = members.map(() => 0);
      for (let i = 0; i < 3000; i++) {
        const id = queues.dequeue(Root);
        sent[owner[id]] += len[id];
        free.push(id);
        fill(owner[id]);
        // At any time: what one is ahead of another is a round and two packets (Shreedhar and Varghese 1996, lemma 2), in rounds.
        const rounds = sent.map((bytes, n) => bytes / members[n].quantum);
        const slack = Math.max(...members.map(({ quantum }) => 1 + 1500 / quantum));
        if (Math.max(...rounds) - Math.min(...rounds) > slack + 1) throw new Error(`${rounds} after ${i} packets`);
      }
    }),
    { numRuns: 60 },
  );
  t.pass('held for every mix tried');
  t.end();
});

t.test('shapers hold on both levels; what one leaves others take; the wait it tells is right', (t) => {
  const len = new Int32Array(Slots);
  const clock = new Float64Array(Clock.Count);
  const queues = new Queues(32, 3, len, clock);
  plant(queues, { priorities: [0, 0], quanta: [1500, 1500], flows: 0 });
  const [all, one] = [1_250_000, 250_000];
  queues.shape(Root, 0, all, 5000);
  queues.shape(FirstClass, 1, one, 2000);
  const free = Array.from({ length: Slots }, (_, id) => id);
  const owner = new Int32Array(Slots);
  const fill = (n: number) => {
    const id = free.pop()!;
    len[id] = 1000;
    owner[id] = n;
    queues.enqueue(FirstClass + n, id);
  };
  for (const n of [0, 0, 1, 1]) fill(n);
  const sent = [0, 0];
  while (clock[Clock.Us] < 10_000_000) {
    const id = queues.dequeue(Root);
    if (id < 0) {
      const [wait] = queues.waitUs;
      if (!(wait > 0 && wait < 10_000)) throw new Error(`wait of ${wait} us`);
      clock[Clock.Us] += wait;
      continue;
    }
    sent[owner[id]] += len[id];
    free.push(id);
    fill(owner[id]);
  }
  const within = (bytes: number, rate: number) => Math.abs(bytes - rate * 10) <= 0.001 * rate * 10 + 7000;
  t.ok(within(sent[0], one), `${sent[0]} bytes of the shaped class in 10 s`);
  t.ok(within(sent[0] + sent[1], all), `${sent[0] + sent[1]} bytes in all in 10 s`);
  t.end();
});

t.test('limits: of a leaf, of the group above it, in bytes; an empty queue takes any packet', (t) => {
  const len = new Int32Array(Slots).fill(1000);
  const queues = new Queues(32, 1, len, new Float64Array(Clock.Count));
  const [, flow, other] = plant(queues, { priorities: [0, 0], quanta: [1500, 1500], flows: 2 });
  queues.rows[FirstClass * Queue.Words + Queue.LimitBytes] = 500;
  queues.rows[flow * Queue.Words + Queue.LimitPackets] = 2;
  queues.rows[(FirstClass + 1) * Queue.Words + Queue.LimitPackets] = 3;
  t.equal(queues.isFull(FirstClass, 1000), false);
  queues.enqueue(FirstClass, 0);
  t.equal(queues.isFull(FirstClass, 1), true, 'bytes');
  for (const id of [1, 2]) queues.enqueue(flow, id);
  t.equal(queues.isFull(flow, 1), true, 'its own');
  t.equal(queues.isFull(other, 1), false);
  queues.enqueue(other, 3);
  t.equal(queues.isFull(other, 1), true, 'of the group');
  queues.dequeue(Root);
  queues.dequeue(Root);
  t.equal(queues.isFull(other, 1), false);
  t.end();
});
