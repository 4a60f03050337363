// Hits of access lists in a snapshot: by counter, whatever the order of rows was, and never less than before while workers take tables over.

import t from 'tap';
import { allocateShared, bankOf, Ctl, controlWords, countersOf } from '../../../../dataplane/mem/shared.js';
import type { Applier } from '../../../../dataplane/port/applier.js';
import { emptyRows, noTables } from '../../../../dataplane/port/empty-tables.js';
import { SnapshotMaker } from '../../../../dataplane/port/snapshot.js';
import { Ace } from '../../../../dataplane/tables/layout.js';

t.test('hits while workers take tables over', (t) => {
  const shared = allocateShared(2);
  const control = controlWords(shared);
  const blocks = [countersOf(shared, 0), countersOf(shared, 1)];
  const linux = { links: new Map(), addresses: [], routes: [], rules: [] };
  const applier = { linux, interfaces: [], portStates: [], tables: { head: noTables, rows: emptyRows() } } as unknown as Applier;
  const maker = new SnapshotMaker(shared, applier, { find: () => undefined } as never, { microsecondsOf: () => null }, 'openssl', () => 0);
  const hits = () => maker.make(1).aceHits;
  const publish = (epoch: number, counters: number[]) => {
    for (const [row, counter] of counters.entries()) bankOf(shared, epoch & 1).aces[row * Ace.Words + Ace.Counter] = counter;
    control[Ctl.Epoch] = epoch;
  };
  const acknowledge = (...epochs: number[]) => {
    for (const [worker, epoch] of epochs.entries()) control[Ctl.Ack + worker] = epoch;
  };

  publish(1, [5, 6]);
  acknowledge(1, 1);
  blocks[0].aceHits[0] = 20;
  blocks[1].aceHits[0] = 2;
  blocks[1].aceHits[1] = 1;
  t.strictSame(hits(), [0, 0, 0, 0, 0, 22, 1]);

  publish(2, [6, 5]); // the rows have changed places
  t.strictSame(hits(), [0, 0, 0, 0, 0, 22, 1], 'no worker has them');
  blocks[0].aceHits[0] = 0;
  acknowledge(2, 1);
  t.strictSame(hits(), [0, 0, 0, 0, 0, 22, 1], 'one is about to');
  blocks[0].aceTotals[5] = 20;
  blocks[1].aceTotals[5] = 2;
  blocks[1].aceTotals[6] = 1;
  blocks[1].aceHits.fill(0);
  blocks[1].aceHits[0] = 3;
  acknowledge(2, 2);
  t.strictSame(hits(), [0, 0, 0, 0, 0, 22, 4], 'all have');
  t.end();
});
