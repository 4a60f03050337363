// Edits line by line, write, configure replace with its way back, reload check: over the real parser and the real store, with a router of
// one variable.

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { diffConfig } from '../../../control/config/diff.js';
import { configDifferences } from '../../../control/config/differences.js';
import { parseExec } from '../../../control/config/exec.js';
import type { Config } from '../../../control/config/model.js';
import { parseConfig } from '../../../control/config/parse.js';
import { printConfig } from '../../../control/config/print.js';
import { verifyConfig } from '../../../control/config/verify.js';
import { ConfigEditor } from '../../../control/config-editor.js';
import { ConfigFile } from '../../../control/config-file.js';
import { Lifecycle } from '../../../control/lifecycle.js';
import { nameRun } from '../../../control/run-record.js';
import { SealedStore } from '../../../control/store/sealed-store.js';

const folder = mkdtempSync(join(tmpdir(), 'groupwire-lifecycle-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const store = await SealedStore.open(join(folder, 'state'));
const log = { write: () => undefined };
const base = `hostname R1
crypto isakmp policy 100
 authentication pre-share
 group 14
crypto isakmp key R1-KEY address 172.16.4.2
crypto gdoi group G
 identity number 777
 server address ipv4 172.16.4.2
crypto map M 100 gdoi
 set group G
interface Loopback0
 ip address 10.0.0.1 255.255.255.255
ip access-list extended A
 10 permit ip any any
 20 deny udp any any
`;

/** A router that control was started for: again with the same `run`, it goes on. */
class Bench {
  config: Config;
  applied = 0;
  readonly file = new ConfigFile(join(folder, 'startup.cfg'), log, store);
  readonly editor: ConfigEditor;
  readonly lifecycle: Lifecycle;

  constructor(run = nameRun(process.pid)) {
    const loaded = this.file.loadAtStart(Lifecycle.runningOf(store, run));
    if (!loaded) throw new Error('nothing to start with');
    this.config = loaded.config;
    const apply = (config: Config): string[] => {
      const changed = [...diffConfig(this.config, config)];
      this.config = config;
      if (changed.length > 0) this.applied++;
      return changed;
    };
    this.editor = new ConfigEditor({
      current: () => this.config,
      problems: verifyConfig,
      apply: (config) => {
        if (apply(config).length > 0) this.lifecycle.remember(config);
      },
      exec: (line) => `ran ${line}`,
    });
    this.lifecycle = new Lifecycle(
      {
        log,
        store,
        run,
        current: () => this.config,
        conflicts: () => [],
        withoutKey: (lines) => lines.filter(({ text }) => text.includes('NEW')),
        apply,
        readStartup: () => this.file.read(),
        writeStartup: (text) => this.file.write(text),
      },
      this.editor,
    );
  }

  exec(line: string, text: string | null = null, now = 0) {
    const answer = this.lifecycle.run(parseExec(line), text, now);
    if (answer === null) throw new Error(`${line} is not of the life cycle`);
    return answer;
  }

  edit(...lines: string[]) {
    return lines.map((line) => this.editor.edit('session', line, 0));
  }

  get text(): string {
    return printConfig(this.config, { secrets: true });
  }
}

function fresh(text = base): Bench {
  writeFileSync(join(folder, 'startup.cfg'), text, { mode: 0o640 });
  return new Bench(`run ${Math.random()}`);
}

t.test('an edit is in force at once; a refused line changes nothing', (t) => {
  const bench = fresh();
  const before = bench.text;
  const [mode, bad, good] = bench.edit('ip access-list extended A', '30 permit nonsense', '30 permit tcp any any');
  t.match(mode, { mode: 'config-ext-nacl', error: null });
  t.match(bad, { error: /^% /, mode: 'config-ext-nacl' });
  t.match(good, { error: null });
  t.equal(bench.applied, 1, 'only the line that changed something was put in force');
  t.match(bench.text, / 30 permit tcp any any\n/);
  bench.edit('no 30');
  t.equal(bench.text, before, 'and back');
  t.match(bench.edit('end')[0], { ended: true, messages: [] });
  t.end();
});

t.test('while lines wait, others are in force at once, unless they touch what waits', (t) => {
  const bench = fresh();
  bench.edit('crypto gdoi group H', 'identity number 5');
  t.notOk(bench.config.gdoiGroups.has('H'), 'a group without a server waits');
  bench.edit('interface Loopback0', 'shutdown', 'ip access-list extended A', '30 permit tcp any any');
  t.ok(bench.config.interfaces.get('Loopback0')?.shutdown, 'shut down, whatever waits');
  t.match(bench.text, / 30 permit tcp any any\n/);
  t.match(
    bench.exec('write').output,
    /\[OK\]\n% Not in force yet.*\n% {3}group H has.*\n% What waits:\n% {3}\+crypto gdoi group H\n% {4}\+identity number 5$/s,
  );
  t.notMatch(readFileSync(join(folder, 'startup.cfg'), 'utf8'), /group H/);
  bench.edit('crypto map M 200 gdoi', 'set group H', 'crypto map M local-address Loopback0');
  t.notOk(bench.config.localAddresses.has('M'), 'crypto maps wait together');
  bench.edit('hostname R7', 'crypto gdoi group H', 'server address ipv4 172.16.4.2');
  t.equal(bench.config.hostname, 'R7');
  t.equal(bench.config.cryptoMaps.get('M')?.length, 2, 'complete: all of it is in force');
  t.ok(bench.config.localAddresses.has('M'));
  t.ok(bench.config.interfaces.get('Loopback0')?.shutdown);
  t.match(bench.edit('end')[0], { messages: [] });

  bench.edit('ip access-list extended A', '5 deny udp object-group NONE any');
  t.notMatch(bench.text, /NONE/);
  bench.edit('7 permit ip any any', 'exit', 'ip access-list standard B', 'permit any');
  t.notMatch(bench.text, / 7 permit/, 'no entry of a list goes ahead of one that waits');
  t.ok(bench.config.accessLists.has('B'));
  t.match(bench.exec('configure revert now'), { output: 'Lines that waited are forgotten' });
  t.ok(bench.config.accessLists.has('B'));
  t.end();
});

t.test('two who edit, and a reload in between', (t) => {
  const bench = fresh();
  bench.editor.edit('one', 'ip access-list extended A', 0);
  bench.editor.edit('two', 'hostname R2', 0);
  t.match(bench.editor.edit('one', '30 permit tcp any any', 0), { error: null, mode: 'config-ext-nacl' });
  t.match(bench.text, /hostname R2\n/);
  t.match(bench.text, / 30 permit tcp any any\n/);
  bench.config = parseConfig('hostname R3\n').config;
  t.match(bench.editor.edit('one', 'hostname R4', 0), { error: null }, 'the mode is gone, the shell is not');
  t.equal(bench.config.hostname, 'R4');
  t.end();
});

t.test('every line of a configuration, typed from nothing, makes that configuration', (t) => {
  const bench = fresh('hostname Router\n');
  const lines = printConfig(parseConfig(base).config, { secrets: true }).split('\n');
  for (const answer of bench.edit(...lines.filter((line) => line !== 'end'))) t.equal(answer.error, null);
  t.equal(bench.text, printConfig(parseConfig(base).config, { secrets: true }));
  t.end();
});

t.test('write, show startup-config, differences', (t) => {
  const bench = fresh();
  const path = join(folder, 'startup.cfg');
  t.match(bench.exec('show archive config differences'), { output: /No changes were found/ });
  bench.edit('ip access-list extended A', 'no 20', '15 permit tcp any any', 'crypto isakmp key OTHER-KEY address 172.16.4.2');
  t.equal(
    bench.exec('show archive config differences').output,
    [
      '!Contextual Config Diffs:',
      '-crypto isakmp key <removed> address 172.16.4.2',
      '+crypto isakmp key <removed> address 172.16.4.2',
      'ip access-list extended A',
      ' -20 deny udp any any',
      ' +15 permit tcp any any',
    ].join('\n'),
  );
  t.match(bench.exec('write memory'), { error: null, output: /\[OK\]/ });
  t.equal(readFileSync(path, 'utf8'), bench.text);
  t.equal(statSync(path).mode & 0o777, 0o640, 'the mode stays');
  t.match(bench.exec('show archive config differences'), { output: /No changes were found/ });
  const shown = bench.exec('show startup-config').output;
  t.match(shown, /^Using \d+ bytes\nhostname R1\n/);
  t.notMatch(shown, /OTHER-KEY/);
  rmSync(path);
  t.match(bench.exec('show startup-config'), { error: /startup\.cfg/ });
  t.end();
});

t.test('configure replace: whole, or not at all', (t) => {
  const bench = fresh();
  const before = bench.text;
  t.match(bench.exec('configure replace f', 'hostname R9\ninterface Loopback0\n ip address nonsense\n'), {
    error: /nothing is changed\n% {3}line 3: /,
  });
  t.equal(bench.text, before);
  t.match(bench.exec('configure replace f', base), { error: null, output: 'Total number of lines changed: 0' });
  t.equal(bench.applied, 0, 'the same configuration is no work');
  t.match(bench.exec('configure replace f', base.replace('R1', 'R9')), { output: 'Total number of lines changed: 2' });
  t.equal(bench.config.hostname, 'R9');
  t.match(bench.exec('configure confirm'), { error: /Nothing waits/ });
  t.end();
});

t.test('what a file that is taken leaves to say: unknown lines, keys that nobody makes', (t) => {
  const bench = fresh();
  const text = `${base}crypto key generate rsa label OLD\nrouter ospf 1\ncrypto key generate rsa label NEW modulus 2048\nhotsname R2\n`;
  const remarks = [
    '%   line 17: unknown command: kept, but without effect: router ospf 1',
    '%   line 19: unknown command: kept, but without effect (nearest known command: hostname): hotsname R2',
    '%   line 18: no key is made here, and there is none yet: enter crypto key generate rsa label NEW modulus 2048',
  ];
  t.strictSame(bench.exec('reload check f', text).output.split('\n').slice(-3), remarks);
  t.strictSame(bench.exec('configure replace f', text).output.split('\n').slice(1), remarks);
  t.match(
    bench.exec('configure replace f', base + 'router x\n'.repeat(50)).output,
    /\n% {3}and 30 unknown lines more: groupwire check lists them$/,
  );
  t.end();
});

t.test('a file without its text is refused: an empty configuration would be put in force', (t) => {
  const bench = fresh();
  const before = bench.text;
  for (const line of ['configure replace f', 'configure replace f time 1', 'reload check f']) {
    t.match(bench.exec(line), { output: '', error: /^% The text of the file is missing/ }, line);
  }
  t.strictSame([bench.text, bench.applied, bench.lifecycle.nextTick()], [before, 0, null]);
  t.match(bench.exec('configure replace startup-config'), { error: null, output: 'Total number of lines changed: 0' });
  t.match(bench.exec('configure replace f', ''), { error: null }, 'one that is empty is what it says');
  t.end();
});

t.test('time: rolled back unless confirmed, over a restart of control too', (t) => {
  const bench = fresh();
  const before = bench.text;
  const other = base.replace('R1', 'R9');
  bench.exec('configure replace f time 1', other, 1000);
  t.equal(bench.lifecycle.nextTick(), 61_000);
  bench.lifecycle.tick(60_999);
  t.equal(bench.config.hostname, 'R9');
  bench.lifecycle.tick(61_000);
  t.equal(bench.text, before, 'rolled back');
  t.equal(bench.lifecycle.nextTick(), null);

  bench.exec('configure replace f time 1', other, 1000);
  t.match(bench.exec('configure confirm'), { error: null });
  bench.lifecycle.tick(1e9);
  t.equal(bench.config.hostname, 'R9', 'confirmed');

  writeFileSync(join(folder, 'startup.cfg'), base);
  const first = new Bench('the run');
  first.exec('configure replace f time 2', other, 1000);
  const second = new Bench('the run');
  t.equal(second.config.hostname, 'R9', 'a restart of control goes on with what was in force');
  second.lifecycle.tick(121_000);
  t.equal(second.text, before, 'and goes back in time');
  t.equal(new Bench('the run').text, before);
  first.exec('configure replace f time 2', other, 1000);
  const next = new Bench('another run');
  t.equal(next.text, before, 'a fresh start begins with the startup configuration');
  t.equal(next.lifecycle.nextTick(), null);
  first.exec('configure replace f time 2', other, 1000);
  t.match(first.exec('configure revert now'), { error: null, output: /Rolled back/ });
  t.end();
});

t.test('reload check tells what would change and what would drop', (t) => {
  const bench = fresh();
  const before = bench.text;
  t.equal(bench.exec('reload check f', base).output, 'Nothing would change.');
  const kept = bench.exec('reload check f', base.replace('deny udp', 'deny tcp')).output;
  t.match(kept, /^Would change: access-list\n/);
  t.match(kept, /Nothing would be dropped\.$/);
  const plan = bench.exec('reload check f', base.replace('777', '778').replace(/interface Loopback0\n.*\n/, '')).output;
  t.match(plan, /Would be dropped:\n {2}group G: the SAs of this member, because its identity is another one\n {2}interface Loopback0: /);
  t.equal(bench.text, before);
  t.match(bench.exec('reload check f', 'interface eth0\n ip address x\n'), { error: /has errors/ });
  t.end();
});

t.test('differences keep order', (t) => {
  const [a, b] = ['10.0.0.1 1.1.1.1', '10.0.0.2 1.1.1.2'].map((pair) => `ip nat inside source static ${pair}\n`);
  const difference = (x: string, y: string) => configDifferences(parseConfig(x).config, parseConfig(y).config);
  t.strictSame(difference(a + b, a + b), []);
  t.strictSame(difference(a + b, b), [`-${a.trim()}`]);
  t.equal(difference(a + b, b + a).length, 2, 'the first statement that matches decides');
  t.end();
});
