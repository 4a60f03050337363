// ESP in UDP 4500 within a group: the hosts' addresses outside, as ESP has them. What is not a group's on that port is the NAT traversal of hosts behind us, and passes.

import fc from 'fast-check';
import t from 'tap';
import { LinkKind } from '../../../dataplane/mem/links.js';
import { ProbeKind } from '../../../dataplane/proto/mtu-probe.js';
import { Cap, CryptoFlag, SaFlag } from '../../../dataplane/tables/layout.js';
import { sealByHand, textOf } from '../by-hand.js';
import { fragmentsOf } from '../fragmented.js';
import { branchPacket, fixHeader, hex, ip, ipv4, sumOf, udp, withTtl } from '../packets.js';
import { type AceSpec, memberTables, Router, type SaSpec, type TransformName, transforms } from '../router.js';
import { Workers } from '../workers.js';

const names = Object.keys(transforms) as TransformName[];
const ends = { src: '10.0.1.10', dst: '10.0.2.10' };
const elsewhere = '198.51.100.7';

function saOf(n: 1 | 2, change: Partial<SaSpec> = {}): SaSpec {
  return { spi: 0x9001, transform: 'gcm-256', sids: [n], peerPort: 4500, ...change };
}
const memberOf = (n: 1 | 2, change: Partial<SaSpec> = {}) => new Router(memberTables(n, saOf(n, change)));
/** In the clear, as it is written to a TUN, whose kernel takes the hop. */
const asItWas = (packet: Uint8Array) => hex(withTtl(packet, 64));
const viewOf = (packet: Uint8Array) => new DataView(packet.buffer, packet.byteOffset, packet.length);
/** In UDP to port 4500 of any host. */
const inUdp = (data: Uint8Array | number, more: Partial<Parameters<typeof ipv4>[0]> = {}, [sport, dport] = [4500, 4500]) =>
  ipv4({ ...ends, ...more, payload: udp(sport, dport, data) });
const sealed = (seq: number, sa: SaSpec = saOf(2), inner = branchPacket(20)) =>
  sealByHand(sa, { seq, text: textOf(inner, transforms[sa.transform].align) }).slice(20);

for (const transform of names) {
  t.test(`${transform}: sealed by one member, opened by the other`, (t) => {
    const [sender, receiver] = [memberOf(1, { transform }), memberOf(2, { transform })];
    const packet = branchPacket(100, { tos: 0xb9, id: 0xbeef, df: true, ttl: 61 });
    const [esp] = sender.forward(0, packet)[1];
    const view = viewOf(esp);
    const { ivLen, icvLen, align } = transforms[transform];
    const total = 20 + 8 + 8 + ivLen + Math.ceil((packet.length + 2) / align) * align + icvLen;
    t.strictSame([esp[1], view.getUint16(2), view.getUint16(4), view.getUint16(6), esp[8], esp[9]], [0xb9, total, 0xbeef, 0x4000, 64, 17]);
    t.strictSame([view.getUint32(12), view.getUint32(16)], [ip(ends.src), ip(ends.dst)], 'addresses preserved');
    t.equal(sumOf(esp.subarray(0, 20)), 0, 'header checksum');
    t.strictSame(
      [20, 22, 24, 26].map((at) => view.getUint16(at)),
      [4500, 4500, total - 20, 0],
      'ports, UDP length, no checksum',
    );
    t.strictSame([view.getUint32(28), view.getUint32(32)], [0x9001, 1], 'SPI, sequence from 1');
    t.strictSame(sender.counters(), {
      'path.received_packets': 1,
      'path.sent_packets': 1,
      'port[0].received_packets': 1,
      'port[0].received_bytes': 128,
      'port[1].sent_packets': 1,
      'port[1].sent_bytes': total,
      'sa[0].sealed_packets': 1,
      'sa[0].sealed_bytes': 128,
      'group[0].sealed_packets': 1,
      'group[0].sealed_bytes': 128,
    });
    t.strictSame(receiver.forward(1, withTtl(esp, 63))[0].map(hex), [hex(packet)]);
    t.strictSame(receiver.counters(), {
      'path.received_packets': 1,
      'path.sent_packets': 1,
      'port[1].received_packets': 1,
      'port[1].received_bytes': total,
      'port[0].sent_packets': 1,
      'port[0].sent_bytes': 128,
      'sa[0].opened_packets': 1,
      'sa[0].opened_bytes': 128,
      'group[0].opened_packets': 1,
      'group[0].opened_bytes': 128,
    });
    t.equal(receiver.forward(1, withTtl(esp, 63))[0].length, 0, 'not twice');
    t.match(receiver.counters(), { 'drop.esp_replay': 1 });
    t.end();
  });
}

t.test('the longest that fits, and one byte more, with and without time-based anti-replay', (t) => {
  for (const transform of names) {
    const { ivLen, icvLen, align } = transforms[transform];
    for (const time of [undefined, { windowSeconds: 5, offset: 1_000_000 }]) {
      const [sender, receiver] = [memberOf(1, { transform, time }), memberOf(2, { transform, time })];
      const most = Math.floor((1500 - 20 - 8 - 8 - ivLen - icvLen) / align) * align - 2 - (time ? 12 : 0);
      const [longest] = sender.forward(0, branchPacket(most - 28, { df: true }))[1];
      t.ok(longest.length > 1500 - align, `${transform}: ${most} inside, ${longest.length} outside`);
      const [error] = sender.forward(0, branchPacket(most - 27, { df: true }))[0];
      t.strictSame([error[20], error[21], viewOf(error).getUint16(26)], [3, 4, most], transform);
      const pieces = sender.forward(0, branchPacket(most - 27))[1];
      t.equal(pieces.length, 2);
      t.equal(receiver.forward(1, longest, ...pieces)[0].length, 3);
    }
  }
  t.end();
});

t.test('port 4500 of hosts behind us: what has no SPI of the group passes untouched, both ways', (t) => {
  const ike = new Uint8Array(100).fill(7).fill(0, 0, 4);
  const random = new Uint8Array(50).fill(7);
  const ours = sealed(1);
  const lying = udp(4500, 4500, ours);
  viewOf(lying).setUint16(4, ours.length);
  const others = [random, ike, Uint8Array.of(0xff), 0].flatMap((data) => [
    inUdp(data, { src: elsewhere }),
    inUdp(data, { src: elsewhere }, [33_000, 4500]),
    inUdp(data, { src: elsewhere }, [4500, 33_000]),
  ]);
  // The SPI of the group, but from or to another port, in a fragment, or in a datagram that lies about its length.
  others.push(inUdp(ours, { src: elsewhere }, [33_000, 4500]), inUdp(ours, { src: elsewhere }, [4500, 33_000]));
  others.push(ipv4({ ...ends, src: elsewhere, payload: lying }));
  const inward = memberOf(2);
  t.strictSame(inward.forward(1, ...others)[0].map(hex), others.map(asItWas), 'inward');
  t.notOk(Object.keys(inward.counters()).some((name) => name.startsWith('drop.')));
  const outward = others.map((packet) => {
    const copy = packet.slice();
    copy.set(packet.subarray(16, 20), 12);
    copy.set(packet.subarray(12, 16), 16);
    return fixHeader(copy);
  });
  t.strictSame(inward.forward(0, ...outward)[1].map(hex), outward.map(asItWas), 'outward');
  // Between two branches it is the group's to protect, as all else, and comes out as it was.
  const [a, b] = [memberOf(1), memberOf(2)];
  const between = [inUdp(random), inUdp(ike), inUdp(ours)];
  const crossing = a.forward(0, ...between)[1];
  t.equal(crossing.length, 3);
  t.strictSame(b.forward(1, crossing[0], crossing[1])[0].map(hex), [between[0], between[1]].map(hex));
  for (const router of [inward, a, b]) t.equal(router.imbalance(), null);
  t.end();
});

t.test('any datagram from outside: opened if and only if ports, length and SPI say so', (t) => {
  const spi = Uint8Array.of(0, 0, 0x90, 1);
  const datagram = fc.record({
    sport: fc.constantFrom(4500, 4500, 4501, 500),
    dport: fc.constantFrom(4500, 4500, 4499),
    head: fc.oneof(
      { arbitrary: fc.constant(spi), weight: 4 },
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.constant(new Uint8Array(4)),
    ),
    rest: fc.uint8Array({ maxLength: 80 }),
    cut: fc.constantFrom(0, 0, 1, 4, 12),
    lie: fc.constantFrom(0, 0, 0, 1, -1),
  });
  const router = memberOf(2);
  const refused = () => ['truncated', 'integrity'].reduce((sum, name) => sum + (router.counters()[`drop.esp_${name}`] ?? 0), 0);
  let taken = 0;
  fc.assert(
    fc.property(datagram, ({ sport, dport, head, rest, cut, lie }) => {
      const data = Uint8Array.from([...head, ...rest]).subarray(0, Math.max(0, 4 + rest.length - cut));
      const packet = inUdp(data, { src: elsewhere }, [sport, dport]);
      viewOf(packet).setUint16(24, 8 + data.length + lie);
      const isEsp = sport === 4500 && dport === 4500 && data.length >= 8 && lie === 0 && hex(data.subarray(0, 4)) === hex(spi);
      const out = router.forward(1, packet)[0].map(hex);
      const expected = isEsp ? [] : [asItWas(packet)];
      if (isEsp) taken++;
      if (out.join() !== expected.join() || refused() !== taken) throw new Error(`${isEsp ? 'passed' : 'taken'}: ${hex(packet)}`);
    }),
    { numRuns: 300 },
  );
  t.ok(taken > 0, `${taken} had the group's SPI`);
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('an SA is for ESP in UDP, or for ESP: not for both', (t) => {
  const bare = (seq: number, sa: SaSpec) => ipv4({ ...ends, protocol: 50, payload: sealed(seq, sa) });
  const udpOnly = memberOf(2);
  t.equal(udpOnly.forward(1, bare(1, saOf(2)))[0].length, 0, 'agreed in UDP, comes without');
  const espOnly = memberOf(2, { peerPort: 0 });
  t.equal(espOnly.forward(1, inUdp(sealed(1)))[0].length, 0, 'agreed without, comes in UDP');
  for (const router of [udpOnly, espOnly]) t.match(router.counters(), { 'drop.esp_unknown_spi': 1 });
  t.equal(udpOnly.forward(1, inUdp(sealed(2)))[0].length + espOnly.forward(1, bare(2, saOf(2)))[0].length, 2);
  t.end();
});

t.test('a policy changes from ESP to UDP and back: the old SA opens beside the new one', (t) => {
  const old = { spi: 0x9001, peerPort: 0, keySeed: 1 };
  const next = { spi: 0x9002, peerPort: 4500, keySeed: 2 };
  const both = (n: 1 | 2, sending: 0 | 1) =>
    memberTables(n, saOf(n), { sas: [saOf(n, old), saOf(n, next)], entries: [{ port: 1, acl: 0, sa: sending }] });
  const [before, after] = [new Router(both(1, 0)), new Router(both(1, 1))];
  const receiver = new Router(both(2, 0));
  const [esp] = before.forward(0, branchPacket(10))[1];
  const [inside] = after.forward(0, branchPacket(11))[1];
  t.strictSame([esp[9], inside[9]], [50, 17]);
  t.strictSame(receiver.forward(1, inside, esp)[0].map(hex), [branchPacket(11), branchPacket(10)].map(hex));
  t.match(receiver.counters(), { 'sa[0].opened_packets': 1, 'sa[1].opened_packets': 1 });
  t.end();
});

t.test('an unknown SPI: dropped by the policy and told, so that the member registers; between others it passes', (t) => {
  const receiver = memberOf(2);
  const unknown = inUdp(sealed(1, saOf(2, { spi: 0x9999 })));
  t.equal(receiver.forward(1, unknown).flat().length, 0);
  t.match(receiver.counters(), { 'drop.esp_unknown_spi': 1 });
  const told: unknown[] = [];
  receiver.env.events.drain(5000, (event) => told.push(event));
  t.match(told, [{ kind: 'invalid-spi', spi: 0x9999, src: ip(ends.src), dst: ip(ends.dst) }]);
  // IKE between branches in the clear is what it is.
  t.equal(receiver.forward(1, inUdp(new Uint8Array(40))).flat().length, 0);
  t.match(receiver.counters(), { 'drop.clear_must_be_encrypted': 1, 'drop.esp_unknown_spi': 1 });
  // On a closed port nothing is known of a policy.
  const flags = CryptoFlag.ClosedIn;
  const closed = new Router(memberTables(2, null, { entries: [{ port: 1, acl: 0, sa: -1, flags }] }));
  t.equal(closed.forward(1, unknown).flat().length, 0);
  t.match(closed.counters(), { 'drop.fail_close': 1 });
  t.end();
});

t.test('the router itself at both ends; IKE to its port 4500 stays its own', (t) => {
  const [a, b] = [memberOf(1), memberOf(2)];
  const packet = ipv4({ src: '10.0.1.1', dst: '10.0.2.1', ttl: 64 });
  const [esp] = a.forward(1, packet)[1];
  t.strictSame([viewOf(esp).getUint32(12), viewOf(esp).getUint32(16), esp[9]], [ip('10.0.1.1'), ip('10.0.2.1'), 17]);
  t.strictSame(b.forward(1, esp)[1].map(hex), [hex(packet)]);
  const ike = inUdp(new Uint8Array(40), { dst: '172.16.2.2', src: elsewhere });
  t.strictSame(b.forward(1, ike)[1].map(hex), [asItWas(ike)], 'punted');
  t.match(b.counters(), { 'path.punted_packets': 2, 'sa[0].opened_packets': 1 });
  // What a program of this host sends with the SPI of the group is none.
  t.equal(b.forward(1, inUdp(sealed(1), { src: '10.0.2.1', dst: elsewhere }))[1].length, 1);
  for (const router of [a, b]) t.equal(router.imbalance(), null);
  t.end();
});

t.test('in fragments, in any order, beside whole ones; fragments of hosts’ own pass', (t) => {
  const [a, b] = [memberOf(1, { transform: 'aes-sha256' }), memberOf(2, { transform: 'aes-sha256' })];
  const packet = branchPacket(1300, { id: 7 });
  for (const [n, order] of [
    [0, 1, 2],
    [2, 1, 0],
    [1, 0, 2],
    [2, 0, 1],
  ].entries()) {
    const esp = a.forward(0, packet)[1][0].slice();
    viewOf(esp).setUint16(4, 100 + n);
    const pieces = fragmentsOf(fixHeader(esp), 512);
    t.equal(pieces.length, 3);
    t.strictSame(b.forward(1, ...order.map((at) => pieces[at]))[0].map(hex), [hex(packet)], `order ${order}`);
  }
  t.match(b.counters(), { 'path.reassembled_packets': 4, 'path.merged_fragments': 8, 'sa[0].opened_packets': 4 });
  const [large, ...small] = a.forward(0, packet, ...Array.from({ length: 100 }, () => branchPacket(10)))[1];
  t.equal(b.forward(1, ...fragmentsOf(large, 512), ...small)[0].length, 101, 'those behind it do not overtake it');
  t.notMatch(b.counters(), { 'drop.esp_replay': Number });

  const own = fragmentsOf(inUdp(3000, { src: elsewhere, id: 9 }), 1480);
  t.strictSame(
    b
      .forward(1, ...own.toReversed())[0]
      .map(hex)
      .sort(),
    own.map(asItWas).sort(),
    'NAT traversal of hosts, whole or not',
  );
  const query = fragmentsOf(inUdp(3000, { src: elsewhere, id: 10 }, [53, 5000]), 1480);
  t.strictSame(b.forward(1, ...query)[0].map(hex), query.map(asItWas), 'any other UDP');
  t.equal(b.forward(1, ...fragmentsOf(branchPacket(3000, { id: 11 }), 1480))[0].length, 0, 'in the clear, what the policy protects');
  t.match(b.counters(), { 'drop.clear_must_be_encrypted': 3 });
  // Out of an SA fragments are nobody's to look at: they wait for no first.
  const inner = fragmentsOf(branchPacket(1400, { id: 12 }), 512);
  t.strictSame(b.forward(1, a.forward(0, inner[2])[1][0])[0].map(hex), [hex(inner[2])]);
  // Without an SA in UDP fragments go as ever.
  const plain = memberOf(2, { peerPort: 0 });
  t.equal(plain.forward(1, own[1])[0].length, 1);
  for (const router of [a, b, plain]) t.equal(router.imbalance(), null);
  t.end();
});

t.test('sealed whole and cut behind: `fragmentation after-encryption`', (t) => {
  const spec = memberTables(1, saOf(1));
  const a = new Router({ ...spec, ports: [spec.ports[0], { ...spec.ports[1], cutSealed: true }] });
  const b = memberOf(2);
  const pieces = a.forward(0, branchPacket(1472))[1];
  t.strictSame(
    pieces.map((piece) => piece[9]),
    [17, 17],
  );
  t.strictSame(b.forward(1, ...pieces)[0].map(hex), [hex(branchPacket(1472))]);
  t.end();
});

t.test('path MTUs: a router that quotes the SPI is believed, one that quotes eight bytes of UDP cannot be', (t) => {
  const router = memberOf(1, { transform: 'aes-sha1' });
  const esp = router.forward(0, branchPacket(1390, { df: true }))[1][0];
  const tooBig = (quote: number) => {
    const payload = new Uint8Array(8 + quote);
    payload.set([3, 4, 0, 0, 0, 0, 1400 >> 8, 1400 & 255, ...esp.subarray(0, quote)]);
    viewOf(payload).setUint16(2, sumOf(payload));
    return ipv4({ src: '192.0.2.9', dst: ends.src, protocol: 1, payload });
  };
  t.equal(router.forward(1, tooBig(28))[0].length, 1, 'goes to the host, which knows nothing of it');
  t.equal(router.forward(1, tooBig(36)).flat().length, 0);
  t.match(router.counters(), { 'drop.pmtu_learnt': 1 });
  const [error] = router.forward(0, branchPacket(1390, { df: true }))[0];
  // 1400 - 20 - 8 - 8 - 16 - 12 = 1336 = 83 blocks of 16, less 2.
  t.equal(viewOf(error).getUint16(26), 1326);
  t.end();
});

t.test('probes of path MTU discovery: as long on the wire as asked, answered to a member’s own address', (t) => {
  const [a, b] = [memberOf(1), memberOf(2)];
  a.env.mtuProbes.ask(ProbeKind.Ask, 1, 0, ip(ends.dst) | 0, 0, 1400, 1, 2);
  a.pass();
  const [probe] = a.take()[1];
  t.ok(probe.length > 1396 && probe.length <= 1400, `${probe.length}`);
  const [, [answer]] = b.forward(1, probe);
  t.strictSame([probe[9], answer[9], [...answer.subarray(16, 20)].join('.')], [17, 17, '172.16.1.2']);
  t.equal(a.forward(1, answer).flat().length, 0);
  for (const router of [a, b]) t.match(router.counters(), { 'drop.mtu_probe': 1, 'sa[0].sealed_packets': 1 });
  t.end();
});

t.test('multicast: to the group’s address, also when it comes in fragments', (t) => {
  const group = '239.1.1.1';
  const header = '01005e010101020000000001';
  const tables = (n: 1 | 2) => {
    const spec = memberTables(n, saOf(n), { acls: [[{ action: 'permit', src: '10.0.0.0/16', dst: '239.0.0.0/8' }]] });
    return {
      ...spec,
      ports: spec.ports.map((port) => ({ ...port, link: LinkKind.Groups })),
      groups: [{ group, ports: [0, 1] }],
      neighbours: [0, 1].map((port) => ({ port, address: group, header })),
    };
  };
  const [a, b] = [new Router(tables(1)), new Router(tables(2))];
  const linkOf = (port: number) => Cap.Ports + port;
  const stream = ipv4({ src: ends.src, dst: group, payload: udp(5000, 5000, 1000), ttl: 16 });
  const frames = a.forward(linkOf(0), stream, stream)[linkOf(1)];
  const [whole, other] = frames.map((frame) => frame.subarray(14));
  t.strictSame([whole[9], [...whole.subarray(12, 20)]], [17, [10, 0, 1, 10, 239, 1, 1, 1]]);
  const inside = b.forward(linkOf(1), whole, ...fragmentsOf(other, 512).toReversed())[linkOf(0)];
  t.strictSame(
    inside.map((frame) => hex(frame.subarray(14))),
    [stream, stream].map((packet) => hex(withTtl(packet, 14))),
  );
  t.equal(b.imbalance(), null);
  t.end();
});

t.test('lists of the interface see UDP between ports 4500', (t) => {
  const spec = memberTables(1, saOf(1));
  const only: AceSpec[] = [{ action: 'permit', protocol: 17, src: 'any', dst: 'any', sport: [4500, 4500], dport: [4500, 4500] }];
  const filtered = new Router({
    ...spec,
    acls: [...spec.acls, only],
    ports: [spec.ports[0], { ...spec.ports[1], filterIn: 1, filterOut: 1 }],
  });
  t.equal(filtered.forward(0, branchPacket(10))[1].length, 1, 'out');
  const [back] = memberOf(2).forward(0, ipv4({ src: ends.dst, dst: ends.src, payload: udp(9, 9, 50) }))[1];
  t.equal(filtered.forward(1, back)[0].length, 1, 'in');
  const espOnly = new Router({ ...spec, sas: [saOf(1, { peerPort: 0 })], acls: [...spec.acls, only], ports: filteredPorts(spec.ports) });
  t.equal(espOnly.forward(0, branchPacket(10))[1].length, 0, 'ESP is not permitted');
  t.end();
});

function filteredPorts<T extends object>([inside, outside]: T[]): T[] {
  return [inside, { ...outside, filterIn: 1, filterOut: 1 }];
}

t.test('beside an SA between two gateways in UDP: each is found by its SPI and its ends', (t) => {
  const pair: SaSpec = {
    spi: 0x5001,
    transform: 'aes-sha1',
    flags: SaFlag.Inbound | SaFlag.Pairwise,
    local: '172.16.2.2',
    peer: elsewhere,
    peerPort: 33_000,
    sidBits: 0,
    acl: 1,
  };
  const spec = memberTables(2, saOf(2));
  const router = new Router({
    ...spec,
    sas: [saOf(2), pair],
    acls: [...spec.acls, [{ action: 'permit', src: '10.7.0.0/16', dst: '10.0.2.0/24' }]],
  });
  const inner = ipv4({ src: '10.7.0.1', dst: '10.0.2.10' });
  const between = { src: elsewhere, dst: '172.16.2.2' };
  t.strictSame(router.forward(1, inUdp(sealed(1, pair, inner), between, [33_000, 4500]))[0].map(hex), [hex(inner)]);
  t.equal(
    router.forward(1, inUdp(sealed(2, pair, inner), { src: elsewhere }))[0].length,
    1,
    'to a host behind: not the pair’s, so it passes',
  );
  t.equal(router.forward(1, inUdp(sealed(1)))[0].length, 1);
  t.match(router.counters(), { 'sa[0].opened_packets': 1, 'sa[1].opened_packets': 1 });
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('two workers: whoever reads it, its source’s worker opens it', (t) => {
  const senders = [memberOf(1, { sids: [1] })];
  const workers = new Workers(2, memberTables(2, saOf(2, { sids: [2, 3] })));
  const packets = Array.from({ length: 20 }, (_, i) => branchPacket(10, { src: `10.0.1.${10 + i}` }));
  const crossing = senders[0].forward(0, ...packets)[1];
  crossing.forEach((packet, i) => {
    workers.all[i % 2].inputs[1].push(packet);
  });
  const out = workers.run(0);
  t.ok(out.every((list) => list.length > 3));
  t.strictSame(out.flat().map(hex).sort(), packets.map(hex).sort());
  t.equal(workers.imbalance(), null);
  t.end();
});
