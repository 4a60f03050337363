// Hairpin (RFC 4787 REQ-9): inside hosts that ask for each other by the addresses that the outside knows. Each sees the other's global address.

import t from 'tap';
import { PathCount } from '../../../dataplane/counters/declare.js';
import { NatSide } from '../../../dataplane/mem/shared.js';
import { datagram, expectFlow, icmp, read, segment, server, summed, withPseudo } from '../nat/flows.js';
import { ip, ipv4, sumOf, udp } from '../packets.js';
import type { Router } from '../router.js';
import { routerOf, workersOf } from './configured.js';

const own = '172.16.1.2';
const asking = '10.0.1.11';
const asked = '10.0.1.10';
const pat = 'access-list 1 permit 10.0.1.0 0.0.0.255\nip nat inside source list 1 interface eth1 overload\n';
const portForward = `${pat}ip nat inside source static tcp ${asked} 80 interface eth1 8080\nip nat inside source static udp ${asked} 53 interface eth1 5353\n`;
const [Syn, SynAck] = [2, 0x12];

/** What goes back inside; nothing may leave by the outside. */
function back(router: Router, packet: Uint8Array): Uint8Array | undefined {
  const [inside, outside] = router.forward(0, packet);
  if (outside.length > 0) throw new Error(`${outside.length} left by the outside`);
  return inside[0];
}

/** A request and its answer. @param seen what the asked host sees: who asks, and itself @param at what the asking one has asked */
function expectTurn(router: Router, at: [string, number], seen: [string, number, string, number], from = asking, sport = 5000): void {
  const there = back(router, segment(from, at[0], sport, at[1], Syn));
  t.ok(there, `${from} to ${at}`);
  expectFlow(t, there as Uint8Array, ...seen);
  const answer = back(router, segment(seen[2], seen[0], seen[3], seen[1], SynAck));
  expectFlow(t, answer as Uint8Array, at[0], at[1], from, sport);
  t.equal(router.imbalance(), null);
}

t.test('a port of the interface: both see global addresses; two sessions; the port outside is kept for others', (t) => {
  const router = routerOf(portForward);
  expectTurn(router, [own, 8080], [own, 5000, asked, 80]);
  t.match(router.counters(), { 'nat.sessions_created': 2 });
  expectTurn(router, [own, 8080], [own, 5001, asked, 80], asking, 5001);
  const second = read(t, back(router, segment('10.0.1.12', own, 5000, 8080, Syn)) as Uint8Array);
  t.equal(second.src, ip(own));
  t.not(second.ports[0], 5000, 'another host with the same port');
  expectFlow(t, router.forward(1, segment(server, own, 999, 8080, Syn))[0][0], server, 999, asked, 80);
  t.end();
});

t.test('a host that asks for itself', (t) => {
  expectTurn(routerOf(portForward), [own, 8080], [own, 5000, asked, 80], asked);
  t.end();
});

t.test('addresses: static ones of both, of a network, of a pool, and a rotary', (t) => {
  const fixed = `${pat}ip nat inside source static ${asked} 172.16.1.50\nip nat inside source static ${asking} 172.16.1.51\n`;
  expectTurn(routerOf(fixed), ['172.16.1.50', 22], ['172.16.1.51', 5000, asked, 22]);
  expectTurn(routerOf(fixed), ['172.16.1.50', 22], [own, 5000, asked, 22], '10.0.1.12');
  expectTurn(
    routerOf('ip nat inside source static network 10.0.1.0 203.0.113.0 /24'),
    ['203.0.113.10', 22],
    ['203.0.113.11', 5000, asked, 22],
  );
  const pool = routerOf(`access-list 1 permit 10.0.1.0 0.0.0.255
ip nat pool P 172.16.1.60 172.16.1.70 prefix-length 24
ip nat inside source list 1 pool P`);
  const [mine, theirs] = [asking, asked].map((host) => {
    const { src } = read(t, pool.forward(0, datagram(host, server, 5000, 53))[1][0]);
    return [24, 16, 8, 0].map((shift) => (src >>> shift) & 255).join('.');
  });
  expectTurn(pool, [theirs, 22], [mine, 5000, asked, 22]);
  const rotary = `${pat}ip access-list extended VIP
 permit tcp any host 172.16.1.100 eq 80
ip nat pool SERVERS 10.0.1.31 10.0.1.32 prefix-length 24 type rotary
ip nat inside destination list VIP pool SERVERS`;
  const servers = routerOf(rotary);
  expectTurn(servers, ['172.16.1.100', 80], [own, 5000, '10.0.1.31', 80]);
  expectTurn(servers, ['172.16.1.100', 80], [own, 5001, '10.0.1.32', 80], asking, 5001);
  t.end();
});

t.test('echo by its identifier', (t) => {
  const router = routerOf(`${pat}ip nat inside source static ${asked} 172.16.1.50`);
  const there = back(router, icmp(asking, '172.16.1.50', 8, 0, 0x4d2_0001, new Uint8Array(4))) as Uint8Array;
  t.strictSame([read(t, there).src, read(t, there).dst], [ip(own), ip(asked)]);
  const id = new DataView(there.buffer, there.byteOffset).getUint16(24);
  const answer = back(router, icmp(asked, own, 0, 0, id * 65536 + 1, new Uint8Array(4))) as Uint8Array;
  t.strictSame([read(t, answer).src, read(t, answer).dst], [ip('172.16.1.50'), ip(asking)]);
  t.equal(new DataView(answer.buffer, answer.byteOffset).getUint16(24), 0x4d2);
  t.end();
});

t.test('RFC 5508 REQ-7: an error of who was asked, and one of the router, quote what was sent', (t) => {
  const router = routerOf(portForward);
  const sent = datagram(asking, own, 5000, 5353);
  const there = back(router, sent) as Uint8Array;
  expectFlow(t, there, own, 5000, asked, 53);
  const error = back(router, icmp(asked, own, 3, 3, 0, there.subarray(0, 28))) as Uint8Array;
  t.strictSame([read(t, error).src, read(t, error).dst], [ip(own), ip(asking)]);
  t.strictSame([...error.subarray(28 + 12, 28 + 24)], [...sent.subarray(12, 24)], 'addresses and ports as they were sent');
  t.equal(sumOf(error.subarray(28, 48)), 0, 'header checksum of the quote');
  const stray = icmp(asked, own, 3, 3, 0, datagram(own, asked, 5001, 53).subarray(0, 28));
  t.strictSame(back(router, stray)?.subarray(12), stray.subarray(12), 'about no session of ours: for the router itself');

  const small = routerOf(portForward, {
    ports: [
      { address: '10.0.1.1', nat: NatSide.Inside, mtu: 600 },
      { address: own, nat: NatSide.Outside },
    ],
  });
  const big = summed({ src: asking, dst: own, df: true }, udp(5000, 5353, 700), 6);
  const told = back(small, big) as Uint8Array;
  t.strictSame([read(t, told).dst, told[20], told[21]], [ip(asking), 3, 4], 'fragmentation needed, to the host that sent');
  t.strictSame([...told.subarray(28 + 12, 28 + 24)], [...big.subarray(12, 24)], 'quotes it as it was sent');
  t.equal(small.imbalance(), null);
  t.end();
});

/** Two fragments of a datagram, by number: the first and the later one. */
function fragments(id: number): [Uint8Array, Uint8Array] {
  const whole = summed({ src: asking, dst: own }, udp(5000, 5353, 56), 6);
  const part = (from: number, to: number): Uint8Array =>
    ipv4({ src: asking, dst: own, id, protocol: 17, mf: to < 64, fragmentOffset: from, payload: whole.slice(20 + from, 20 + to) });
  return [part(0, 32), part(32, 64)];
}

function expectFragments(out: readonly Uint8Array[]): void {
  t.equal(out.length, 2);
  for (const packet of out) {
    t.equal(sumOf(packet.subarray(0, 20)), 0);
    t.strictSame([...packet.subarray(12, 20)], [172, 16, 1, 2, 10, 0, 1, 10]);
  }
  const payload = Uint8Array.from(out.flatMap((packet) => [...packet.subarray(20)]));
  const joined = ipv4({ src: own, dst: asked, protocol: 17, payload });
  t.equal(sumOf(withPseudo(joined)), 0, 'checksum of the datagram');
  t.equal(new DataView(joined.buffer).getUint16(22), 53);
}

t.test('fragments, in order and out of order, with one worker and with two', (t) => {
  const router = routerOf(portForward);
  const [first, later] = fragments(1);
  expectFragments([first, later].flatMap((packet) => router.forward(0, packet)[0]));
  expectFragments(
    fragments(2)
      .reverse()
      .flatMap((packet) => router.forward(0, packet)[0]),
  );
  t.equal(router.imbalance(), null);
  for (const readers of [
    [0, 1],
    [1, 0],
  ]) {
    const workers = workersOf(2, portForward);
    workers.all[0].inputs[0].push(datagram('10.0.1.12', own, 5000, 5353)); // takes the port
    workers.run(0);
    const out = fragments(3).flatMap((packet, i) => {
      workers.all[readers[i]].inputs[0].push(packet);
      return workers.run(0).flat();
    });
    expectFragments(out);
    t.equal(workers.imbalance(), null);
  }
  t.end();
});

t.test('what is not turned round: the router’s own ports, PAT’s ports, hosts that nothing translates, addresses of nobody', (t) => {
  const router = routerOf(portForward);
  router.forward(0, segment(asked, server, 6000, 80, Syn));
  for (const packet of [
    segment(asking, own, 5000, 8081, Syn),
    segment(asking, own, 5000, 6000, Syn),
    datagram(asking, own, 5000, 8080),
    icmp(asking, own, 8, 0, 0x10001, new Uint8Array(4)),
  ])
    t.strictSame(back(router, packet)?.subarray(12), packet.subarray(12), 'handed to the host as it came');
  t.match(router.counters(), { 'path.punted_packets': 4, 'nat.sessions_created': 1 });
  const bare = routerOf(
    `ip nat inside source static tcp ${asked} 80 interface eth1 8080\nip nat inside source static ${asked} 172.16.1.50`,
  );
  back(bare, segment(asking, own, 5000, 8080, Syn));
  t.match(bare.counters(), { 'path.punted_packets': 1 }, 'its source would be seen as it is, and answers would go past the router');
  t.end();
});

t.test('no room: the sender is told, and what is there goes on', (t) => {
  const router = routerOf(`${portForward}ip nat translation max-entries 2`);
  expectTurn(router, [own, 8080], [own, 5000, asked, 80]);
  const told = back(router, segment('10.0.1.12', own, 5000, 8080, Syn));
  t.match(router.counters(), { 'drop.nat_full': 1 });
  t.strictSame([told?.[9], told?.[20], told?.[21]], [1, 3, 13], 'RFC 5508 REQ-8: the asking host is told');
  t.equal(read(t, told as Uint8Array).dst, ip('10.0.1.12'));
  expectTurn(router, [own, 8080], [own, 5000, asked, 80]);
  t.end();
});

t.test('several workers: whoever reads, and whoever has which session', (t) => {
  for (const count of [2, 3]) {
    const workers = workersOf(count, portForward);
    for (let i = 0; i < 24; i++) {
      const from = `10.0.1.${20 + i}`;
      workers.all[i % count].inputs[0].push(segment(from, own, 5000, 8080, Syn));
      const [there, ...more] = workers.run(0).flat();
      t.equal(more.length, 0);
      const { src, dst, ports } = read(t, there);
      t.strictSame([src, dst, ports[1]], [ip(own), ip(asked), 80], from);
      workers.all[(i + 1) % count].inputs[0].push(segment(asked, own, 80, ports[0], SynAck));
      expectFlow(t, workers.run(0).flat()[0], own, 8080, from, 5000);
      workers.all[(i + 2) % count].inputs[0].push(icmp(asked, own, 3, 3, 0, there.subarray(0, 28)));
      t.equal(read(t, workers.run(0).flat()[0]).dst, ip(from), 'an error too');
    }
    t.ok(workers.sum(PathCount.HandedOver) > 0);
    t.equal(workers.sum(PathCount.HandedOver), workers.sum(PathCount.TakenOver));
    t.equal(workers.imbalance(), null);
  }
  t.end();
});
