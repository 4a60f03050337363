import t from 'tap';
import { branchPacket, hex, ip, ipv4, udp, withTtl } from '../packets.js';
import { memberTables, Router } from '../router.js';

t.test('what no crypto map permits crosses in the clear as one hop', (t) => {
  const router = new Router(memberTables(1, null));
  const packet = ipv4({ src: '10.0.1.10', dst: '198.51.100.10', payload: udp(1, 2, 100), ttl: 62 });
  const out = router.forward(0, packet);
  t.equal(out[1].length, 1);
  t.equal(hex(out[1][0]), hex(withTtl(packet, 63)), 'the TTL the kernel took on the way in is given back');
  t.strictSame(router.counters(), {
    'path.received_packets': 1,
    'path.sent_packets': 1,
    'port[0].received_packets': 1,
    'port[0].received_bytes': 128,
    'port[1].sent_packets': 1,
    'port[1].sent_bytes': 128,
  });
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('what the host sends is decremented by the kernel on the way out only; 255 cannot be raised', (t) => {
  const router = new Router(memberTables(1, null));
  const own = ipv4({ src: '172.16.1.2', dst: '198.51.100.10', ttl: 64 });
  const full = ipv4({ src: '172.16.1.2', dst: '198.51.100.10', ttl: 255 });
  const out = router.forward(1, own, full)[1];
  t.strictSame(
    out.map((packet) => packet[8]),
    [65, 255],
  );
  t.end();
});

t.test('what is for the host is punted to the device it came from, with the TTL it had on the wire', (t) => {
  const router = new Router(memberTables(1, null));
  const packet = ipv4({ src: '10.0.1.10', dst: '10.0.1.1', ttl: 254 });
  const broadcast = ipv4({ src: '10.0.1.10', dst: '255.255.255.255' });
  const out = router.forward(0, packet, broadcast);
  t.strictSame(out[0].map(hex), [hex(withTtl(packet, 255)), hex(withTtl(broadcast, 64))]);
  t.strictSame(router.counters(), {
    'path.received_packets': 2,
    'path.punted_packets': 2,
    'port[0].received_packets': 2,
    'port[0].received_bytes': 56,
  });
  t.end();
});

t.test('link padding is cut off, options are carried along', (t) => {
  const router = new Router(memberTables(1, null));
  const options = Uint8Array.from([0x94, 4, 0, 0, 7, 7, 4, 0, 0, 0, 0, 0]); // router alert, record route, end
  const packet = ipv4({ src: '10.0.1.10', dst: '198.51.100.10', options });
  const padded = new Uint8Array(packet.length + 6);
  padded.set(packet);
  t.strictSame(router.forward(0, padded)[1].map(hex), [hex(withTtl(packet, 64))]);
  t.end();
});

t.test('no route: dropped, and the source is told once per token', (t) => {
  const tables = memberTables(1, null);
  tables.routes = [
    { prefix: '10.0.1.0/24', port: 0 },
    { prefix: '10.9.0.0/16', kind: 'unreachable' },
  ];
  const router = new Router(tables);
  const packet = ipv4({ src: '10.0.1.10', dst: '198.51.100.10' });
  const out = router.forward(0, packet, ipv4({ src: '10.0.1.10', dst: '10.9.1.1' }), ipv4({ src: '10.0.1.10', dst: '224.0.0.9' }));
  t.equal(out[0].length, 2, 'no error about a multicast destination');
  const error = out[0][0];
  const view = new DataView(error.buffer);
  t.equal(view.getUint32(12), ip('10.0.1.1'));
  t.equal(view.getUint32(16), ip('10.0.1.10'));
  t.strictSame([error[9], error[20], error[21]], [1, 3, 0], 'ICMP net unreachable');
  t.equal(hex(error.subarray(28)), hex(withTtl(packet, 64)), 'quotes the packet as the host sent it');
  t.match(router.counters(), { 'drop.no_route': 3, 'path.made_packets': 2, 'path.sent_packets': 2, 'path.dropped_packets': 3 });
  for (let i = 0; i < 100; i++) router.forward(0, packet);
  t.equal(router.counters()['path.made_packets'], 50, 'the bucket holds 50');
  router.nowMs += 100;
  router.forward(0, ...Array.from({ length: 20 }, () => packet));
  t.equal(router.counters()['path.made_packets'], 60, '100 a second');
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('egress that is down, closed, full or broken: a counted drop each', (t) => {
  const tables = memberTables(1, null);
  const router = new Router(tables);
  const packet = ipv4({ src: '10.0.1.10', dst: '198.51.100.10' });
  router.txRoom = 1;
  router.forward(0, packet, packet);
  router.txRoom = Number.POSITIVE_INFINITY;
  router.txErrno = 5;
  router.forward(0, packet);
  router.txErrno = 0;
  router.env.links.close(1);
  router.forward(0, packet);
  tables.ports[1].up = false;
  router.adopt(tables);
  router.forward(0, packet);
  t.match(router.counters(), {
    'drop.tx_full': 1,
    'drop.tx_error': 1,
    'drop.port_down': 2,
    'path.sent_packets': 1,
    'port[1].send_drops': 2,
    'port[0].receive_drops': 2,
  });
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('a datagram longer than a slot is counted', (t) => {
  const router = new Router(memberTables(1, null));
  const out = router.forward(0, branchPacket(1900), ipv4({ src: '10.0.1.10', dst: '198.51.100.1' }));
  t.equal(out[1].length, 1);
  t.match(router.counters(), { 'drop.too_big': 1, 'path.received_packets': 2 });
  t.equal(router.imbalance(), null);
  t.end();
});
