// What a member costs its key server must not grow with the number of members: the work of a registration and of a rekey to all, per member,
// at 4,000 members and at 1,000 (`MEMBERS=10000` for more). Counted, not timed (work.ts); bench/control.ts has the times.

import t from 'tap';
import { type Work, WorkCounter } from './work.js';

const Sample = 250;
const Growth = 1.3;
const Many = Number(process.env.MEMBERS ?? 4000);

const counter = new WorkCounter();
const { ControlLoad } = await import('../../bench/control-load.js');
const saved = { bytes: 0, entries: 0 };
const store = {
  save(bytes: Uint8Array): void {
    saved.bytes += bytes.length;
  },
  append(): void {
    saved.entries++;
  },
};

function countedRun(run: () => void): Work {
  counter.start();
  run();
  return counter.take();
}

/** A key server that has seen nothing else: what it offers, one TEK, is the same at every size. */
function sizeUp(members: number) {
  const load = new ControlLoad(19, store, counter.around);
  load.register(members - Sample);
  const registration = countedRun(() => load.register(Sample));
  const rekey = countedRun(() => load.rekey());
  load.renewKek(86_400 - members / 1000); // another lifetime: the next rekey brings a new KEK
  const kekChange = countedRun(() => load.rekey());
  return { registration, rekey, kekChange };
}

t.test('registration and rekey cost the same among many members as among 1,000', async (t) => {
  const few = sizeUp(1000);
  const many = sizeUp(Many);
  const perMember = ({ blocks }: Work, members: number): number => blocks / members;
  const growth = perMember(many.registration, Sample) / perMember(few.registration, Sample);
  t.ok(growth <= Growth && growth >= 1 / Growth, `a registration is ${growth.toFixed(2)} times the work`);
  t.ok(perMember(few.registration, Sample) > 100, 'the work was counted');
  for (const which of ['rekey', 'kekChange'] as const) {
    const ratio = perMember(many[which], Many) / perMember(few[which], 1000);
    t.ok(ratio <= Growth && ratio >= 1 / Growth, `${which}: ${ratio.toFixed(2)} times the work per member`);
    t.ok(perMember(few[which], 1000) > 20, 'the work was counted');
    for (const { crypto } of [few[which], many[which]]) {
      t.equal(crypto.sign, 1, `${which}: signed once`);
      t.equal(crypto.createCipheriv, 1, `${which}: encrypted once`);
    }
  }
  t.ok(saved.entries > Many - 2 * 256 && saved.bytes < 300e6, `registrations were saved one by one: ${JSON.stringify(saved)}`);
  t.same(many.registration.crypto, few.registration.crypto, 'no cipher, hash or key more');
});
