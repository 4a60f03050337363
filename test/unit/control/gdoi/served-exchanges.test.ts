// What members have begun at a key server is bounded, per SA and in all (bad-input 17).

import t from 'tap';
import { ServedExchanges } from '../../../../control/gdoi/served-exchanges.js';
import { newPhase1Sa } from '../../../../control/isakmp/main-mode.js';
import type { Phase1Sa } from '../../../../control/isakmp/phase1-sa.js';

const policy = {
  line: 1,
  priority: 1,
  encryption: 'aes-128',
  hash: 'sha256',
  authentication: 'pre-share',
  group: 19,
  lifetimeSeconds: 60,
} as const;
const saOf = (n: number): Phase1Sa =>
  newPhase1Sa(n, Uint8Array.of(0, 0, 0, 0, 0, 0, n >> 8, n), false, { address: 1, port: 848 }, { address: n, port: 848 }, policy, 0);

function begin(
  served: ServedExchanges<{ sa: Phase1Sa; messageId: number; createdAt: number }>,
  sa: Phase1Sa,
  messageId: number,
  createdAt = 0,
): void {
  served.makeRoom(sa);
  served.add({ sa, messageId, createdAt });
}

t.test('eight of one SA: the oldest goes', async (t) => {
  const served = new ServedExchanges();
  const [one, other] = [saOf(1), saOf(2)];
  begin(served, other, 1);
  for (let id = 1; id <= 10; id++) begin(served, one, id);
  t.same(
    Array.from({ length: 10 }, (_, n) => served.find(one, n + 1) !== undefined),
    [false, false, ...Array(8).fill(true)],
  );
  t.ok(served.find(other, 1), 'another SA’s stay');
  served.forget(one);
  t.notOk(served.find(one, 10), 'gone with the SA');
});

t.test('4,096 in all: the oldest goes; after a minute all', async (t) => {
  const served = new ServedExchanges();
  const sas = Array.from({ length: 1025 }, (_, n) => saOf(n));
  for (const [n, sa] of sas.entries()) for (let id = 1; id <= 4; id++) begin(served, sa, id, n);
  const left = () => sas.reduce((sum, sa) => sum + [1, 2, 3, 4].filter((id) => served.find(sa, id)).length, 0);
  t.equal(left(), 4096);
  t.notOk(served.find(sas[0], 4), 'the first');
  t.ok(served.find(sas[1024], 4), 'the last');
  served.dropOld(60_500);
  t.equal(left(), 4 * 525, 'those that are not a minute old');
  served.dropOld(100_000);
  t.equal(left(), 0);
});
