// show policy-map interface: against a published output, by hand with counters, and what /metrics says of the same.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { renderShow } from '../../../../cli/show/index.js';
import { renderMetrics } from '../../../../control/api/metric-text.js';
import { RateMeter } from '../../../../control/api/rates.js';
import { compileQos } from '../../../../control/compile/qos.js';
import { type ExecCommand, parseExec } from '../../../../control/config/exec.js';
import { parseConfig } from '../../../../control/config/parse.js';
import { policyInterfaceStates, sampleQosRates } from '../../../../control/snapshot/qos-interfaces.js';
import { QosCount, RedCount } from '../../../../dataplane/counters/declare.js';
import type { SnapshotHead } from '../../../../dataplane/tables/message.js';
import { emptySnapshot } from './sample.js';

const folder = resolve(dirname(fileURLToPath(import.meta.url)), '../../../../..', '../shared/cisco-show');
const skip = existsSync(folder) ? false : `published outputs are not at ${folder}`;

type Fill = (counted: SnapshotHead['qos'], rowOf: (name: string) => number) => void;

/** A snapshot of a router with this configuration whose classes have counted. */
function snapshotOf(text: string, fill: Fill = () => undefined) {
  const { config, problems } = parseConfig(text);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  const rows = compileQos({ config, portOf: () => 1, addAces: () => ({ first: 0, count: 0 }) });
  const counted: SnapshotHead['qos'] = {
    classes: rows.origins.map(() => new Array<number>(QosCount.Count).fill(0)),
    waits: rows.origins.map(() => []),
    reds: Array.from({ length: 64 * 64 }, () => new Array<number>(RedCount.Count).fill(0)),
  };
  const rates = new RateMeter();
  sampleQosRates(rates, rows.origins, counted, 0);
  fill(counted, (name) => rows.origins.map((origin) => origin.class).lastIndexOf(name));
  sampleQosRates(rates, rows.origins, counted, 300_000);
  const source = { config, origins: rows.origins, classes: Int32Array.from(rows.classes), counted, rates };
  return { ...emptySnapshot(), policyInterfaces: policyInterfaceStates(source, () => true) };
}

function render(words: string, text: string, fill?: Fill): string {
  const command = parseExec(`show ${words}`);
  if ('error' in command) throw new Error(`${words}: ${command.error}`);
  const { pipe, ...topic } = command as Extract<ExecCommand, { kind: 'show' }>;
  return renderShow(topic, pipe, snapshotOf(text, fill));
}

/** The words of a page, without what we have not (cos) and what is wrapped or rounded on it. */
function wordsOf(page: string): string[] {
  return page
    .replace(/\(ef|ef \n\(46\)/g, 'ef (46)')
    .split('\n')
    .map((line) => line.trim().replace(/\s+/g, ' '))
    .map((line) => line.replace(/^30 second|^5 minute/, 'N minutes').replace(/Tail\/Flow drop/, 'Tail drop'))
    .filter((line) => line !== '' && !/^(QoS Set|cos|Packets marked|Priority:|0$)|pkts\/bytes pkts/.test(line));
}

t.test('published', { skip }, (t) => {
  const red = ' random-detect dscp-based\n';
  const lines = (dscps: string) =>
    dscps
      .split(' ')
      .map((name) => `  random-detect dscp ${name} 24 40 10\n`)
      .join('');
  const name = (short: string) => `${short}-XYZ123123123`;
  const text = `ip access-list extended NETWORK-CONTROL-XYZ123123123
 permit ip any any
class-map match-any ${name('network-control')}
 match access-group name NETWORK-CONTROL-XYZ123123123
class-map match-any ${name('realtime')}
 match ip dscp cs4 af41 af42 af43 cs5 ef
class-map match-any ${name('interactive3')}
 match ip dscp cs3 af31 af32 af33
class-map match-any ${name('interactive21')}
 match ip dscp cs2 af21 af22 af23
class-map match-any ${name('besteffort')}
 match ip dscp cs1
policy-map ABC-DEF-OPQ-RST-DYNAMIC5-XYZ123123123
 class ${name('network-control')}
  bandwidth percent 1
 ${red}${lines('cs3')} class ${name('realtime')}
  priority percent 30
 class ${name('interactive3')}
  bandwidth percent 5
 ${red}${lines('cs3 af31 af32 af33')} class ${name('interactive21')}
  bandwidth percent 5
 ${red}${lines('cs2 af21 af22 af23')} class ${name('besteffort')}
  bandwidth percent 1
 ${red} class class-default
  bandwidth percent 58
  fair-queue
 ${red}${lines('default af11 af12 af13 cs6 cs7')}policy-map ABC-DEF-GHI-JKL-MNO123123123
 class class-default
  queue-limit 68 packets
  shape average 99872000 399488 399488
  service-policy ABC-DEF-OPQ-RST-DYNAMIC5-XYZ123123123
interface GigabitEthernet0/0/0
 service-policy output ABC-DEF-GHI-JKL-MNO123123123
`;
  const published = wordsOf(readFileSync(join(folder, 'show_policy-map_interface.txt'), 'utf8').split('GigabitEthernet4.1')[0]);
  const shown = wordsOf(render('policy-map interface', text));
  t.equal(shown.shift(), 'GigabitEthernet0/0/0');
  published.shift();
  const sortRed = (list: string[]) =>
    list.map((line) => line.replace(/^(default|[ac][fs]\d+) 0\/0 0\/0 0\/0 24 40 1\/10$/, 'a row of random-detect'));
  t.strictSame(sortRed(shown), sortRed(published));
  t.end();
});

const text = `class-map VOICE
 match dscp ef
class-map BULK
 match dscp af11
policy-map CHILD
 class VOICE
  priority 1000
 class BULK
  bandwidth percent 50
  random-detect dscp-based
  random-detect ecn
  set dscp af12
 class class-default
  fair-queue
policy-map SHAPE
 class class-default
  shape average 10000000
  service-policy CHILD
policy-map IN
 class BULK
  police 8000 2000 4000 conform-action transmit exceed-action set-dscp-transmit 0 violate-action drop
interface GigabitEthernet0/1
 service-policy input IN
 service-policy output SHAPE
`;

const fill: Fill = ({ classes, waits, reds }, rowOf) => {
  const set = (row: number, values: Partial<Record<number, number>>): void => {
    for (const [at, value] of Object.entries(values)) classes[row][Number(at)] = value ?? 0;
  };
  const voice = rowOf('VOICE');
  set(voice, {
    [QosCount.OfferedPackets]: 1000,
    [QosCount.OfferedBytes]: 200_000,
    [QosCount.SentPackets]: 990,
    [QosCount.SentBytes]: 198_000,
  });
  set(voice, { [QosCount.OverRatePackets]: 10, [QosCount.OverRateBytes]: 2000 });
  waits[voice] = [...new Array<number>(24).fill(0), 980, 0, 0, 0, 10];
  const shaped = rowOf('VOICE') + 1; // BULK of CHILD
  set(shaped, { [QosCount.OfferedPackets]: 9, [QosCount.SentPackets]: 5, [QosCount.SentBytes]: 5000, [QosCount.RandomDropPackets]: 1 });
  set(shaped, { [QosCount.TailDropPackets]: 2, [QosCount.Marked]: 9, [QosCount.MeanQueue]: 3.4 });
  reds[12][RedCount.SentPackets] = 5;
  reds[12][RedCount.SentBytes] = 5000;
};

t.test('by hand', (t) => {
  const shown = render('policy-map interface GigabitEthernet0/1 output', text, fill);
  for (const part of [
    'GigabitEthernet0/1\n\n  Service-policy output: SHAPE\n\n    Class-map: class-default (match-any)\n      0 packets, 0 bytes\n',
    '      shape (average) cir 10000000, bc 40000, be 40000\n      target shape rate 10000000\n\n      Service-policy : CHILD\n\n',
    '        queue stats for all priority classes:\n          Queueing\n          queue limit 512 packets\n          (queue depth/total drops/no-buffer drops) 0/10/0\n          (pkts output/bytes output) 990/198000\n',
    '        Class-map: VOICE (match-all)\n          1000 packets, 200000 bytes\n          5 minute offered rate 3000 bps, drop rate 0034 bps\n          Match: dscp ef (46)\n          Priority: 1000 kbps, burst bytes 25000, b/w exceed drops: 10\n          (time in queue p50/p99) 160/320 us\n',
    '          (queue depth/total drops/no-buffer drops) 1/3/0\n          (pkts output/bytes output) 5/5000\n          bandwidth 50% (5000 kbps)\n            Exp-weight-constant: 9 (1/512)\n            Mean queue depth: 3 packets\n            explicit congestion notification\n',
    '          QoS Set\n            dscp af12\n              Packets marked 9\n',
    '          Fair-queue: per-flow queue limit 16 packets\n',
  ])
    t.ok(shown.includes(part), part);
  t.match(shown, /af12 +5\/5000 +0\/0 +0\/0 +28 +40 +1\/10 +0\/0\n/);
  t.notMatch(shown, /input/);
  const police = render('policy-map interface GigabitEthernet0/1 input class BULK', text);
  t.match(
    police,
    / {6}police:\n {10}cir 8000 bps, bc 2000 bytes, be 4000 bytes\n {8}conformed 0 packets, 0 bytes; actions:\n {10}transmit\n/,
  );
  t.match(police, /violated 0 packets, 0 bytes; actions:\n {10}drop\n/);
  t.notMatch(police, /class-default/);
  t.throws(() => render('policy-map interface GigabitEthernet0/7', text), /does not exist/, 'one that is not there');
  t.match(JSON.parse(render('policy-map interface | json', text)), {
    policyInterfaces: [{ direction: 'input' }, { direction: 'output', policy: { name: 'SHAPE' } }],
  });
  t.end();
});

t.test('/metrics', async (t) => {
  const metrics = await renderMetrics(snapshotOf(text, fill));
  const labels = 'interface="GigabitEthernet0/1",direction="output",policy="CHILD",parent="class-default",class="VOICE"';
  for (const line of [
    `groupwire_qos_offered_packets_total{${labels},instance=`,
    `groupwire_qos_wait_seconds_bucket{${labels},le="+Inf",instance=`,
    `groupwire_qos_wait_p99_seconds{${labels},instance=`,
    `groupwire_qos_wait_seconds_count{${labels},instance=`,
  ])
    t.ok(metrics.includes(line), line);
  t.match(metrics, /qos_dropped_packets_total\{[^}]*class="VOICE",reason="over_rate"[^}]*\} 10\n/);
  t.match(metrics, /qos_wait_seconds_bucket\{[^}]*class="VOICE",le="0.000128"[^}]*\} 0\n/);
  t.match(metrics, /qos_wait_seconds_bucket\{[^}]*class="VOICE",le="0.000256"[^}]*\} 980\n/);
});
