// packet-tracer and NAT: what a trace foresees of sessions, lent addresses and limits is what the pipeline then does, and nobody notices a trace.

import t, { type Test } from 'tap';
import { dropsByReason } from '../../../dataplane/counters/drops.js';
import { natLogOf, takeNatLog } from '../../../dataplane/mem/nat-log.js';
import { Ctl, controlWords } from '../../../dataplane/mem/shared.js';
import { datagram, segment, server } from '../nat/flows.js';
import { tablesOf } from '../nat-rules/configured.js';
import { Router, type TablesSpec } from '../router.js';
import { Workers } from '../workers.js';
import { publish, sentPackets, tracedPackets, traceWith } from './tracing.js';

const inside = 'access-list 1 permit 10.0.1.0 0.0.0.255\n';

/** Asks first, then sends. @returns how many left */
function foresee(t: Test, router: Router, tables: TablesSpec, port: number, bytes: Uint8Array, what: string): number {
  const run = traceWith(router, tables, { port, datagram: bytes });
  const drops = dropsByReason(router.env.counters.drops);
  const sent = sentPackets(router.forward(port, bytes.slice()), tables);
  t.strictSame(tracedPackets(run), sent, what);
  t.strictSame(
    run.drops,
    dropsByReason(router.env.counters.drops).map((count, reason) => count - drops[reason]),
    `${what}: reasons`,
  );
  return sent.length;
}

t.test('outside source: a packet of a session, both ways, alone and with PAT', (t) => {
  for (const [text, seen] of [
    ['', '10.0.1.10'],
    [`${inside}ip nat inside source list 1 interface eth1 overload\n`, '172.16.1.2'],
  ]) {
    const tables = tablesOf(`${text}ip nat outside source static tcp ${server} 80 192.168.9.5 8080`);
    const router = new Router(tables);
    publish(router);
    t.equal(foresee(t, router, tables, 0, segment('10.0.1.10', '192.168.9.5', 5000, 8080, 2), 'the first'), 1);
    t.equal(foresee(t, router, tables, 1, segment(server, seen, 80, 5000, 0x12), 'its answer'), 1);
    t.equal(foresee(t, router, tables, 0, segment('10.0.1.10', '192.168.9.5', 5000, 8080, 0x10), 'one more'), 1);
    t.equal(router.env.nat.sessions.length, 1);
  }
  t.end();
});

t.test('outside source by a pool: the address that the outside host has', (t) => {
  const tables = tablesOf(
    'access-list 2 permit 198.51.100.0 0.0.0.255\nip nat pool O 192.168.9.5 192.168.9.9 prefix-length 24\nip nat outside source list 2 pool O\nip nat inside source static 10.0.1.10 172.16.1.50',
  );
  const router = new Router(tables);
  publish(router);
  router.forward(1, segment('198.51.100.8', '172.16.1.50', 7, 22, 2));
  router.forward(1, segment(server, '172.16.1.50', 7, 22, 2));
  t.equal(foresee(t, router, tables, 1, segment(server, '172.16.1.50', 8, 22, 2), 'another flow of the host'), 1);
  t.equal(foresee(t, router, tables, 0, segment('10.0.1.10', '192.168.9.6', 22, 7, 0x12), 'an answer'), 1);
  t.equal(foresee(t, router, tables, 0, segment('10.0.1.10', '192.168.9.6', 99, 9, 2), 'a flow to the host'), 1);
  t.end();
});

t.test('a pool without overload: the address that the host has, reached from outside, and none is left', (t) => {
  const tables = tablesOf(`${inside}ip nat pool P 172.16.1.60 172.16.1.61 prefix-length 24\nip nat inside source list 1 pool P`);
  const router = new Router(tables);
  publish(router);
  router.forward(0, datagram('10.0.1.9', server, 5000, 53));
  router.forward(0, datagram('10.0.1.10', server, 5000, 53));
  t.equal(foresee(t, router, tables, 0, datagram('10.0.1.10', server, 6000, 54), 'another flow of the host'), 1);
  t.equal(foresee(t, router, tables, 1, segment('203.0.113.9', '172.16.1.61', 7, 22, 2), 'from outside'), 1);
  t.equal(foresee(t, router, tables, 0, datagram('10.0.1.11', server, 5000, 53), 'a host for which none is left'), 1, 'it is told');
  t.match(router.counters(), { 'drop.nat_no_address': 1 });
  t.end();
});

t.test('a host that has as many sessions as it may', (t) => {
  const tables = tablesOf(`${inside}ip nat inside source list 1 interface eth1 overload\nip nat translation max-entries all-host 2`);
  const router = new Router(tables);
  publish(router);
  for (const port of [1000, 1001]) router.forward(0, datagram('10.0.1.10', server, port, 53));
  t.equal(foresee(t, router, tables, 0, datagram('10.0.1.10', server, 1001, 53), 'one that it has'), 1);
  foresee(t, router, tables, 0, datagram('10.0.1.10', server, 1002, 53), 'one more');
  t.match(router.counters(), { 'drop.nat_host_full': 1 });
  t.end();
});

t.test('several workers: the port, or the address, of the worker’s share', (t) => {
  for (const statement of ['interface eth1 overload', 'pool P overload', 'pool P']) {
    const tables = tablesOf(`${inside}ip nat pool P 172.16.1.60 172.16.1.69 prefix-length 24\nip nat inside source list 1 ${statement}`);
    const workers = new Workers(2, tables);
    for (const router of workers.all) publish(router);
    for (let i = 0; i < 8; i++) {
      const bytes = datagram(`10.0.1.${10 + i}`, server, 5000, 53);
      const run = traceWith(workers.all[0], tables, { port: 0, datagram: bytes });
      workers.all[0].inputs[0].push(bytes.slice());
      t.strictSame(tracedPackets(run), sentPackets([[], workers.run(1).flat()], tables), `${statement}: host ${i}`);
    }
    t.equal(workers.imbalance(), null);
  }
  t.end();
});

t.test('hairpin: a new flow and its answer, one worker and several', (t) => {
  const tables = tablesOf(
    `${inside}ip nat inside source list 1 interface eth1 overload\nip nat inside source static tcp 10.0.1.10 80 interface eth1 8080`,
  );
  const router = new Router(tables);
  publish(router);
  t.equal(foresee(t, router, tables, 0, segment('10.0.1.11', '172.16.1.2', 5000, 8080, 2), 'the first'), 1);
  t.equal(foresee(t, router, tables, 0, segment('10.0.1.10', '172.16.1.2', 80, 5000, 0x12), 'its answer'), 1);
  t.equal(foresee(t, router, tables, 0, segment('10.0.1.11', '172.16.1.2', 5000, 8081, 2), 'for the router itself'), 1);
  const workers = new Workers(2, tables);
  for (const worker of workers.all) publish(worker);
  for (let i = 0; i < 8; i++) {
    const bytes = segment(`10.0.1.${20 + i}`, '172.16.1.2', 5000, 8080, 2);
    const run = traceWith(workers.all[0], tables, { port: 0, datagram: bytes });
    workers.all[0].inputs[0].push(bytes.slice());
    t.strictSame(tracedPackets(run), sentPackets([workers.run(0).flat()], tables), `host ${i}`);
  }
  t.end();
});

t.test('a trace is not logged, and writes into nobody’s sessions', (t) => {
  const tables = tablesOf(`${inside}ip nat inside source list 1 interface eth1 overload`);
  for (const count of [1, 2]) {
    const workers = new Workers(count, tables);
    const [router] = workers.all;
    for (const worker of workers.all) publish(worker);
    controlWords(router.shared)[Ctl.NatLog] = 1;
    const before = workers.all.map(({ env }) => env.nat.sessions.rows.slice(0, 1 << 16));
    for (let i = 0; i < 4; i++) traceWith(router, tables, { port: 0, datagram: datagram(`10.0.1.${10 + i}`, server, 5000, 53) });
    for (const [i, { env }] of workers.all.entries()) {
      t.equal(takeNatLog(natLogOf(router.shared, i), 0).length, 0, 'no beginning is noted');
      t.strictSame(env.nat.sessions.rows.slice(0, 1 << 16), before[i]);
    }
  }
  t.end();
});
