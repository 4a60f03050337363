import t from 'tap';
import { lastKnown } from '../../../control/last-known.js';
import type { SnapshotHead } from '../../../dataplane/tables/message.js';

t.test('a dataplane that is late has not lost its counters, one that is gone has', async (t) => {
  const heads = [1, 2].map((packets) => ({ path: [packets] }) as SnapshotHead);
  const answers = [heads[0], null, null, heads[1], null];
  const link = { connected: true, snapshot: async () => answers.shift() ?? null };
  const ask = lastKnown(link);
  t.equal(await ask(), heads[0]);
  t.equal(await ask(), heads[0], 'late');
  t.equal(await ask(), heads[0], 'late again');
  t.equal(await ask(), heads[1]);
  link.connected = false;
  t.equal(await ask(), null, 'gone');
  link.connected = true;
  t.equal(await ask(), null, 'back, and has said nothing yet');
});
