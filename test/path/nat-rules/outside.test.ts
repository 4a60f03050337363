// ip nat outside source and ip nat inside destination on the whole path.

import t from 'tap';
import { datagram, expectFlow, icmp, read, segment, server } from '../nat/flows.js';
import { ip } from '../packets.js';
import { routerOf } from './configured.js';

const pat = 'access-list 1 permit 10.0.1.0 0.0.0.255\nip nat inside source list 1 interface eth1 overload\n';

t.test('outside source static: the inside knows the host by another address, both ways, alone and with PAT', (t) => {
  for (const [text, seen] of [
    ['', '10.0.1.10'],
    [pat, '172.16.1.2'],
  ]) {
    const router = routerOf(`${text}ip nat outside source static ${server} 192.168.9.5`);
    expectFlow(t, router.forward(0, datagram('10.0.1.10', '192.168.9.5', 5000, 53))[1][0], seen, 5000, server, 53);
    expectFlow(t, router.forward(1, datagram(server, seen, 53, 5000))[0][0], '192.168.9.5', 53, '10.0.1.10', 5000);
    const data = Uint8Array.of(1, 2, 3, 4);
    const echo = router.forward(0, icmp('10.0.1.10', '192.168.9.5', 8, 0, 0x4d2_0001, data))[1][0];
    t.strictSame([read(t, echo).src, read(t, echo).dst], [ip(seen), ip(server)]);
    t.equal(new DataView(echo.buffer).getUint16(24), 0x4d2, 'its identifier stays');
    const reply = router.forward(1, icmp(server, seen, 0, 0, 0x4d2_0001, data))[0][0];
    t.strictSame([read(t, reply).src, read(t, reply).dst], [ip('192.168.9.5'), ip('10.0.1.10')]);
    const sent = datagram(seen, server, 5000, 53).subarray(0, 28);
    const error = router.forward(1, icmp(server, seen, 3, 3, 0, sent))[0][0];
    t.strictSame([read(t, error).src, read(t, error).dst], [ip('192.168.9.5'), ip('10.0.1.10')]);
    const quote = new DataView(error.buffer, error.byteOffset + 28);
    t.strictSame(
      [quote.getUint32(12), quote.getUint32(16), quote.getUint16(20)],
      [ip('10.0.1.10'), ip('192.168.9.5'), 5000],
      'as it was sent',
    );
    const router2 = router.forward(1, icmp('203.0.113.1', seen, 11, 0, 0, sent))[0][0];
    t.equal(read(t, router2).src, ip('203.0.113.1'), 'a router on the way keeps its own');
    t.equal(router.imbalance(), null);
  }
  t.end();
});

t.test('outside source static from outside first; another outside host is as it is', (t) => {
  const router = routerOf(`ip nat inside source static 10.0.1.10 172.16.1.50\nip nat outside source static ${server} 192.168.9.5`);
  expectFlow(t, router.forward(1, segment(server, '172.16.1.50', 7, 22, 2))[0][0], '192.168.9.5', 7, '10.0.1.10', 22);
  expectFlow(t, router.forward(0, segment('10.0.1.10', '192.168.9.5', 22, 7, 0x12))[1][0], '172.16.1.50', 22, server, 7);
  const about = router.forward(
    0,
    icmp('10.0.1.10', '192.168.9.5', 3, 3, 0, segment('192.168.9.5', '10.0.1.10', 7, 22, 2).subarray(0, 28)),
  )[1][0];
  t.strictSame([read(t, about).src, read(t, about).dst], [ip('172.16.1.50'), ip(server)], 'an error on its way out');
  const quote = new DataView(about.buffer, about.byteOffset + 28);
  t.strictSame([quote.getUint32(12), quote.getUint32(16)], [ip(server), ip('172.16.1.50')]);
  expectFlow(t, router.forward(1, segment('203.0.113.9', '172.16.1.50', 7, 22, 2))[0][0], '203.0.113.9', 7, '10.0.1.10', 22);
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('a port of an outside host, and a network', (t) => {
  const router = routerOf(
    `ip nat outside source static tcp ${server} 80 192.168.9.5 8080\nip nat outside source static network 203.0.113.0 192.168.113.0 /24`,
  );
  expectFlow(t, router.forward(0, segment('10.0.1.10', '192.168.9.5', 5, 8080, 2))[1][0], '10.0.1.10', 5, server, 80);
  expectFlow(t, router.forward(1, segment(server, '10.0.1.10', 80, 5, 0x12))[0][0], '192.168.9.5', 8080, '10.0.1.10', 5);
  expectFlow(t, router.forward(0, segment('10.0.1.10', '192.168.113.7', 5, 8080, 2))[1][0], '10.0.1.10', 5, '203.0.113.7', 8080);
  t.end();
});

t.test('outside source list: outside hosts get addresses of the pool as they come, and are reached by them', (t) => {
  const router = routerOf(
    `access-list 2 permit 198.51.100.0 0.0.0.255\nip nat pool O 192.168.9.5 192.168.9.6 prefix-length 24\nip nat outside source list 2 pool O\nip nat inside source static 10.0.1.10 172.16.1.50`,
  );
  expectFlow(t, router.forward(1, segment(server, '172.16.1.50', 7, 22, 2))[0][0], '192.168.9.5', 7, '10.0.1.10', 22);
  expectFlow(t, router.forward(0, segment('10.0.1.10', '192.168.9.5', 22, 7, 0x12))[1][0], '172.16.1.50', 22, server, 7);
  expectFlow(t, router.forward(0, segment('10.0.1.10', '192.168.9.5', 99, 9, 2))[1][0], '172.16.1.50', 99, server, 9);
  router.forward(1, segment('198.51.100.8', '172.16.1.50', 7, 22, 2));
  t.equal(router.forward(1, segment('198.51.100.9', '172.16.1.50', 7, 22, 2))[0].length, 0);
  t.match(router.counters(), { 'drop.nat_no_address': 1 });
  router.env.nat.sessions.clear();
  t.equal(router.env.natBegin.locals.length, 0);
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('inside destination: TCP connections go round the servers, and stay with theirs', (t) => {
  const router = routerOf(
    'ip access-list extended V\n permit tcp any host 172.16.1.100 eq 80\nip nat pool S 10.0.1.21 10.0.1.23 prefix-length 24 type rotary\nip nat inside destination list V pool S',
  );
  const servers: string[] = [];
  for (let port = 1000; port < 1006; port++) {
    const { dst } = read(t, router.forward(1, segment(server, '172.16.1.100', port, 80, 2))[0][0]);
    servers.push(`10.0.1.${dst & 255}`);
    expectFlow(t, router.forward(0, segment(servers[port - 1000], server, 80, port, 0x12))[1][0], '172.16.1.100', 80, server, port);
    expectFlow(t, router.forward(1, segment(server, '172.16.1.100', port, 80, 0x10))[0][0], server, port, servers[port - 1000], 80);
  }
  t.strictSame(servers, ['10.0.1.21', '10.0.1.22', '10.0.1.23', '10.0.1.21', '10.0.1.22', '10.0.1.23']);
  t.equal(router.forward(1, segment(server, '172.16.1.100', 7, 81, 2))[0].length, 0);
  t.equal(router.forward(1, datagram(server, '172.16.1.100', 7, 80))[0].length, 0, 'UDP is not spread');
  t.match(router.counters(), { 'drop.nat_no_mapping': 2 });
  t.equal(router.imbalance(), null);
  t.end();
});
