// class-map, policy-map and where they are used: what each line does to the model, its `no`, and the lines that are refused.

import t from 'tap';
import { parseConfig } from '../../../../../control/config/parse.js';
import { printConfig } from '../../../../../control/config/print.js';

const messages = (text: string): string[] => parseConfig(text).problems.map(({ line, message }) => `${line} ${message}`);
const printed = (text: string): string => printConfig(parseConfig(text).config, { secrets: true });

t.test('match lines, abbreviated and not', (t) => {
  const { config, problems } = parseConfig(`class-map match-any C
 match access-group 101
 match not access-group name VOICE
 match ip dscp ef af41 40
 match precedence critical
 match protocol http
 match packet length min 100
 match packet length max 64
 match packet length min 100 max 200
 match qos-group 5
 match class-map D
 match any
 match any
 description calls`);
  t.strictSame(problems, []);
  t.match(config.classMaps.get('C'), {
    match: 'any',
    description: 'calls',
    matches: [
      { not: false, kind: 'access-group', list: '101' },
      { not: true, kind: 'access-group', list: 'VOICE' },
      { not: false, kind: 'dscp', ip: true, values: [34, 40, 46] },
      { not: false, kind: 'precedence', ip: false, values: [5] },
      { kind: 'protocol', name: 'http' },
      { kind: 'packet-length', least: 100, most: 2000 },
      { kind: 'packet-length', least: 1, most: 64 },
      { kind: 'packet-length', least: 100, most: 200 },
      { kind: 'qos-group', group: 5 },
      { kind: 'class-map', name: 'D' },
      { kind: 'any' },
    ],
  });
  t.equal(config.classMaps.get('C')?.matches.length, 11, 'the same match again adds nothing');
  t.end();
});

t.test('match-all is the default; the kind can change, and what it keeps goes with it; no', (t) => {
  const text = 'class-map C\n match dscp 1\n foo bar\nclass-map match-any C\n no match dscp 1\n no match any';
  const { config, problems } = parseConfig(text);
  const kept = config.classMaps.get('C');
  t.same([kept?.match, kept?.matches], ['any', []]);
  t.match(problems, [{ line: 3 }, { line: 6, message: /match any is not configured/ }]);
  t.match(printed(text), 'class-map match-any C\n foo bar\n');
  t.equal(parseConfig(`${text}\nno class-map C`).config.classMaps.size, 0);
  t.strictSame(parseConfig(`${text}\nno class-map C`).config.unknownLines, []);
  t.end();
});

t.test('police in one line, and in lines below it', (t) => {
  const one = `policy-map P
 class C
  police 1000000 31250 62500 conform-action transmit exceed-action set-dscp-transmit af13 violate-action drop
 class D
  police cir percent 20 bc 100 ms pir percent 40 be 200 ms
   conform-action set-prec-transmit 3
   exceed-action set-qos-transmit 7
`;
  const { config, problems } = parseConfig(one);
  t.strictSame(problems, []);
  t.match(
    config.policyMaps.get('P')?.classes.map(({ police }) => police),
    [
      {
        cir: { bps: 1_000_000 },
        bc: { bytes: 31_250 },
        be: { bytes: 62_500 },
        actions: { conform: { kind: 'transmit' }, exceed: { kind: 'set-dscp-transmit', value: 14 }, violate: { kind: 'drop' } },
      },
      {
        cir: { percent: 20 },
        pir: { percent: 40 },
        bc: { ms: 100 },
        be: { ms: 200 },
        actions: { conform: { kind: 'set-prec-transmit', value: 3 }, exceed: { kind: 'set-qos-transmit', value: 7 } },
      },
    ],
  );
  t.match(
    printed(one),
    '  police cir 1000000 bc 31250 be 62500\n   conform-action transmit\n   exceed-action set-dscp-transmit af13\n   violate-action drop\n',
  );
  t.strictSame(messages('policy-map P\n class C\n  police 8000\n   conform-action drop\n   conform-action transmit'), [
    '5 conform-action is drop already: there is one action for each colour',
  ]);
  t.strictSame(messages('policy-map P\n class C\n  police cir 80000 pir 8000'), ['3 pir is below cir']);
  t.strictSame(messages('policy-map P\n class C\n  police cir 80000 pir percent 90'), [
    '3 cir and pir are both in bits a second, or both in percent',
  ]);
  const removed = parseConfig(`${one}   bar\n no class C\n class D\n  no police`);
  t.strictSame(
    removed.config.policyMaps.get('P')?.classes.map((item) => Object.keys(item)),
    [['line', 'name']],
  );
  t.strictSame(removed.config.unknownLines, []);
  t.end();
});

t.test('queues', (t) => {
  const { config, problems } = parseConfig(`policy-map P
 class A
  priority 1000 25000
 class B
  priority level 2 percent 10
 class C
  bandwidth remaining ratio 3
  queue-limit 50 ms
  random-detect
  random-detect ecn
  random-detect precedence 3 20 40 7
 class class-default
  shape average 1000000 8000 0
  service-policy Q`);
  t.strictSame(problems, []);
  t.match(config.policyMaps.get('P')?.classes, [
    { priority: { rate: { kbps: 1000 }, burstBytes: 25_000 } },
    { priority: { level: 2, rate: { percent: 10 } } },
    {
      bandwidth: { remainingRatio: 3 },
      queueLimit: { value: 50, unit: 'ms' },
      randomDetect: { by: 'precedence', ecn: true, thresholds: new Map([[3, { least: 20, most: 40, markDenominator: 7 }]]) },
    },
    { shape: { rate: { bps: 1_000_000 }, bc: 8000, be: 0 }, servicePolicy: 'Q' },
  ]);
  t.end();
});

t.test('marks: dscp and precedence are the same bits, the last counts', (t) => {
  const text = 'policy-map P\n class C\n  set dscp ef\n  set ip precedence 3\n  set qos-group 9';
  t.strictSame(parseConfig(text).config.policyMaps.get('P')?.classes[0].set, { precedence: 3, qosGroup: 9 });
  t.strictSame(parseConfig(`${text}\n  no set precedence\n  no set qos-group`).config.policyMaps.get('P')?.classes[0].set, undefined);
  t.end();
});

t.test('where it is used', (t) => {
  const text = `crypto map M 10 gdoi
 set group G
 qos pre-classify
interface Tunnel0
 qos pre-classify
 service-policy input IN
 service-policy output OUT
`;
  const { config, problems } = parseConfig(text);
  t.strictSame(problems, []);
  t.equal(config.cryptoMaps.get('M')?.[0].qosPreClassify, true);
  t.match(config.interfaces.get('Tunnel0'), { tunnel: { qosPreClassify: true }, servicePolicyIn: 'IN', servicePolicyOut: 'OUT' });
  const without = parseConfig(`${text} no service-policy input\n no service-policy output OUT\n no qos pre-classify`);
  t.strictSame(without.problems, []);
  t.equal(without.config.interfaces.get('Tunnel0')?.tunnel?.qosPreClassify, undefined);
  t.equal(without.config.interfaces.get('Tunnel0')?.servicePolicyIn, undefined);
  t.strictSame(
    messages('interface eth0\n qos pre-classify\n service-policy output A\n service-policy output B\n no service-policy input'),
    [
      '2 eth0 is no tunnel: nothing encapsulates its packets',
      '4 Policy map A is already attached',
      '5 service-policy input is not configured: nothing to remove',
    ],
  );
  t.end();
});

t.test('refused where it is written', (t) => {
  const inClass = (line: string): string[] => messages(`policy-map P\n class C\n  ${line}`);
  for (const line of [
    'shape average 0',
    'bandwidth 0',
    'priority 0',
    'police 0',
    'police cir 0',
    'bandwidth percent 101',
    'priority level 3',
  ])
    t.match(inClass(line), [/^3 % Invalid input detected/], line);
  for (const [line, message] of [
    ['shape peak 1000000', 'shape peak is not supported'],
    ['set cos 5', 'set cos is not supported'],
    ['drop', 'drop is not supported'],
    ['police 8000 conform-action set-cos-transmit 3', 'conform-action set-cos-transmit is not supported'],
    ['random-detect ecn', 'random-detect is not configured in this class'],
    ['random-detect dscp ef 40 20', 'random-detect is not configured in this class'],
  ])
    t.strictSame(inClass(line), [`3 ${message}`]);
  t.strictSame(inClass('random-detect\n  random-detect dscp ef 20 40'), ['4 random-detect is precedence-based in this class']);
  t.strictSame(inClass('random-detect dscp-based\n  random-detect dscp ef 40 20'), [
    '4 random-detect dscp: the maximum threshold 20 is not above the minimum 40',
  ]);
  t.strictSame(messages('class-map C\n match protocol rtp\n match cos 5\n match class-map C\n match packet length min 9 max 8'), [
    '2 match protocol rtp is not supported: payloads are not looked into',
    '3 match cos is not supported',
    '4 class-map C cannot contain itself',
    '5 match packet length 9 8: the minimum is above the maximum',
  ]);
  t.strictSame(messages('class-map class-default'), ['1 class-default is in every policy-map: it has what no other class has']);
  t.end();
});
