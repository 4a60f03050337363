// The command as a user calls it: the launcher, every wrong call, show and exec against a control socket served by the test.

import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { type ApiOptions, startApi } from '../../control/api/server.js';
import { emptySnapshot, getvpn1 } from '../unit/cli/show/sample.js';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const launcher = join(root, 'cli/groupwire');
const folder = mkdtempSync(join(tmpdir(), 'groupwire-command-'));
t.teardown(() => rmSync(folder, { recursive: true }));
const environment = { ...process.env };
delete environment.GROUPWIRE_INSTANCE;

interface Outcome {
  status: number | null;
  stdout: string;
  stderr: string;
}

function call(args: string[], command = launcher): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { env: environment });
    const outcome = { status: 0 as number | null, stdout: '', stderr: '' };
    child.stdout.on('data', (chunk) => {
      outcome.stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      outcome.stderr += chunk;
    });
    child.once('close', (status) => resolve({ ...outcome, status }));
  });
}

/** One line on stderr, nothing on stdout, a status that is not 0. */
function isRefused(t: Pick<typeof import('tap').t, 'equal' | 'match'>, outcome: Outcome, line: RegExp | string): void {
  t.match(outcome.stderr, line);
  t.equal(outcome.stderr.split('\n').length, 2, `one line: ${outcome.stderr}`);
  t.equal(outcome.stdout, '', 'nothing on stdout');
  t.equal(outcome.status === 0, false, `status ${outcome.status}`);
}

t.test('version, help, through symlinks, from anywhere', async (t) => {
  const link = join(folder, 'link');
  const second = join(folder, 'second');
  symlinkSync(launcher, link);
  symlinkSync('link', second);
  t.match(await call(['version'], second), { status: 0, stdout: /^groupwire \d+\.\d+\.\d+\n$/, stderr: '' });
  t.match((await call(['help'])).stdout, /wait-ready/);
});

t.test('not built', async (t) => {
  mkdirSync(join(folder, 'elsewhere/cli'), { recursive: true });
  const copy = join(folder, 'elsewhere/cli/groupwire');
  copyFileSync(launcher, copy);
  isRefused(t, await call(['version'], copy), /^groupwire: not built yet: run make build in .*\/elsewhere\n$/);
});

t.test('wrong calls', async (t) => {
  const missing = join(folder, 'missing');
  for (const [args, line] of [
    [[], /^groupwire: no command given \(try: groupwire help\)\n$/],
    [['nonsense'], /^groupwire: unknown command 'nonsense'/],
    [['run', '--instance', 'r1'], /^groupwire: run: -c FILE is missing\n$/],
    [['run', '-c', missing, '--instance', 'r1'], /^groupwire: .*\/missing: no such file\n$/],
    [['check', folder], /^groupwire: .*: not a file\n$/],
    [['run', '-c'], /^groupwire: .*argument missing/],
    [
      ['--instance', 'nobody', '--runtime', missing, 'show', 'version'],
      /^groupwire: no router answers at .*: is the instance running\?\n$/,
    ],
    [['--runtime', missing, 'exec', 'clear counters'], /^groupwire: no router answers/],
    [
      ['--instance', 'nobody', '--runtime', missing, 'wait-ready', '--timeout', '0'],
      /^groupwire: instance 'nobody' is not ready after 0 s: no router answers/,
    ],
    [['--runtime', missing, 'show', 'nonsense'], /^groupwire: % Invalid input detected at '\^' marker\. show \^nonsense\n$/],
    [['--runtime', missing, 'show'], /^groupwire: % Incomplete command\. show\^\n$/],
    [['--runtime', missing, 'show', 'version', '|', 'nonsense'], /^groupwire: % Invalid input .* show version \| \^nonsense\n$/],
    [['--runtime', missing, 'exec', 'show cr'], /^groupwire: % Incomplete command/],
  ] as const) {
    isRefused(t, await call([...args]), line);
  }
});

t.test('check reports every problem with file, line and text', async (t) => {
  const good = join(folder, 'good.cfg');
  writeFileSync(good, 'hostname R1\ninterface eth0\n ip address 10.0.0.1 255.255.255.0\n');
  t.strictSame(await call(['check', good]), { status: 0, stdout: '', stderr: '' });
  const bad = join(folder, 'bad.cfg');
  writeFileSync(bad, 'hostname R1\nsome unknown line\ninterface eth0\n ip address 10.0.0.1 255.0.255.0\n crypto map NOWHERE\n');
  const outcome = await call(['check', bad]);
  t.equal(outcome.status, 1);
  t.match(outcome.stdout, new RegExp(`^${bad}:2: warning: .*\n    some unknown line\n`));
  t.match(outcome.stdout, new RegExp(`\n${bad}:4: error: `));
  t.match(outcome.stderr, new RegExp(`^groupwire: ${bad}: \\d+ errors?\n$`));
  const started = await call(['run', '-c', bad, '--runtime', join(folder, 'never'), '--state', join(folder, 'never')]);
  t.equal(started.status, 1, 'run refuses the same file');
  t.match(started.stderr, `${bad}:4: error: `);
  const warned = join(folder, 'warned.cfg');
  writeFileSync(warned, 'hostname R1\nsome unknown line\n');
  t.match(await call(['check', warned]), { status: 0, stdout: /:2: warning: /, stderr: '' }, 'warnings do not fail');
});

async function serve(t: { teardown(end: () => unknown): unknown }, change: Partial<ApiOptions> = {}): Promise<string> {
  const runtime = mkdtempSync(join(folder, 'run-'));
  const api = await startApi({
    socketPath: join(runtime, 'control.sock'),
    snapshot: async () => ({ ...emptySnapshot(), gdoiMembers: [getvpn1()] }),
    natTranslations: async () => null,
    packetTrace: async () => {
      throw new Error('% no tables');
    },
    probe: async () => undefined,
    ready: () => ({ ready: true, missing: [] }),
    exec: async (line) => `ran ${line}`,
    execWithFile: async (line, text) => `ran ${line} with ${text.length} characters`,
    edit: () => ({ error: null, column: null, messages: [], ended: false, mode: 'config', hostname: 'R1' }),
    ...change,
  });
  t.teardown(() => api.close());
  return runtime;
}

t.test('show, | json, | include, exec', async (t) => {
  const runtime = await serve(t);
  const show = (...words: string[]) => call(['--instance', 'r1', '--runtime', runtime, ...words]);
  t.match(await show('show', 'crypto', 'gdoi', 'gm'), { status: 0, stdout: /^Group Member Information For Group getvpn1:\n/, stderr: '' });
  t.strictSame(JSON.parse((await show('show', 'crypto', 'gdoi', '|', 'json')).stdout), { gdoiMembers: [getvpn1()], gdoiServers: [] });
  t.equal(
    (await show('show', 'cry', 'gdoi', '|', 'inc', 'tion status|Version')).stdout,
    '       Version               : 1.0.26\n       Registration status   : Registered\n',
  );
  t.equal((await show('exec', 'show clock')).stdout, '23:15:02.123 UTC Mon Nov 23 2026\n');
  t.equal((await show('exec', 'clear counters')).stdout, 'ran clear counters\n');
  isRefused(t, await show('show', 'crypto', 'gdoi', 'group', 'nobody'), 'groupwire: % Group nobody does not exist\n');
  isRefused(t, await show('show', 'version', '|', 'include', '('), /^groupwire: % '\(' is not a regular expression\n$/);
});

t.test('an exec command that control refuses', async (t) => {
  const runtime = await serve(t, {
    exec: async () => {
      throw new Error('% no such group\nsecond line');
    },
  });
  isRefused(t, await call(['--runtime', runtime, 'exec', 'clear crypto gdoi']), 'groupwire: % no such group second line\n');
});

t.test('wait-ready waits, and names what is missing', async (t) => {
  let asked = 0;
  const missing = ['group G is not registered', 'group H is not registered'];
  const runtime = await serve(t, { ready: () => (++asked > 3 ? { ready: true, missing: [] } : { ready: false, missing }) });
  t.strictSame(await call(['--runtime', runtime, 'wait-ready', '--timeout', '20']), { status: 0, stdout: '', stderr: '' });
  t.equal(asked, 4);
  const never = await serve(t, { ready: () => ({ ready: false, missing }) });
  isRefused(
    t,
    await call(['--instance', 'r7', '--runtime', never, 'wait-ready', '--timeout', '1']),
    "groupwire: instance 'r7' is not ready after 1 s: group G is not registered; group H is not registered\n",
  );
});

t.test('a reader that has seen enough is no error', async (t) => {
  const runtime = await serve(t, { snapshot: async () => ({ ...emptySnapshot(), runningConfig: 'line\n'.repeat(200_000) }) });
  const script = `"${launcher}" --runtime "${runtime}" show running-config | head -n 1; echo "\${PIPESTATUS[0]}"`;
  const child = spawn('bash', ['-c', script], { env: environment });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output += chunk;
  });
  await new Promise((resolve) => child.once('close', resolve));
  t.equal(output, 'Building configuration...\n0\n');
});

t.test('the launcher is valid for a plain sh', (t) => {
  t.equal(spawnSync('sh', ['-n', launcher]).status, 0);
  t.end();
});
