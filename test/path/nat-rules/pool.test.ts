// Pools on the whole path: an address for each host, shared ones, match-host; exhausted, given back, from outside.

import t from 'tap';
import { datagram, expectFlow, read, segment, server } from '../nat/flows.js';
import { ip } from '../packets.js';
import { routerOf, workersOf } from './configured.js';

const inside = 'access-list 1 permit 10.0.0.0 0.0.255.255\nroute-map R permit 10\n match ip address 1\n';
const two = `${inside}ip nat pool P 172.16.1.50 172.16.1.51 prefix-length 24\n`;

t.test('an address for each host, for all of its flows; back when the last of them ends', (t) => {
  const router = routerOf(`${two}ip nat inside source list 1 pool P`);
  expectFlow(t, router.forward(0, datagram('10.0.1.10', server, 5000, 53))[1][0], '172.16.1.50', 5000, server, 53);
  expectFlow(t, router.forward(0, datagram('10.0.1.11', server, 5000, 53))[1][0], '172.16.1.51', 5000, server, 53);
  expectFlow(t, router.forward(0, segment('10.0.1.10', server, 5000, 80, 2))[1][0], '172.16.1.50', 5000, server, 80);
  t.equal(router.forward(0, datagram('10.0.1.12', server, 5000, 53))[1].length, 0, 'none is left');
  t.match(router.counters(), { 'drop.nat_no_address': 1 });
  expectFlow(t, router.forward(0, datagram('10.0.1.11', server, 5000, 53))[1][0], '172.16.1.51', 5000, server, 53);
  router.nowMs += 61_000; // DNS and the unanswered TCP end
  expectFlow(t, router.forward(0, datagram('10.0.1.11', server, 5001, 999))[1][0], '172.16.1.51', 5001, server, 999);
  router.pass();
  const { src } = read(t, router.forward(0, datagram('10.0.1.12', server, 5000, 53))[1][0]);
  t.equal(src, ip('172.16.1.50'), 'free again');
  t.equal(router.env.natBegin.globals.length, 2);
  router.env.nat.sessions.clear();
  t.equal(router.env.natBegin.globals.length, 0);
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('by a list the host is reached while it has the address; by a route-map only in its own flows', (t) => {
  const byList = routerOf(`${two}ip nat inside source list 1 pool P`);
  byList.forward(0, datagram('10.0.1.10', server, 5000, 53));
  expectFlow(t, byList.forward(1, segment('203.0.113.9', '172.16.1.50', 7, 22, 2))[0][0], '203.0.113.9', 7, '10.0.1.10', 22);
  expectFlow(t, byList.forward(0, segment('10.0.1.10', '203.0.113.9', 22, 7, 0x12))[1][0], '172.16.1.50', 22, '203.0.113.9', 7);
  t.equal(byList.forward(1, segment('203.0.113.9', '172.16.1.51', 7, 22, 2))[0].length, 0, 'nobody has it');
  const byMap = routerOf(`${two}ip nat inside source route-map R pool P`);
  byMap.forward(0, datagram('10.0.1.10', server, 5000, 53));
  t.equal(byMap.forward(1, segment('203.0.113.9', '172.16.1.50', 7, 22, 2))[0].length, 0);
  expectFlow(t, byMap.forward(1, datagram(server, '172.16.1.50', 53, 5000))[0][0], server, 53, '10.0.1.10', 5000);
  for (const router of [byList, byMap]) {
    t.match(router.counters(), { 'drop.nat_no_mapping': 1 });
    t.equal(router.imbalance(), null);
  }
  t.end();
});

t.test('overload: a host keeps to one address; when that has no port, another has', (t) => {
  const router = routerOf(`${two}ip nat inside source list 1 pool P overload`);
  const used = new Map<string, Set<number>>();
  for (let i = 0; i < 200; i++) {
    const host = `10.0.1.${10 + (i % 20)}`;
    const { src } = read(t, router.forward(0, datagram(host, `198.51.100.${1 + (i % 7)}`, 5000 + i, 53))[1][0]);
    used.set(host, (used.get(host) ?? new Set()).add(src));
  }
  for (const [host, addresses] of used) t.equal(addresses.size, 1, host);
  t.equal(new Set([...used.values()].flatMap((addresses) => [...addresses])).size, 2, 'both are used');
  const tuples = new Set<string>();
  for (let i = 0; i < 1030; i++) {
    const [out] = router.forward(0, datagram(`10.0.${2 + (i >> 7)}.${10 + (i & 127)}`, server, 7, 9))[1];
    if (out) tuples.add(`${read(t, out).src} ${read(t, out).ports[0]}`);
  }
  t.equal(tuples.size, 1022, 'ports 1 to 511 of both, and no tuple twice');
  t.match(router.counters(), { 'drop.nat_no_port': 8 });
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('match-host: the host’s part stays, as far as the pool goes', (t) => {
  const router = routerOf(
    `${inside}ip nat pool P 203.0.113.10 203.0.113.20 prefix-length 24 type match-host\nip nat inside source list 1 pool P`,
  );
  expectFlow(t, router.forward(0, datagram('10.0.1.15', server, 5000, 53))[1][0], '203.0.113.15', 5000, server, 53);
  t.equal(router.forward(0, datagram('10.0.2.15', server, 5000, 53))[1].length, 0, 'somebody has it');
  t.equal(router.forward(0, datagram('10.0.1.21', server, 5000, 53))[1].length, 0, 'beyond the pool');
  t.match(router.counters(), { 'drop.nat_no_address': 2 });
  t.end();
});

t.test('several workers: each lends its share, and what comes back finds it', (t) => {
  for (const overload of ['', ' overload']) {
    const workers = workersOf(
      3,
      `${inside}ip nat pool P 172.16.1.50 172.16.1.109 prefix-length 24\nip nat inside source list 1 pool P${overload}`,
    );
    const tuples = new Set<string>();
    for (let i = 0; i < 30; i++) {
      const host = `10.0.1.${10 + i}`;
      workers.all[i % 3].inputs[0].push(datagram(host, server, 5000, 53));
      const { src, ports } = read(t, workers.run(1).flat()[0]);
      tuples.add(`${src} ${ports[0]}`);
      workers.all[(i + 1) % 3].inputs[1].push(datagram(server, `172.16.1.${src & 255}`, 53, ports[0]));
      expectFlow(t, workers.run(0).flat()[0], server, 53, host, 5000);
    }
    t.equal(tuples.size, 30);
    t.equal(workers.imbalance(), null);
  }
  t.end();
});

t.test('a session that does not come about keeps no address: of the inside host, of the outside host', (t) => {
  const limit = 'ip nat translation max-entries all-host 1\n';
  const router = routerOf(
    `${limit}ip access-list extended DNS\n permit udp any any eq 53\n${inside}ip nat pool P 172.16.1.50 172.16.1.59 prefix-length 24\nip nat inside source list DNS interface eth1 overload\nip nat inside source list 1 pool P`,
  );
  t.equal(router.forward(0, datagram('10.0.1.10', server, 5000, 53))[1].length, 1);
  t.equal(router.forward(0, datagram('10.0.1.10', server, 5000, 80))[1].length, 0);
  t.equal(router.env.natBegin.globals.length, 0);
  t.equal(router.forward(1, datagram(server, '172.16.1.50', 80, 22))[0].length, 0, 'nobody is reached by it');
  t.match(router.counters(), { 'drop.nat_host_full': 1, 'drop.nat_no_mapping': 1 });

  // Whoever is outside could else take all addresses of the pool.
  const far = routerOf(
    `${limit}access-list 2 permit 198.51.100.0 0.0.0.255\nip nat pool O 192.168.9.5 192.168.9.6 prefix-length 24\nip nat outside source list 2 pool O\nip nat inside source static 10.0.1.10 172.16.1.50\nip nat inside source static 10.0.1.11 172.16.1.51`,
  );
  for (const last of [7, 8, 9]) far.forward(1, datagram(`198.51.100.${last}`, '172.16.1.50', 7, 22));
  t.equal(far.env.natBegin.locals.length, 1);
  t.equal(far.forward(1, datagram('198.51.100.10', '172.16.1.51', 7, 22))[0].length, 1);
  t.match(far.counters(), { 'drop.nat_host_full': 2 });
  t.equal(far.imbalance(), null);
  t.end();
});
