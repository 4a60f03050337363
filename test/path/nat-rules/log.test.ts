// Beginnings and ends of sessions as the worker notes them: in order, no more than there is room for, nothing while nobody asks.

import t from 'tap';
import { NatLogShape, natLogOf, takeNatLog } from '../../../dataplane/mem/nat-log.js';
import { Ctl, controlWords } from '../../../dataplane/mem/shared.js';
import { NatLogEvent, NatLogRow, NatRow } from '../../../dataplane/tables/layout.js';
import { datagram, server } from '../nat/flows.js';
import { routerOf } from './configured.js';

const pat = 'access-list 1 permit 10.0.1.0 0.0.0.255\nip nat inside source list 1 interface eth1 overload\n';

t.test('what begins and ends', (t) => {
  const router = routerOf(pat);
  const ring = natLogOf(router.shared, 0);
  const take = (): [event: number, port: number, ago: number][] => {
    const rows = takeNatLog(ring, router.nowMs);
    return Array.from({ length: rows.length / NatRow.Words }, (_, i) => {
      const at = i * NatRow.Words;
      return [rows[at + NatLogRow.Event], rows[at + NatRow.InsidePorts] >>> 16, rows[at + NatLogRow.At]];
    });
  };
  router.forward(0, datagram('10.0.1.10', server, 4999, 53));
  t.strictSame(take(), [], 'nobody asks');
  controlWords(router.shared)[Ctl.NatLog] = 1;
  router.forward(
    0,
    datagram('10.0.1.10', server, 5000, 53),
    datagram('10.0.1.10', server, 5001, 53),
    datagram('10.0.1.10', server, 5000, 53),
  );
  router.forward(1, datagram('172.16.1.2', server, 7000, 53)); // the router's own
  router.nowMs += 500;
  t.strictSame(take(), [
    [NatLogEvent.Created, 5000, 500],
    [NatLogEvent.Created, 5001, 500],
  ]);
  t.strictSame(take(), []);
  router.env.nat.sessions.clear();
  t.same(
    take()
      .map(([event, port]) => `${event} ${port}`)
      .sort(),
    ['2 4999', '2 5000', '2 5001'],
  );
  const flood = NatLogShape.Rows + 10;
  for (let i = 0; i < flood; i++) router.forward(0, datagram('10.0.1.10', `198.51.${i >> 8}.${i & 255}`, 5000, 53));
  t.match(router.counters(), { 'nat.log_lost': 10 });
  t.equal(router.env.nat.sessions.length, flood, 'the packets are not held up');
  t.equal(take().length, NatLogShape.Rows as number);
  router.forward(0, datagram('10.0.1.10', server, 9, 53));
  t.strictSame(
    take().map(([event]) => event),
    [NatLogEvent.Created],
  );
  t.equal(router.imbalance(), null);
  t.end();
});
