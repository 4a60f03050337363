// `ip virtual-reassembly`: fragments are checked without NAT too, and each bound does what it says.
import t from 'tap';
import { fragmentsOf } from '../fragmented.js';
import { branchPacket } from '../packets.js';
import { memberTables, Router, type TablesSpec } from '../router.js';

type Fragments = NonNullable<TablesSpec['ports'][number]['fragments']>;

function make(fragments: Partial<Fragments> | null): Router {
  const bounds = fragments && { drop: false, maxDatagrams: 0, maxFragments: 0, timeoutMs: 0, ...fragments };
  return new Router(
    memberTables(1, null, {
      entries: [],
      sas: [],
      ports: [{ address: '10.0.1.1', fragments: bounds ?? undefined }, { address: '172.16.1.2' }],
    }),
  );
}
const pieces = (id: number, size = 1000) => fragmentsOf(branchPacket(size, { id }), 256);

t.test('without the line fragments pass as they come; with it they wait for their first, and overlap ends them', (t) => {
  const [first, second] = pieces(1);
  t.equal(make(null).forward(0, second)[1].length, 1);
  const router = make({});
  t.equal(router.forward(0, second)[1].length, 0);
  t.equal(router.forward(0, first)[1].length, 2);
  t.equal(router.forward(0, second)[1].length, 0, 'a copy');
  t.match(router.counters(), { 'drop.fragment_duplicate': 1 });
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('max-reassemblies: one more is dropped; whole ones and those whose time is over do not count', (t) => {
  const router = make({ maxDatagrams: 3 });
  for (let id = 1; id <= 3; id++) t.equal(router.forward(0, pieces(id)[0])[1].length, 1, `${id} begins`);
  t.equal(router.forward(0, ...pieces(4))[1].length, 0);
  t.match(router.counters(), { 'drop.fragment_limit': 4 });
  t.equal(router.forward(0, ...pieces(2).slice(1))[1].length, 3, 'one that is known ends');
  t.equal(router.forward(0, ...pieces(5))[1].length, 4, 'and has made room');
  t.equal(router.forward(0, pieces(6)[0], pieces(7)[0])[1].length, 1);
  router.nowMs += 3000;
  t.equal(router.forward(0, pieces(8)[0], pieces(9)[0], pieces(10)[0], pieces(11)[0])[1].length, 3, 'after three seconds');
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('max-fragments: the one too many ends its datagram', (t) => {
  const router = make({ maxFragments: 4 });
  t.equal(router.forward(0, ...pieces(1, 1000))[1].length, 4);
  t.equal(router.forward(0, ...pieces(2, 1400))[1].length, 4, 'six pieces');
  t.match(router.counters(), { 'drop.fragment_limit': 2 });
  const [first, ...others] = pieces(3, 1400);
  t.equal(router.forward(0, ...others, first)[1].length, 0, 'those that waited for their first go with it');
  t.match(router.counters(), { 'drop.fragment_limit': 8 });
  t.equal(router.forward(0, ...pieces(4))[1].length, 4, 'others pass');
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('timeout: each interface its own', (t) => {
  const spec = memberTables(1, null, {
    entries: [],
    sas: [],
    ports: [
      { address: '10.0.1.1', fragments: { drop: false, maxDatagrams: 0, maxFragments: 0, timeoutMs: 10_000 } },
      { address: '172.16.1.2', fragments: { drop: false, maxDatagrams: 0, maxFragments: 0, timeoutMs: 1000 } },
    ],
  });
  const router = new Router(spec);
  const back = fragmentsOf(branchPacket(1000, { src: '10.0.2.10', dst: '10.0.1.10', id: 9 }), 256);
  router.forward(0, pieces(1)[1]);
  router.forward(1, back[1]);
  t.match(router.counters(), { 'path.held_packets': 2 });
  router.nowMs += 1000;
  router.pass();
  t.match(router.counters(), { 'path.held_packets': 1, 'drop.fragment_timeout': 1 });
  router.nowMs += 8998;
  router.pass();
  t.match(router.counters(), { 'path.held_packets': 1 });
  router.nowMs += 2;
  router.pass();
  t.match(router.counters(), { 'drop.fragment_timeout': 2 });
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('drop-fragments: none passes, whole datagrams do', (t) => {
  const router = make({ drop: true });
  t.equal(router.forward(0, ...pieces(1), branchPacket(1000))[1].length, 1);
  const esp = fragmentsOf(branchPacket(1000, { protocol: 50 }), 256);
  t.equal(router.forward(0, ...esp, branchPacket(1000, { protocol: 50 }))[1].length, 1, 'ESP');
  t.equal(
    router.forward(1, ...fragmentsOf(branchPacket(1000, { src: '10.0.2.10', dst: '10.0.1.10' }), 256))[0].length,
    4,
    'another interface',
  );
  t.match(router.counters(), { 'drop.fragment_refused': 8 });
  t.equal(router.imbalance(), null);
  t.end();
});
