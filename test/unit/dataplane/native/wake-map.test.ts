// poll and wake-ups across threads, the file mapping, the clock and the choice of implementation: addon and twin.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { bindOpen, bindPoll, bindRx, bindSeal, bindTx } from '../../../../dataplane/native/bind.js';
import { BoundWord, Job, JobStatus, NativeCap } from '../../../../dataplane/native/native.js';
import { bothNatives } from './both.js';

const folder = mkdtempSync(join(tmpdir(), 'groupwire-test-'));
t.teardown(() => rmSync(folder, { recursive: true }));
const module = new URL('../../../../dataplane/native/native.js', import.meta.url).href;
const choiceOf = { addon: '1', twin: '0' };

for (const native of bothNatives()) {
  const env = { ...process.env, GROUPWIRE_NATIVE: choiceOf[native.kind] };

  t.test(`${native.kind}: a signal is seen until it is cleared`, (t) => {
    const wakes = [native.wakeOpen(), native.wakeOpen(), native.wakeOpen()];
    t.teardown(() => wakes.forEach(native.fdClose));
    const fds = Int32Array.from(wakes);
    const ready = new Int32Array(3).fill(-7);
    t.equal(native.poll(fds, 3, 0, ready), 0, 'quiet');
    t.same([...ready], [0, 0, 0]);
    for (let i = 0; i < 3; i++) native.wakeSignal(wakes[1]);
    native.wakeSignal(wakes[2]);
    for (let i = 0; i < 2; i++) {
      t.equal(native.poll(fds, 3, 5000, ready), 2, 'two are ready, and stay so');
      t.same([...ready], [0, 1, 1]);
    }
    native.wakeClear(wakes[1]);
    t.equal(native.poll(fds, 3, 5000, ready), 1, 'three signals need one clear');
    t.same([...ready], [0, 0, 1]);
    t.equal(native.poll(fds, 2, 5, ready), 0, 'count bounds the descriptors; the wait ends');
    native.wakeClear(wakes[2]);
    native.wakeClear(wakes[2]);
    native.wakeSignal(wakes[2]);
    t.equal(native.poll(fds, 3, -1, ready), 1, 'a signal after a clear is seen');
    for (let i = 0; i < 100_000; i++) native.wakeSignal(wakes[0]);
    native.wakeClear(wakes[0]);
    t.equal(native.poll(fds.subarray(0, 1), 1, 0, ready), 0, 'signals without end neither block nor fail');
    t.end();
  });

  t.test(`${native.kind}: a number that was closed and is given out again is another descriptor`, (t) => {
    const ready = new Int32Array(1);
    const first = native.wakeOpen();
    native.wakeSignal(first);
    t.equal(native.poll(Int32Array.of(first), 1, 0, ready), 1);
    native.fdClose(first);
    const second = native.wakeOpen();
    t.teardown(() => native.fdClose(second));
    if (second !== first) t.comment(`descriptor ${second} instead of ${first}`);
    t.equal(native.poll(Int32Array.of(second), 1, 0, ready), 0, 'nobody signalled this one');
    native.wakeSignal(second);
    t.equal(native.poll(Int32Array.of(second), 1, 5000, ready), 1, 'and this one is watched');
    t.end();
  });

  t.test(`${native.kind}: a bound poll() waits for what its words say, and brings the time along`, (t) => {
    const wake = native.wakeOpen();
    t.teardown(() => native.fdClose(wake));
    const memory = new SharedArrayBuffer(64);
    const fds = new Int32Array(memory, 8, 2);
    const ready = new Int32Array(memory, 32, 2).fill(-7);
    const now = new Float64Array(1);
    const words = new Int32Array(BoundWord.Words);
    const poll = bindPoll(native, fds, ready, new Int32Array(now.buffer), words);
    fds[0] = wake;
    words.set([0, 1, 5000]);
    native.wakeSignal(wake);
    const before = native.monotonicMs();
    poll();
    t.equal(words[BoundWord.Result], 1);
    t.same([...ready], [1, -7], 'written where the view lies');
    t.ok(now[0] >= before && now[0] <= native.monotonicMs(), `${now[0]} is between`);
    native.wakeClear(wake);
    words[BoundWord.Limit] = 0;
    poll();
    t.equal(words[BoundWord.Result], 0, 'nothing any more');
    words[BoundWord.Count] = 3;
    t.throws(poll, RangeError, 'the arrays are shorter');
    words.set([0, 1, -2]);
    t.throws(poll, RangeError, 'no such time');
    t.end();
  });

  t.test(`${native.kind}: bound calls check what their words say before a byte moves`, (t) => {
    const pool = new Uint8Array(4096);
    const offsets = new Int32Array(2);
    const lengths = new Int32Array(2).fill(20);
    const results = new Int32Array(1);
    const words = new Int32Array(BoundWord.Words);
    const wake = native.wakeOpen();
    t.teardown(() => native.fdClose(wake));
    const rx = bindRx(native, pool, offsets, lengths, words);
    const tx = bindTx(native, pool, offsets, lengths, results, words);
    const refuses = (call: () => void, [fd, count, limit]: number[], why: string) => {
      words.set([fd, count, limit]);
      t.throws(call, RangeError, why);
    };
    refuses(rx, [-1, 1, 100], 'no descriptor');
    refuses(tx, [wake, -1, 0], 'fewer than none');
    const jobs = new Int32Array(Job.Words).fill(0);
    for (const call of [bindSeal(native, pool, jobs, words), bindOpen(native, pool, jobs, words)]) {
      refuses(call, [0, 2, 0], 'more jobs than there are');
      refuses(call, [0, -1, 0], 'fewer than none');
      jobs[Job.Offset] = 4090;
      refuses(call, [0, 1, 0], 'outside the pool');
      jobs[Job.Offset] = 0;
      words[BoundWord.Count] = 1;
      call();
      t.equal(jobs[Job.Status], JobStatus.Error, 'no key in the slot');
    }
    t.end();
  });

  t.test(`${native.kind}: another thread ends a wait without time limit`, async (t) => {
    const wake = native.wakeOpen();
    t.teardown(() => native.fdClose(wake));
    const script = `import { workerData } from 'node:worker_threads';
      const native = (await import('${module}')).loadNative();
      Atomics.wait(workerData.go, 0, 0);
      native.wakeSignal(workerData.wake);`;
    const go = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(script)}`), { workerData: { wake, go }, env });
    const ended = new Promise((resolve, reject) => {
      worker.on('exit', resolve);
      worker.on('error', reject);
    });
    await new Promise((resolve) => worker.on('online', resolve));
    Atomics.store(go, 0, 1);
    Atomics.notify(go, 0);
    t.equal(native.poll(Int32Array.of(wake), 1, -1, new Int32Array(1)), 1);
    native.wakeClear(wake);
    t.equal(await ended, 0);
  });

  t.test(`${native.kind}: poll refuses what does not fit; a closed descriptor is ready, not an error`, (t) => {
    const fds = new Int32Array(NativeCap.PollFds + 1);
    t.throws(() => native.poll(fds, NativeCap.PollFds + 1, 0, fds), RangeError, 'too many');
    t.throws(() => native.poll(fds, 2, 0, new Int32Array(1)), RangeError, 'ready too short');
    t.throws(() => native.poll(Int32Array.of(-1), 1, 0, new Int32Array(1)), RangeError, 'fd -1');
    t.throws(() => native.poll(fds, 1, -2, new Int32Array(1)), RangeError, 'timeout -2');
    t.throws(() => native.poll(fds, 1, Number.NaN, new Int32Array(1)), RangeError, 'timeout NaN');
    t.throws(() => native.poll([0] as never, 1, 0, new Int32Array(1)), TypeError, 'an array');
    t.throws(() => native.wakeSignal(1e9), { code: 'EBADF' });
    t.throws(() => native.wakeClear(1e9), { code: 'EBADF' });
    t.throws(() => native.wakeSignal(-1), RangeError);
    const wake = native.wakeOpen();
    native.fdClose(wake);
    const ready = new Int32Array(1);
    t.equal(native.poll(Int32Array.of(wake), 1, 0, ready), 1);
    const one = new Int32Array(1);
    t.throws(() => native.rx(wake, new Uint8Array(10), one, one, 1, 10), { message: `fd: ${wake} is not a link` }, 'nor can it be read');
    t.equal(native.poll(fds, 0, 0, ready), 0, 'no descriptors');
    fds.fill(wake);
    t.equal(native.poll(fds, NativeCap.PollFds, 0, new Int32Array(NativeCap.PollFds)), NativeCap.PollFds, 'as many as fit');
    t.end();
  });

  t.test(`${native.kind}: a mapping survives kill -9 of its process`, (t) => {
    const path = join(folder, `${native.kind}-state`);
    const script = `const native = (await import('${module}')).loadNative();
      const buffer = native.mapFile(process.argv[1], 4096);
      new Uint32Array(buffer)[5] = 0xdeadbeef;
      native.mapFlush(buffer);
      process.kill(process.pid, 'SIGKILL');`;
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', script, path], { env, encoding: 'utf8' });
    t.equal(child.signal, 'SIGKILL', child.stderr);
    t.equal(statSync(path).mode & 0o777, 0o600);
    t.equal(statSync(path).size, 4096);
    const buffer = native.mapFile(path, 4096);
    t.equal(buffer.byteLength, 4096);
    t.equal(new Uint32Array(buffer)[5], 0xdeadbeef);
    new Uint32Array(buffer)[6] = 7;
    native.mapFlush(buffer);
    t.equal(readFileSync(path).readUInt32LE(24), 7, 'the file has it too');
    t.end();
  });

  t.test(`${native.kind}: mapFile extends with zeroes, keeps what is there, tightens the mode`, (t) => {
    const path = join(folder, `${native.kind}-short`);
    writeFileSync(path, 'abc', { mode: 0o644 });
    const bytes = new Uint8Array(native.mapFile(path, 10));
    t.same([...bytes], [97, 98, 99, 0, 0, 0, 0, 0, 0, 0]);
    t.equal(statSync(path).mode & 0o777, 0o600);
    t.equal(statSync(path).size, 10);
    t.same([...new Uint8Array(native.mapFile(path, 2))], [97, 98], 'a longer file is mapped in part');
    t.equal(statSync(path).size, 10, 'and not cut');
    t.end();
  });

  t.test(`${native.kind}: mapFile errors`, (t) => {
    t.throws(() => native.mapFile(join(folder, 'no/such'), 10), { code: 'ENOENT', message: /no\/such: no such file or directory/ });
    t.throws(() => native.mapFile(folder, 10), { code: 'EISDIR' });
    const link = join(folder, `${native.kind}-link`);
    symlinkSync(join(folder, 'elsewhere'), link);
    t.throws(() => native.mapFile(link, 10), { code: 'ELOOP' }, 'a symbolic link is not followed');
    t.throws(() => native.mapFile(join(folder, 'x'), 0), RangeError);
    t.throws(() => native.mapFile(join(folder, 'x'), 2 ** 31), RangeError);
    t.throws(() => native.mapFile('a\0b', 10), RangeError);
    t.throws(() => native.mapFile(`/${'a'.repeat(5000)}`, 10), RangeError);
    t.throws(() => native.mapFile(7 as never, 10), TypeError);
    t.throws(() => native.mapFlush(new Uint8Array(4) as never), TypeError);
    t.throws(() => native.mapFlush(undefined as never), TypeError);
    t.end();
  });

  t.test(`${native.kind}: huge pages are a hint, for arrays of any size and kind of memory; what is in them stays`, (t) => {
    for (const words of [
      new Int32Array(0),
      new Int32Array(7),
      new Int32Array(4 << 20),
      new Int32Array(new SharedArrayBuffer(8 << 20), 4, 2_000_000),
    ]) {
      words.fill(9);
      native.adviseHuge(words);
      t.ok(words.every((word) => word === 9));
    }
    t.throws(() => native.adviseHuge(new Uint8Array(4) as never), TypeError);
    t.throws(() => native.adviseHuge(undefined as never), TypeError);
    t.end();
  });

  t.test(`${native.kind}: the clock is CLOCK_MONOTONIC`, (t) => {
    const before = Number(process.hrtime.bigint()) / 1e6;
    const now = native.monotonicMs();
    const after = Number(process.hrtime.bigint()) / 1e6;
    t.ok(before <= now + 1e-3 && now <= after + 1e-3, `${before} <= ${now} <= ${after}`);
    t.end();
  });
}

t.test('GROUPWIRE_NATIVE=0 selects the twin, anything else the addon', (t) => {
  for (const [choice, kind] of [
    ['0', 'twin'],
    ['1', 'addon'],
    ['', 'addon'],
  ]) {
    const script = `console.log((await import('${module}')).loadNative().kind);`;
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      env: { ...process.env, GROUPWIRE_NATIVE: choice },
      encoding: 'utf8',
    });
    t.equal(child.stdout, `${kind}\n`, child.stderr);
  }
  t.end();
});
