// Who seals, and sleep and wake between two real threads. The ring itself: test/property/dataplane/mem; packets through it: test/path/workers.
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { HandOver } from '../../../../dataplane/mem/hand-over.js';
import { allocateShared } from '../../../../dataplane/mem/shared.js';
import { Slots } from '../../../../dataplane/mem/slots.js';
import { loadNative, ownerOf } from '../../../../dataplane/native/native.js';
import { Cap, Sa } from '../../../../dataplane/tables/layout.js';
import { type Partner, play } from './hand-over-partner.js';

t.test('who seals: with sender IDs one that has one of its own, without them the owner of the source', (t) => {
  const sas = new Int32Array(Cap.Sas * Sa.Words);
  const slots = new Slots();
  for (const workers of [2, 3, 16]) {
    const shared = allocateShared(workers);
    for (let worker = 0; worker < workers; worker++) {
      const handOver = new HandOver(slots, shared, worker, [], () => undefined);
      for (let ids = 0; ids <= Cap.Sids; ids++) {
        sas[Sa.SidBits] = 24;
        sas[Sa.SidCount] = ids;
        handOver.adopt(sas);
        const sealer = handOver.sealerOf(0, 0x0a000001);
        // Worker w has the IDs at w, w + workers, …: its first is there when w < ids.
        if (worker < ids || ids === 0) t.equal(sealer, worker);
        else if (sealer >= ids) t.fail(`${ids} IDs: worker ${worker} gives to ${sealer}, which has none`);
      }
      sas[Sa.SidBits] = 0;
      handOver.adopt(sas);
      for (let source = 1; source < 50; source++) {
        if (handOver.sealerOf(0, source) !== ownerOf(source, workers)) t.fail(`source ${source}`);
      }
    }
  }
  t.end();
});

t.test('two threads that sleep: no wake-up is lost', async (t) => {
  const native = loadNative();
  const partner: Omit<Partner, 'index'> = {
    shared: allocateShared(2),
    wakeFds: [native.wakeOpen(), native.wakeOpen()],
    rounds: 20_000,
  };
  const worker = new Worker(new URL('./hand-over-partner.js', import.meta.url), { workerData: { ...partner, index: 1 } });
  const answer = new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  const exited = new Promise((resolve) => worker.once('exit', resolve));
  await new Promise((resolve) => worker.once('online', resolve));
  t.equal(play({ ...partner, index: 0 }, true), null);
  t.equal(await answer, null);
  await exited;
  partner.wakeFds.forEach(native.fdClose);
});
