import t from 'tap';
import { allocateShared, Ctl, controlWords } from '../../../../dataplane/mem/shared.js';
import { loadNative } from '../../../../dataplane/native/native.js';
import { WorkerSet } from '../../../../dataplane/port/worker-set.js';

t.test('a worker that takes no turn is found, and none that has not begun', async (t) => {
  const shared = allocateShared(2);
  const control = controlWords(shared);
  const events = { event: () => undefined, portClosed: () => undefined, died: () => undefined };
  // Threads that do nothing: what they would write is written here.
  const idle = new URL('data:text/javascript,setInterval(() => {}, 1000)');
  const workers = new WorkerSet(shared, loadNative(), events, idle, '/nonexistent');
  t.teardown(() => workers.stop());
  for (let second = 0; second < 60; second++) t.equal(workers.findStuck(), null);
  const take = (worker: number) => Atomics.store(control, Ctl.Seen + worker, Atomics.load(control, Ctl.Turn));
  take(0);
  take(1);
  for (let second = 0; second < 15; second++) {
    t.equal(workers.findStuck(), null, `second ${second}`);
    take(0);
  }
  t.equal(workers.findStuck(), 1);
  take(1);
  t.equal(workers.findStuck(), null, 'it was only late');
});
