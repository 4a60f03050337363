// A real worker thread: it takes published tables over, opens and closes ports when told, and stops. What it does with packets is
// shown by test/path and test/netns.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { LinkKind } from '../../../dataplane/mem/links.js';
import { listKnownSenders, readBootId } from '../../../dataplane/mem/sender-state.js';
import { allocateShared, Ctl, controlWords, countersOf } from '../../../dataplane/mem/shared.js';
import { loadNative } from '../../../dataplane/native/native.js';
import type { FromWorker, ToWorker } from '../../../dataplane/port/worker-messages.js';
import { memberTables, writeBank } from '../../path/router.js';

const native = loadNative();

async function until(what: string, done: () => boolean): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    if (done()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`never: ${what}`);
}

t.test('worker', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'groupwire-worker-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const shared = allocateShared(1);
  const control = controlWords(shared);
  const wakeFd = native.wakeOpen();
  control[Ctl.NowSeconds] = 1_800_000_000;
  const senderStatePath = join(folder, 'senders');
  const worker = new Worker(new URL('../../../dataplane/worker.js', import.meta.url), {
    workerData: { index: 0, shared, wakeFds: [wakeFd], senderStatePath, native: true },
  });
  const heard: FromWorker[] = [];
  worker.on('message', (message: FromWorker) => heard.push(message));
  const failures: unknown[] = [];
  worker.on('error', (error) => failures.push(error));
  const exited = new Promise<number>((resolve) => worker.once('exit', resolve));
  const publish = (epoch: number) => {
    Atomics.store(control, Ctl.Epoch, epoch);
    native.wakeSignal(wakeFd);
  };

  writeBank(shared, 1, memberTables(1, { spi: 0x1234, transform: 'gcm-256', sids: [7], serial: 42 }));
  publish(1);
  await until('tables are taken over', () => Atomics.load(control, Ctl.Ack) === 1);
  t.equal(countersOf(shared, 0).saSerials[0], 42);
  t.strictSame(listKnownSenders(senderStatePath, readBootId(), 1), [`${0x1234}:7`]);

  Atomics.store(control, Ctl.Turn, 5);
  native.wakeSignal(wakeFd);
  await until('the turn is seen', () => Atomics.load(control, Ctl.Seen) === 5);

  const broken = memberTables(1, { spi: 0x1235, transform: 'gcm-256', sids: [7], serial: 43 });
  writeBank(shared, 0, broken);
  publish(2);
  await until('the next tables too', () => Atomics.load(control, Ctl.Ack) === 2);
  t.equal(countersOf(shared, 0).saSerials[0], 43);

  const fd = native.tunOpen(`gwt${process.pid}`.slice(0, 15), false, true);
  const tell = (message: ToWorker) => {
    worker.postMessage(message);
    native.wakeSignal(wakeFd);
  };
  tell({ kind: 'port-open', port: 3, links: [{ fd, kind: LinkKind.Tun }] });
  tell({ kind: 'port-close', port: 3 });
  tell({ kind: 'port-close', port: 3 }); // as when it crosses a `port-closed`: answered once
  await until('the port is closed', () => heard.length > 0);
  t.strictSame(heard, [{ kind: 'port-closed', port: 3 }]);
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.equal(heard.length, 1);
  native.fdClose(fd);

  Atomics.store(control, Ctl.Stop, 1);
  native.wakeSignal(wakeFd);
  t.equal(await exited, 0);
  t.strictSame(failures, []);
  native.fdClose(wakeFd);
});
