// The supervisor over stand-in children: start, restart of either alone, end-of-file when it dies, signals, lock, clean-up.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { writeStandIns } from './stand-ins.js';

const driver = fileURLToPath(new URL('stand-ins.js', import.meta.url));

interface Bench {
  folder: string;
  run: string;
  process: ChildProcess;
  stderr: () => string;
  /** Lines of the events file. */
  events: () => string[];
  /** pid of the last life of a child. */
  pidOf: (name: string) => number;
  ended: Promise<{ code: number | null; signal: string | null }>;
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 3000; tries++) {
    if (holds()) return;
    await sleep(10);
  }
  throw new Error(`waited in vain: ${what}`);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

interface Surroundings {
  environment?: Record<string, string>;
  silenceMs?: number;
}

function launch(folder: string, change: object = {}, { environment, silenceMs }: Surroundings = {}): Bench {
  const run = join(folder, 'run');
  const options = {
    instance: 'r1',
    runDirectory: run,
    configFile: '/tmp/r1.cfg',
    stateDirectory: join(folder, 'state'),
    metrics: 'off',
    keyLogDirectory: null,
    native: true,
    dataplaneSocket: null,
    ...change,
  };
  const silence = silenceMs === undefined ? [] : [String(silenceMs)];
  const started = spawn(process.execPath, [driver, 'run-instance', JSON.stringify(options), folder, ...silence], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...environment },
  });
  let stderr = '';
  started.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  const events = () => (existsSync(join(folder, 'events')) ? readFileSync(join(folder, 'events'), 'utf8').trim().split('\n') : []);
  return {
    folder,
    run,
    process: started,
    stderr: () => stderr,
    events,
    pidOf: (name) =>
      Number(
        events()
          .findLast((line) => line.startsWith(`${name} start `))
          ?.split(' ')[2],
      ),
    ended: new Promise((resolve) => started.once('close', (code, signal) => resolve({ code, signal }))),
  };
}

interface Ending {
  teardown(end: () => unknown): unknown;
}

async function start(t: Ending, change: object = {}, files: string[] = [], surroundings: Surroundings = {}): Promise<Bench> {
  const folder = mkdtempSync(join(tmpdir(), 'groupwire-run-'));
  writeStandIns(folder);
  for (const file of files) writeFileSync(join(folder, file), '');
  const bench = launch(folder, change, surroundings);
  t.teardown(async () => {
    bench.process.kill('SIGKILL');
    await bench.ended;
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  return bench;
}

const listening = (bench: Bench, name: string, lives = 1) =>
  until(`${name} listens (${lives})`, () => bench.events().filter((line) => line === `${name} listening`).length === lives);
const both = (bench: Bench) => Promise.all([listening(bench, 'dataplane'), listening(bench, 'control')]);

t.test('starts both with their arguments, ends both on SIGTERM and leaves nothing', async (t) => {
  const bench = await start(t, { native: false, workers: 3, keyLogDirectory: '/keys' });
  await both(bench);
  const shared = `--instance r1 --run ${bench.run} --state ${join(bench.folder, 'state')}`;
  t.match(
    bench.events().find((line) => line.startsWith('dataplane start')),
    `${shared} --workers 3 native=0`,
  );
  t.match(
    bench.events().find((line) => line.startsWith('control start')),
    `${shared} --config /tmp/r1.cfg --metrics off --key-log /keys native=`,
  );
  t.match(JSON.parse(readFileSync(join(bench.run, 'processes.json'), 'utf8')), [
    { name: 'dataplane', pid: bench.pidOf('dataplane'), restarts: 0 },
    { name: 'control', pid: bench.pidOf('control'), restarts: 0 },
    { name: 'supervisor', pid: bench.process.pid, restarts: 0 },
  ]);
  bench.process.kill('SIGHUP');
  await until('control got SIGHUP', () => bench.events().includes('control hup'));
  bench.process.kill('SIGTERM');
  t.strictSame(await bench.ended, { code: 0, signal: null });
  t.ok(bench.events().includes('dataplane term') && bench.events().includes('control term'), 'both were asked to end');
  t.notOk(bench.events().includes('dataplane hup'), 'SIGHUP is for control');
  t.notOk(existsSync(bench.run), 'the runtime directory is gone');
  t.match(bench.stderr(), /dataplane: a line on stderr\n/, "children's lines come through");
});

t.test('restarts either alone', async (t) => {
  const bench = await start(t);
  await both(bench);
  const control = bench.pidOf('control');
  process.kill(bench.pidOf('dataplane'), 'SIGKILL');
  await listening(bench, 'dataplane', 2);
  t.equal(bench.pidOf('control'), control, 'control went on');
  t.match(bench.stderr(), /%SYS-5-RESTART: dataplane \(pid \d+\) ended by SIGKILL, starting it again at once\n/);
  process.kill(control, 'SIGKILL');
  await listening(bench, 'control', 2);
  t.match(JSON.parse(readFileSync(join(bench.run, 'processes.json'), 'utf8')), [{ restarts: 1 }, { restarts: 1 }, { restarts: 0 }]);
  process.kill(bench.pidOf('control'), 'SIGKILL');
  await listening(bench, 'control', 3);
  t.match(bench.stderr(), /control \(pid \d+\) ended by SIGKILL, starting it again in 100 ms\n/, 'the second death in a row waits');
  bench.process.kill('SIGINT');
  t.strictSame(await bench.ended, { code: 0, signal: null });
});

t.test('a child that cannot start is tried ever more slowly, and SIGTERM ends the wait', async (t) => {
  const bench = await start(t, {}, ['control-broken']);
  await until('third delay', () => /starting it again in 400 ms/.test(bench.stderr()));
  t.strictSame(
    [...bench.stderr().matchAll(/control .* (at once|in \d+ ms)\n/g)].map((match) => match[1]),
    ['at once', 'in 100 ms', 'in 200 ms', 'in 400 ms'],
  );
  bench.process.kill('SIGTERM');
  t.strictSame(await bench.ended, { code: 0, signal: null });
});

t.test('a child that says that a restart cannot help ends the instance', async (t) => {
  const bench = await start(t, {}, ['dataplane-hopeless']);
  t.strictSame(await bench.ended, { code: 1, signal: null });
  t.match(bench.stderr(), /%SYS-2-STOP: dataplane \(pid \d+\) ended with status 78: a restart cannot help, stopping\n/);
  t.equal(bench.events().filter((line) => line === 'dataplane hopeless').length, 1, 'started once');
});

t.test('children see end-of-file when the supervisor is killed', async (t) => {
  const bench = await start(t);
  await both(bench);
  bench.process.kill('SIGKILL');
  await until('both saw end-of-file', () => bench.events().includes('dataplane eof') && bench.events().includes('control eof'));
  // What the killed one left behind is taken over by the next.
  t.ok(readdirSync(bench.run).includes('lock'), 'its lock is still there');
  const next = launch(bench.folder);
  await listening(next, 'dataplane', 2);
  await listening(next, 'control', 2);
  next.process.kill('SIGTERM');
  t.strictSame(await next.ended, { code: 0, signal: null });
});

t.test('a second run of the instance fails with one line and disturbs nothing', async (t) => {
  const bench = await start(t);
  await both(bench);
  const second = launch(bench.folder);
  t.strictSame(await second.ended, { code: 1, signal: null });
  t.equal(second.stderr(), `groupwire: instance 'r1' already runs (pid ${bench.process.pid})\n`);
  t.ok(isAlive(bench.pidOf('control')) && isAlive(bench.pidOf('dataplane')), 'the first one runs');
  t.ok(existsSync(join(bench.run, 'processes.json')), 'its files are there');
  bench.process.kill('SIGTERM');
  await bench.ended;
});

t.test('a child that ignores SIGTERM is killed after the grace', { timeout: 20_000 }, async (t) => {
  const bench = await start(t, {}, ['dataplane-stubborn']);
  await both(bench);
  const pid = bench.pidOf('dataplane');
  bench.process.kill('SIGTERM');
  t.strictSame(await bench.ended, { code: 0, signal: null });
  t.match(bench.stderr(), /%SYS-3-KILLED: dataplane \(pid \d+\) did not end within 5 s, killed\n/);
  t.notOk(isAlive(pid), 'gone');
});

t.test('a child that falls silent is killed and starts again', async (t) => {
  const bench = await start(t, {}, [], { silenceMs: 1000 });
  await both(bench);
  writeFileSync(join(bench.folder, 'control-mute'), '');
  await until('control is killed', () => /%SYS-2-STUCK: control \(pid \d+\) has said nothing for 1 s, killed\n/.test(bench.stderr()));
  rmSync(join(bench.folder, 'control-mute'));
  await listening(bench, 'control', 2);
  t.equal(bench.events().filter((line) => line === 'dataplane listening').length, 1, 'who speaks is left alone');
  bench.process.kill('SIGTERM');
  t.strictSame(await bench.ended, { code: 0, signal: null });
});

t.test('SIGUSR2 starts control alone again', async (t) => {
  const bench = await start(t);
  await both(bench);
  const dataplane = bench.pidOf('dataplane');
  bench.process.kill('SIGUSR2');
  await listening(bench, 'control', 2);
  t.equal(bench.pidOf('dataplane'), dataplane);
  bench.process.kill('SIGTERM');
  t.strictSame(await bench.ended, { code: 0, signal: null });
});

t.test('with the dataplane elsewhere control is the only child', async (t) => {
  const bench = await start(t, { dataplaneSocket: '/run/other/dataplane.sock' });
  await listening(bench, 'control');
  t.match(
    bench.events().find((line) => line.startsWith('control start')),
    / --dataplane \/run\/other\/dataplane\.sock /,
  );
  t.notOk(bench.events().some((line) => line.startsWith('dataplane')));
  bench.process.kill('SIGTERM');
  t.strictSame(await bench.ended, { code: 0, signal: null });
});

// The other end of NOTIFY_SOCKET, as systemd has it: what came, a line each.
const manager = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1]); print('bound', flush=True)
while True: print(s.recv(4096).decode().replace('\\n', ' '), flush=True)
`;

t.test(
  'a service manager is told: ready, alive, reloading, stopping',
  { skip: !existsSync('/usr/bin/systemd-notify') && 'no systemd-notify' },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'groupwire-notify-'));
    const path = join(folder, 'notify');
    const listener = spawn('/usr/bin/python3', ['-c', manager, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    let told = '';
    listener.stdout.on('data', (chunk) => {
      told += chunk;
    });
    t.teardown(() => {
      listener.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    });
    await until('the socket is there', () => told.startsWith('bound'));
    const bench = await start(t, {}, [], { environment: { NOTIFY_SOCKET: path, WATCHDOG_USEC: '3000000' } });
    await until('READY and WATCHDOG', () => /^READY=1 STATUS=/m.test(told) && /^WATCHDOG=1$/m.test(told));
    t.match(told, /^STATUS=control is well$/m, "a child's words");
    bench.process.kill('SIGHUP');
    await until('RELOADING, then READY', () => /^RELOADING=1 MONOTONIC_USEC=\d+[\s\S]*^READY=1/m.test(told));
    bench.process.kill('SIGTERM');
    t.strictSame(await bench.ended, { code: 0, signal: null });
    await until('STOPPING', () => /^STOPPING=1$/m.test(told));
  },
);
