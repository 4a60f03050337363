// compile/qos.ts: the rows that policies become, by hand.

import t from 'tap';
import { compileQos, type QosRows } from '../../../../control/compile/qos.js';
import { parseConfig } from '../../../../control/config/parse.js';
import { Cap } from '../../../../dataplane/tables/layout.js';
import { QosAction, QosCap, QosClass, QosCurve, QosDirection, QosRed, QosUse } from '../../../../dataplane/tables/layout-qos.js';

const head = `interface eth0
 bandwidth 10000
 service-policy output OUT
class-map VOICE
 match dscp ef
class-map BUSINESS
 match protocol secure-http
`;

function compile(text: string): QosRows {
  const { config, problems } = parseConfig(head + text);
  t.strictSame(problems, []);
  return compileQos({ config, portOf: () => 3, addAces: () => ({ first: 0, count: 0 }) });
}

const classRow = ({ classes }: QosRows, n: number): number[] => classes.slice(n * QosClass.Words, (n + 1) * QosClass.Words);
const rate = (row: number[], at: number): number => row[at] * 2 ** 32 + (row[at + 1] >>> 0);

t.test('the case of the issue: a shaper, and below it voice, business and the rest', (t) => {
  const rows = compile(`policy-map OUT
 class class-default
  shape average 8000000 32000 0
  service-policy CHILD
policy-map CHILD
 class VOICE
  priority 1000
 class BUSINESS
  bandwidth percent 50
 class class-default
  fair-queue
`);
  t.strictSame(
    rows.origins.map((origin) => `${origin.interface} ${origin.direction} ${origin.policy} ${origin.class}`),
    ['OUT class-default', 'CHILD VOICE', 'CHILD BUSINESS', 'CHILD class-default'].map((name) => `eth0 output ${name}`),
  );
  const use = (3 * 2 + QosDirection.Output) * QosUse.Words;
  t.strictSame(rows.uses.slice(use, use + QosUse.Words), [~0, 0, 1, 0, 1_250_000, 1], 'all is class-default');
  t.ok(rows.uses.every((word, at) => (at >= use && at < use + QosUse.Words) || word === 0));
  const [parent, voice, business, rest] = [0, 1, 2, 3].map((n) => classRow(rows, n));
  t.equal(rate(parent, QosClass.ShapeHigh), 1_000_000);
  t.equal(parent[QosClass.ShapeBurst], 4000);
  t.strictSame([parent[QosClass.ChildFirst], parent[QosClass.ChildCount], parent[QosClass.Parent]], [1, 3, -1]);
  t.ok(parent[QosClass.ChildStart] >= 0, 'the child asks something');
  t.strictSame(
    [voice, business, rest].map((row) => row[QosClass.Parent]),
    [0, 0, 0],
  );
  t.strictSame(
    [voice, business, rest].map((row) => row[QosClass.Queue]),
    [1, 2, 3],
  );
  t.strictSame([voice[QosClass.Priority], rate(voice, QosClass.PriorityHigh), voice[QosClass.PriorityBurst]], [1, 125_000, 25_000]);
  t.strictSame(
    [voice, business, rest].map((row) => row[QosClass.LimitPackets]),
    [512, 64, 64],
  );
  // Of 8 Mbit/s: 1 for voice, 4 promised to business, 3 left.
  t.strictSame(
    [business, rest].map((row) => row[QosClass.Quantum]),
    [1500, 1125],
  );
  t.strictSame([business[QosClass.Flows], rest[QosClass.Flows]], [0, QosCap.Flows]);
  t.end();
});

t.test('marks, police, the queue of a class that asks for none', (t) => {
  const rows = compile(`policy-map OUT
 class VOICE
  set precedence 5
  police cir 80000 bc 2000 pir 160000 be 4000 conform-action set-dscp-transmit ef exceed-action set-qos-transmit 7 violate-action drop
 class BUSINESS
  police 16000
  set qos-group 3
`);
  const [voice, business, rest] = [0, 1, 2].map((n) => classRow(rows, n));
  t.strictSame([voice[QosClass.TosKeep], voice[QosClass.TosSet], voice[QosClass.Group]], [0x1f, 0xa0, -1]);
  t.strictSame(
    [rate(voice, QosClass.CirHigh), voice[QosClass.CommittedBurst], rate(voice, QosClass.PirHigh), voice[QosClass.ExcessBurst]],
    [10_000, 2000, 20_000, 4000],
  );
  t.strictSame(voice.slice(QosClass.Actions, QosClass.Actions + 3 * QosAction.Words), [0, 3, 46 << 2, -1, 0, 0xff, 0, 7, 1, 0xff, 0, -1]);
  t.strictSame([rate(business, QosClass.CirHigh), rate(business, QosClass.PirHigh), business[QosClass.ExcessBurst]], [2000, 0, 0]);
  t.equal(business[QosClass.CommittedBurst], 1500, '250 ms are 500 bytes: at least a packet');
  t.strictSame(business.slice(QosClass.Actions, QosClass.Actions + 3 * QosAction.Words), [0, 0xff, 0, -1, 1, 0xff, 0, -1, 1, 0xff, 0, -1]);
  t.strictSame([business[QosClass.TosKeep], business[QosClass.Group]], [0xff, 3]);
  t.strictSame(
    [voice, business, rest].map((row) => row[QosClass.Queue]),
    [2, 2, 2],
  );
  t.equal(rate(rest, QosClass.CirHigh), 0);
  t.end();
});

t.test('shares in each unit; random-detect; limits in bytes and ms', (t) => {
  const quanta = (voice: string, business: string, rest = ''): number[] => {
    const rows = compile(`policy-map OUT\n class VOICE\n  ${voice}\n class BUSINESS\n  ${business}\n class class-default\n${rest}`);
    return [0, 1, 2].map((n) => classRow(rows, n)[QosClass.Quantum]);
  };
  t.strictSame(quanta('bandwidth percent 50', 'bandwidth percent 30'), [1500, 900, 600]);
  t.strictSame(quanta('bandwidth 5000', 'bandwidth 2500'), [1500, 750, 750]);
  t.strictSame(
    quanta('bandwidth remaining percent 60', 'bandwidth remaining percent 40'),
    [1500, 1000, 25],
    'nothing is left: a hundredth',
  );
  t.strictSame(quanta('bandwidth remaining ratio 10', 'bandwidth remaining ratio 5'), [1500, 750, 150]);
  t.strictSame(quanta('bandwidth percent 50', 'bandwidth percent 30', '  bandwidth percent 20'), [1500, 900, 600]);
  const rows = compile(`policy-map OUT
 class VOICE
  bandwidth 2000
  queue-limit 50 ms
  random-detect dscp-based
  random-detect dscp ef 5 10 2
  random-detect ecn
  random-detect exponential-weighting-constant 4
 class BUSINESS
  bandwidth 2000
  queue-limit 9000 bytes
  random-detect
`);
  const [voice, business, rest] = [0, 1, 2].map((n) => classRow(rows, n));
  t.strictSame(
    [voice, business, rest].map((row) => [row[QosClass.LimitPackets], row[QosClass.LimitBytes]]),
    [
      [0, 12_500],
      [0, 9000],
      [64, 0],
    ],
  );
  t.strictSame(
    [voice, business, rest].map((row) => row[QosClass.Red]),
    [0, 1, -1],
  );
  t.strictSame(rows.reds.slice(0, QosRed.Curves), [4, 1, 6000]);
  const curve = (red: number, dscp: number) => {
    const at = red * QosRed.Words + QosRed.Curves + dscp * QosCurve.Words;
    return rows.reds.slice(at, at + QosCurve.Words);
  };
  t.strictSame(
    [curve(0, 46), curve(0, 10), curve(1, 46)],
    [
      [5, 10, 2],
      [32, 40, 10],
      [31, 40, 10],
    ],
  );
  t.equal(rows.reds.length, 2 * QosRed.Words);
  t.end();
});

t.test('more than the tables hold is said, and nothing is cut off', (t) => {
  const many = Array.from({ length: QosCap.Classes }, (_, n) => `class-map C${n}\n match dscp 1\n`).join('');
  const policy = `policy-map OUT\n${Array.from({ length: QosCap.Classes }, (_, n) => ` class C${n}\n`).join('')}`;
  t.throws(() => compile(many + policy), { message: `more than ${QosCap.Classes} classes, where policies use them` });
  // Each contains the one before it twice.
  const nested = (lowest: string) =>
    Array.from({ length: 60 }, (_, n) =>
      n === 0
        ? `class-map match-any N0\n${lowest}`
        : `class-map match-any N${n}\n match class-map N${n - 1}\n match not class-map N${n - 1}\n`,
    ).join('');
  for (const [lowest, top] of [
    [' match dscp 1\n', 'N12'],
    [' match any\n', 'N59'],
  ])
    t.throws(() => compile(`${nested(lowest)}policy-map OUT\n class ${top}\n`), { message: /^more than 2048 matches/ }, lowest);
  t.equal(Cap.Ports, 16, 'uses are two for each port');
  t.end();
});
