// Static translations on the whole path: from both sides, of an address, a port, a network, with a route-map, beside PAT.

import t from 'tap';
import { datagram, expectFlow, icmp, read, segment, server, summed } from '../nat/flows.js';
import { ip, udp } from '../packets.js';
import { routerOf, workersOf } from './configured.js';

const own = '172.16.1.2';
const pat = 'access-list 1 permit 10.0.1.0 0.0.0.255\nip nat inside source list 1 interface eth1 overload\n';

t.test('an address: the host is reached from outside and is seen as its global address, whatever the protocol', (t) => {
  const router = routerOf(`${pat}ip nat inside source static 10.0.1.10 172.16.1.50`);
  expectFlow(t, router.forward(1, segment(server, '172.16.1.50', 999, 22, 2))[0][0], server, 999, '10.0.1.10', 22);
  expectFlow(t, router.forward(0, segment('10.0.1.10', server, 22, 999, 0x12))[1][0], '172.16.1.50', 22, server, 999);
  expectFlow(t, router.forward(0, datagram('10.0.1.10', server, 5000, 53))[1][0], '172.16.1.50', 5000, server, 53);
  expectFlow(t, router.forward(0, datagram('10.0.1.11', server, 5000, 53))[1][0], own, 5000, server, 53);
  const data = Uint8Array.of(1, 2, 3, 4);
  const asked = router.forward(1, icmp(server, '172.16.1.50', 8, 0, 0x4d2_0001, data))[0][0];
  t.strictSame([read(t, asked).dst, new DataView(asked.buffer).getUint16(24)], [ip('10.0.1.10'), 0x4d2]);
  const answer = router.forward(0, icmp('10.0.1.10', server, 0, 0, 0x4d2_0001, data))[1][0];
  t.equal(read(t, answer).src, ip('172.16.1.50'));
  const error = router.forward(
    1,
    icmp('203.0.113.9', '172.16.1.50', 11, 0, 0, router.forward(0, datagram('10.0.1.10', server, 7, 53))[1][0].subarray(0, 28)),
  );
  t.equal(read(t, error[0][0]).dst, ip('10.0.1.10'), 'an ICMP error too');
  t.equal(
    router.forward(1, icmp('203.0.113.9', '172.16.1.50', 11, 0, 0, datagram('172.16.1.50', server, 99, 9).subarray(0, 28)))[0].length,
    0,
  );
  t.match(router.counters(), { 'drop.nat_no_mapping': 1 }, 'an error about nothing is not for the router');
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('a port: of the interface or of another address, the rest of the host is PAT’s, and PAT never takes the port', (t) => {
  const router = routerOf(
    `${pat}ip nat inside source static tcp 10.0.1.10 80 interface eth1 8080\nip nat inside source static udp 10.0.1.11 53 172.16.1.51 5353\n`,
  );
  expectFlow(t, router.forward(1, segment(server, own, 999, 8080, 2))[0][0], server, 999, '10.0.1.10', 80);
  expectFlow(t, router.forward(0, segment('10.0.1.10', server, 80, 999, 0x12))[1][0], own, 8080, server, 999);
  expectFlow(t, router.forward(0, segment('10.0.1.10', server, 81, 999, 2))[1][0], own, 81, server, 999);
  const { ports } = read(t, router.forward(0, segment('10.0.1.12', '198.51.100.9', 8080, 80, 2))[1][0]);
  t.not(ports[0], 8080, 'also to a peer that has no session');
  expectFlow(t, router.forward(0, datagram('10.0.1.12', server, 8080, 80))[1][0], own, 8080, server, 80);
  expectFlow(t, router.forward(1, datagram(server, '172.16.1.51', 7, 5353))[0][0], server, 7, '10.0.1.11', 53);
  t.equal(router.forward(1, datagram(server, '172.16.1.51', 7, 5354))[0].length, 0);
  t.match(router.counters(), { 'drop.nat_no_mapping': 1 });
  t.equal(router.forward(1, segment(server, own, 999, 8081, 2))[0].length, 0);
  t.match(router.counters(), { 'path.punted_packets': 1 }, 'for the router itself');
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('UDP ports of IKE and GDOI are the router’s: what comes for them never comes here', (t) => {
  const router = routerOf(pat);
  for (const port of [500, 848, 4500]) {
    const { ports } = read(t, router.forward(0, datagram('10.0.1.10', server, port, port))[1][0]);
    t.notOk([500, 848, 4500].includes(ports[0]));
  }
  t.end();
});

t.test('a network: the host’s part stays', (t) => {
  const router = routerOf('ip nat inside source static network 10.0.1.0 203.0.113.0 /24');
  expectFlow(t, router.forward(0, datagram('10.0.1.77', server, 5000, 53))[1][0], '203.0.113.77', 5000, server, 53);
  expectFlow(t, router.forward(1, datagram(server, '203.0.113.78', 7, 8))[0][0], server, 7, '10.0.1.78', 8);
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('with a route-map: both ways only what it permits, and two for one host', (t) => {
  const router = routerOf(`ip access-list extended A
 permit ip host 10.0.1.10 198.51.100.0 0.0.0.255
ip access-list extended B
 permit ip host 10.0.1.10 203.0.113.0 0.0.0.255
route-map A permit 10
 match ip address A
route-map B permit 10
 match ip address B
ip nat inside source static 10.0.1.10 172.16.1.50 route-map A
ip nat inside source static 10.0.1.10 172.16.1.51 route-map B
`);
  expectFlow(t, router.forward(0, datagram('10.0.1.10', '198.51.100.7', 5, 53))[1][0], '172.16.1.50', 5, '198.51.100.7', 53);
  expectFlow(t, router.forward(0, datagram('10.0.1.10', '203.0.113.7', 5, 53))[1][0], '172.16.1.51', 5, '203.0.113.7', 53);
  expectFlow(t, router.forward(0, datagram('10.0.1.10', '192.0.2.7', 5, 53))[1][0], '10.0.1.10', 5, '192.0.2.7', 53);
  expectFlow(t, router.forward(1, datagram('203.0.113.7', '172.16.1.51', 9, 53))[0][0], '203.0.113.7', 9, '10.0.1.10', 53);
  t.equal(router.forward(1, datagram('203.0.113.7', '172.16.1.50', 9, 53))[0].length, 0, 'not of this one');
  t.match(router.counters(), { 'drop.nat_no_mapping': 1 });
  t.end();
});

t.test('fragments from outside begin a session with their first', (t) => {
  const router = routerOf('ip nat inside source static udp 10.0.1.10 53 172.16.1.50 53');
  const first = summed({ src: server, dst: '172.16.1.50', mf: true }, udp(9, 53, 64), 6);
  const later = summed({ src: server, dst: '172.16.1.50', fragmentOffset: 72 }, udp(9, 53, 64), 6);
  t.equal(router.forward(1, first, later)[0].length, 2);
  t.equal(router.forward(1, summed({ src: server, dst: '172.16.1.50', id: 5, fragmentOffset: 72 }, udp(9, 53, 64), 6))[0].length, 0);
  router.nowMs += 4000;
  router.pass();
  t.match(router.counters(), { 'drop.fragment_timeout': 1 }, 'without its first');
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('GRE and ESP to a host with an address of its own, from outside first', (t) => {
  const router = routerOf('ip nat inside source static 10.0.1.10 172.16.1.50');
  for (const protocol of [47, 50]) {
    const packet = (src: string, dst: string) =>
      summed(
        { src, dst, protocol },
        Uint8Array.from({ length: 40 }, (_, i) => i),
        30,
      );
    t.equal(new DataView(router.forward(1, packet(server, '172.16.1.50'))[0][0].buffer).getUint32(16), ip('10.0.1.10'));
    t.equal(new DataView(router.forward(0, packet('10.0.1.10', server))[1][0].buffer).getUint32(12), ip('172.16.1.50'));
  }
  t.end();
});

t.test('several workers: whoever a packet comes to, its session is the inside host’s worker’s', (t) => {
  const lines = Array.from({ length: 20 }, (_, i) => `ip nat inside source static 10.0.1.${10 + i} 172.16.1.${50 + i}`);
  const workers = workersOf(3, `${lines.join('\n')}\nip nat inside source static tcp 10.0.1.40 80 interface eth1 8080\n`);
  for (let i = 0; i < 20; i++) {
    const [host, seen] = [`10.0.1.${10 + i}`, `172.16.1.${50 + i}`];
    workers.all[i % 3].inputs[1].push(datagram(server, seen, 5000, 53));
    expectFlow(t, workers.run(0).flat()[0], server, 5000, host, 53);
    workers.all[(i + 1) % 3].inputs[0].push(datagram(host, server, 53, 5000));
    expectFlow(t, workers.run(1).flat()[0], seen, 53, server, 5000);
    workers.all[(i + 2) % 3].inputs[1].push(icmp('203.0.113.9', seen, 11, 0, 0, datagram(seen, server, 53, 5000).subarray(0, 28)));
    t.equal(read(t, workers.run(0).flat()[0]).dst, ip(host), 'an ICMP error too');
  }
  workers.all[1].inputs[1].push(segment(server, '172.16.1.2', 77, 8080, 2));
  expectFlow(t, workers.run(0).flat()[0], server, 77, '10.0.1.40', 80);
  workers.all[2].inputs[0].push(segment('10.0.1.40', server, 80, 77, 0x12));
  expectFlow(t, workers.run(1).flat()[0], '172.16.1.2', 8080, server, 77);
  t.equal(
    workers.all.reduce((sum, { env }) => sum + env.nat.sessions.length, 0),
    21,
    'one session each',
  );
  t.equal(workers.imbalance(), null);
  t.end();
});
