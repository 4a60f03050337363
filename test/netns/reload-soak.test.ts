// Issue 9, acceptance 3: reloads under iperf3 and UDP lose nothing and leave no memory behind; a bad file changes nothing; what nobody
// confirms is rolled back. 40 reloads here; `make reload-soak` does a thousand.
//
//   h1 -- r1 --- core --- r2 -- h2        h1 -> h2, h2 -> h1 :: numbered datagrams; h2 -> h1 :: iperf3
//                 \------ r4
//   r1 :: SIGHUP, the same file; SIGHUP, two files that differ in one ACL; now and then a bad one
//   r2 :: configure replace ... time 1, and no confirmation

import { readFileSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { Lab, type Router, substitute } from '../support/lab.js';
import { backlogDrops, tellLossesSince } from '../support/losses.js';
import { until } from '../support/netns.js';
import { Flow } from '../support/traffic.js';

const reloads = Number(process.env.RELOADS ?? 40);
const half = Math.ceil(reloads / 2);
const BadEvery = 10;
/** Control's own garbage comes and goes: what counts is whether the level rises from one third of the run to the next. */
const SlackMiB = 24;

const list = `interface FastEthernet0/1
 ip access-group EDGE in
!
ip access-list extended EDGE
 10 deny tcp any any eq 9
 20 permit ip any any
!
`;
const withEntry = (text: string): string =>
  substitute(text, / 20 permit ip any any\n/, ' 15 deny tcp any host 192.0.2.9\n 20 permit ip any any\n');

const medianOf = (numbers: readonly number[]): number => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];

/** Resident memory of r1's processes, MiB. */
class Memory {
  private readonly samples = { control: [] as number[], dataplane: [] as number[] };

  constructor(private readonly lab: Lab) {}

  sample(): void {
    for (const name of ['control', 'dataplane'] as const) {
      const status = readFileSync(`/proc/${this.lab.pidOf('r1', name)}/status`, 'latin1');
      this.samples[name].push(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) / 1024);
    }
  }

  check(t: Test): void {
    for (const [name, samples] of Object.entries(this.samples)) {
      const third = Math.ceil(samples.length / 3);
      const [middle, last] = [samples.slice(third, 2 * third), samples.slice(-third)].map(medianOf);
      t.ok(last - middle < SlackMiB, `${name}: ${middle.toFixed(1)} MiB, later ${last.toFixed(1)} MiB`);
      t.comment(
        `${name}: RSS ${samples[0].toFixed(1)} at first, ${middle.toFixed(1)} then ${last.toFixed(1)} MiB after ${reloads} reloads`,
      );
    }
  }
}

interface Member {
  succeededRegistrations: number;
  teks: { spi: number }[];
}

t.test(`${reloads} reloads under traffic`, async (t) => {
  const lab = await Lab.up({ start: ['r1', 'r2', 'r4'], edit: (router, text) => (router === 'r1' ? text.replace(/end\n$/, list) : text) });
  t.teardown(() => lab.down());
  const running = (router: Router) => lab.groupwire(router, 'show', 'running-config');
  const member = async () => ((await lab.show('r1', 'crypto gdoi gm')) as { gdoiMembers: Member[] }).gdoiMembers[0];
  const counts = (pattern: RegExp): number => lab.log('r1').match(pattern)?.length ?? 0;
  const file = `/run/groupwire-lab/${lab.name}/configs/r1.cfg`;
  const good = readFileSync(file, 'utf8');
  const before = await running('r1');
  const [spis, backlog] = [(await member()).teks.map(({ spi }) => spi), backlogDrops()];

  const flows = [await Flow.start(lab, 'h1', 'h2', 200, 6001), await Flow.start(lab, 'h2', 'h1', 100, 6002, 0xb8)];
  const iperf = lab.spawn('h1', ['iperf3', '-s', '-1', '-J']);
  await until('iperf3 to listen', async () => (await lab.sh('h1', 'ss -Hltn sport = 5201')) !== '');
  const source = lab.spawn('h2', ['iperf3', '-c', '10.0.1.10', '-b', '10M', '-t', '3600', '-J']);

  const before2 = await running('r2');
  const other = `${lab.directory}/r2-other.cfg`;
  writeFileSync(
    other,
    readFileSync(`/run/groupwire-lab/${lab.name}/configs/r2.cfg`, 'utf8')
      .replace('hostname R2', 'hostname R9')
      .replace(/end\n$/, list),
  );
  t.match(await lab.groupwire('r2', 'exec', `configure replace ${other} time 1`), /Rolled back in 1 minute unless: configure confirm/);
  t.match(await running('r2'), /hostname R9[\s\S]*access-list extended EDGE/);

  const memory = new Memory(lab);
  const applied = /%SYS-5-RELOAD: /g;
  const refused = /%SYS-3-RELOAD: .* has errors: the running configuration stays/g;
  const begin = performance.now();
  for (let n = 1; n <= reloads; n++) {
    if (n > half) writeFileSync(file, (n - half) % 2 === 1 ? withEntry(good) : good);
    lab.reload('r1');
    await until(`reload ${n}`, () => counts(applied) === n, 30_000, 10);
    if (n % Math.ceil(reloads / 30) === 0) memory.sample();
    if (n % BadEvery !== 0) continue;
    const kept = readFileSync(file, 'utf8');
    writeFileSync(file, `${kept}hostname R66\nip access-list extended EDGE\n no 20\n permit nonsense\n`);
    lab.reload('r1');
    await until('the bad file to be refused', () => counts(refused) === n / BadEvery, 30_000, 10);
    writeFileSync(file, kept);
  }
  t.equal(counts(/r1\.cfg has not changed/g), half, 'the same file is no work');
  t.equal(counts(/applied \S+: access-list changed/g), reloads - half, 'and one ACL is one');
  t.comment(`${reloads} reloads in ${((performance.now() - begin) / 1000).toFixed(1)} s`);
  const after = await running('r1');
  t.equal(after.replace(/ 15 deny tcp any host 192\.0\.2\.9\n/, ''), before, 'what bad files said is nowhere');
  t.match(await member(), { succeededRegistrations: 1, teks: spis.map((spi) => ({ spi })) }, 'the SAs are what they were');

  await until('r2 to go back', () => /%SYS-4-CONFIG_ROLLBACK: not confirmed in time/.test(lab.log('r2')), 90_000, 200);
  t.equal(await running('r2'), before2, 'without a confirmation r2 is what it was');

  t.ok(source.running, 'iperf3 never lost its connection');
  await source.stop('SIGINT');
  for (const flow of flows) {
    const report = await flow.stop();
    t.ok(report.sent > 1000, `enough was sent to mean something: ${report.sent}`);
    const seen = report.lost.length === 0 ? '' : await tellLossesSince(lab, backlog);
    t.same(report.lost, [], `datagrams lost of ${report.sent}${seen}`);
    t.equal(report.doubled, 0, 'datagrams that arrived twice');
  }
  const { end } = JSON.parse(iperf.stdout || '{}') as { end?: { sum_received?: { bytes: number } } };
  t.ok((end?.sum_received?.bytes ?? 0) > 1e6, `iperf3 carried ${end?.sum_received?.bytes} bytes`);
  memory.check(t);
});
