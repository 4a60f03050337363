// Configurations -> rows -> queues, with simulated time: what the issue promises of shares, of voice beside bulk traffic, of priority beyond its rate and
// of random early detection, before any device is there.

import t from 'tap';
import { compileQos } from '../../../../control/compile/qos.js';
import { parseConfig } from '../../../../control/config/parse.js';
import { Clock } from '../../../../dataplane/mem/clock.js';
import { QosQueues, QosVerdict } from '../../../../dataplane/mem/qos-queues.js';
import { Queue } from '../../../../dataplane/mem/queues.js';
import { RedChances } from '../../../../dataplane/proto/red.js';

const Slots = 4096;
const Port = 2;
const classMaps = ['A', 'B', 'C', 'VOICE'].map((name, n) => `class-map ${name}\n match dscp ${n}\n`).join('');

/** Deterministic. */
function makeRandom(): () => number {
  let state = 0x2545f491;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % RedChances;
  };
}

interface Source {
  class: string;
  bytes: number;
  /** Bits a second that it sends. */
  bps: number;
  tos?: number;
  flow?: number;
}
interface Seen {
  offered: number;
  sent: number;
  bytes: number;
  verdicts: number[];
  /** Microseconds in the queue. */
  waits: number[];
}

/** Lets sources send for so long, in steps of 100 us, out of a port as fast as its queues let packets go. */
function simulate(policy: string, bandwidthKbps: number, sources: readonly Source[], seconds: number): { seen: Seen[]; queues: QosQueues } {
  const { config, problems } = parseConfig(
    `${classMaps}${policy}interface eth0\n bandwidth ${bandwidthKbps}\n service-policy output OUT\n`,
  );
  t.strictSame(problems, []);
  const rows = compileQos({ config, portOf: () => Port, addAces: () => ({ first: 0, count: 0 }) });
  // The innermost class of that name.
  const rowOf = (name: string): number => rows.origins.map((origin) => origin.class).lastIndexOf(name);
  const len = new Int32Array(Slots);
  const clock = new Float64Array(Clock.Count);
  const queues = new QosQueues(len, clock, makeRandom());
  queues.plant({ qosUses: Int32Array.from(rows.uses), qosClasses: Int32Array.from(rows.classes), qosReds: Int32Array.from(rows.reds) });
  const free = Array.from({ length: Slots }, (_, id) => id);
  const [from, since] = [new Int32Array(Slots), new Float64Array(Slots)];
  const seen = sources.map((): Seen => ({ offered: 0, sent: 0, bytes: 0, verdicts: [0, 0, 0, 0, 0], waits: [] }));
  const credit = sources.map(() => 0);
  for (let now = 0; now < seconds * 1e6; now += 100) {
    clock[Clock.Us] = now;
    sources.forEach(({ bps, bytes, class: name, tos = 0, flow = 0 }, n) => {
      credit[n] += (bps * 100) / 8e6;
      for (; credit[n] >= bytes; credit[n] -= bytes) {
        const id = free.pop()!;
        len[id] = bytes;
        from[id] = n;
        since[id] = now;
        const verdict = queues.offer(rowOf(name), id, tos, flow);
        seen[n].offered++;
        seen[n].verdicts[verdict]++;
        if (verdict > QosVerdict.Marked) free.push(id);
      }
    });
    for (let id = queues.take(Port); id >= 0; id = queues.take(Port)) {
      seen[from[id]].sent++;
      seen[from[id]].bytes += len[id];
      seen[from[id]].waits.push(now - since[id]);
      free.push(id);
    }
  }
  const waiting = queues.queues.rows[queues.roots[Port] * Queue.Words + Queue.Packets];
  const total = seen.reduce((sum, { offered, sent, verdicts }) => sum + offered - sent - verdicts[2] - verdicts[3] - verdicts[4], 0);
  t.equal(total, waiting, 'offered = sent + dropped + waiting');
  return { seen, queues };
}

const p99 = ({ waits }: Seen): number => [...waits].sort((a, b) => a - b)[Math.floor(waits.length * 0.99)];
const mbit = ({ bytes }: Seen, seconds: number): number => (bytes * 8) / 1e6 / seconds;

const shaped = `policy-map OUT
 class class-default
  shape average 10000000
  service-policy CHILD
policy-map CHILD
 class VOICE
  priority 1000
 class B
  bandwidth percent 50
 class class-default
  fair-queue
`;
const bulk: Source[] = [
  { class: 'B', bytes: 1500, bps: 15e6 },
  { class: 'class-default', bytes: 1500, bps: 10e6, flow: 1 },
  { class: 'class-default', bytes: 1000, bps: 5e6, flow: 2 },
];

t.test('voice beside 30 Mbit/s through a shaper of 10: none is lost, p99 under 10 ms', (t) => {
  const { seen } = simulate(shaped, 100_000, [{ class: 'VOICE', bytes: 200, bps: 64_000 }, ...bulk], 10);
  const [voice, business, first, second] = seen;
  t.strictSame(voice.verdicts, [voice.offered, 0, 0, 0, 0]);
  t.ok(p99(voice) < 10_000, `p99 of voice ${p99(voice)} us`);
  const all = seen.reduce((sum, item) => sum + mbit(item, 10), 0);
  t.ok(Math.abs(all - 10) <= 0.2, `${all} Mbit/s in all`);
  // Of 10 Mbit/s, 5 are promised to business, 4 are left beside the promise to voice.
  const share = mbit(business, 10) / (mbit(business, 10) + mbit(first, 10) + mbit(second, 10));
  t.ok(Math.abs(share - 5 / 9) < 0.03, `business has ${share}`);
  t.ok(Math.abs(mbit(first, 10) - mbit(second, 10)) < 0.1, 'flows have equal shares');
  t.end();
});

t.test('the same packets when nobody knows what they were: voice is lost in the crowd', (t) => {
  const blind = (source: Source): Source => ({ ...source, class: 'class-default', flow: 0 });
  const { seen } = simulate(shaped, 100_000, [{ class: 'VOICE', bytes: 200, bps: 64_000 }, ...bulk].map(blind), 10);
  t.ok(seen[0].sent < seen[0].offered * 0.9 || p99(seen[0]) > 10_000, `${seen[0].sent} of ${seen[0].offered}, p99 ${p99(seen[0])} us`);
  t.end();
});

const three = 'policy-map OUT\n class A\n  bandwidth percent 50\n class B\n  bandwidth percent 30\n class C\n  bandwidth percent 20\n';
const overload = (names: string[], sizes: number[]): Source[] => names.map((name, n) => ({ class: name, bytes: sizes[n], bps: 10e6 }));

t.test('50, 30 and 20 percent under overload; what an idle class leaves, the others share', (t) => {
  const { seen } = simulate(three, 10_000, overload(['A', 'B', 'C'], [1500, 400, 900]), 10);
  const all = seen.reduce((sum, { bytes }) => sum + bytes, 0);
  [50, 30, 20].forEach((wanted, n) => {
    const share = (100 * seen[n].bytes) / all;
    t.ok(Math.abs(share - wanted) < 3, `${share} percent, promised ${wanted}`);
  });
  t.ok(Math.abs((all * 8) / 1e8 - 1) < 0.02, `${(all * 8) / 1e7} Mbit/s in all`);
  const { seen: two } = simulate(three, 10_000, overload(['B', 'C'], [1500, 1500]), 10);
  const share = (100 * two[0].bytes) / (two[0].bytes + two[1].bytes);
  t.ok(Math.abs(share - 60) < 3, `${share} percent of what both have`);
  t.ok(Math.abs(mbit(two[0], 10) + mbit(two[1], 10) - 10) < 0.2);
  t.end();
});

t.test('priority beyond its rate: held to it while others wait, and not when the line is free', (t) => {
  const policy = 'policy-map OUT\n class VOICE\n  priority 2000\n';
  const fast: Source = { class: 'VOICE', bytes: 500, bps: 4e6 };
  const { seen: busy } = simulate(policy, 10_000, [fast, { class: 'class-default', bytes: 1500, bps: 20e6 }], 10);
  // And once a burst of 200 ms.
  t.ok(Math.abs(mbit(busy[0], 10) - 2.04) < 0.05, `${mbit(busy[0], 10)} Mbit/s`);
  t.ok(busy[0].verdicts[QosVerdict.OverRate] > 0);
  const { seen: alone } = simulate(policy, 10_000, [fast], 10);
  t.equal(alone[0].verdicts[QosVerdict.Queued], alone[0].offered);
  t.end();
});

t.test('random early detection: keeps the queue short; what can be marked is marked', (t) => {
  const policy = `policy-map OUT
 class A
  bandwidth percent 50
  queue-limit 200
  random-detect dscp-based
  random-detect ecn
`;
  const { seen } = simulate(
    policy,
    10_000,
    [
      { class: 'A', bytes: 1000, bps: 5.1e6 },
      { class: 'A', bytes: 1000, bps: 5.1e6, tos: 1 },
    ],
    20,
  );
  const [plain, capable] = seen;
  t.equal(plain.verdicts[QosVerdict.Marked], 0);
  t.ok(plain.verdicts[QosVerdict.Random] > 0, 'dropped by chance');
  t.ok(capable.verdicts[QosVerdict.Marked] > 0, 'marked');
  t.equal(capable.verdicts[QosVerdict.Random], 0, 'below the maximum none that can be marked is dropped');
  t.equal(plain.verdicts[QosVerdict.Full] + capable.verdicts[QosVerdict.Full], 0, 'the limit is never met');
  t.end();
});

t.test('limits: of the class and, with fair-queue, a quarter of it for a flow', (t) => {
  const policy = 'policy-map OUT\n class A\n  bandwidth percent 50\n  queue-limit 40\n  fair-queue\n';
  const { seen, queues } = simulate(policy, 8, [{ class: 'A', bytes: 1000, bps: 10e6, flow: 5 }], 0.2);
  t.equal(queues.queues.rows[queues.nodes[0] * Queue.Words + Queue.Packets], 10);
  t.equal(seen[0].verdicts[QosVerdict.Full], seen[0].offered - seen[0].sent - 10);
  t.end();
});
