// SAs between two gateways: an outer header of its own, one SA for each direction, and what must not pass.

import t from 'tap';
import { CryptoFlag, SaFlag } from '../../../dataplane/tables/layout.js';
import { sealByHand, textOf } from '../by-hand.js';
import { branchPacket, hex, ip, ipv4, sumOf, udp, withTtl } from '../packets.js';
import { Router, type SaSpec, type TablesSpec, type TransformName, transforms } from '../router.js';

const names = Object.keys(transforms) as TransformName[];
const Flow = 7;
/** SPIs by who receives under them. */
const spis = [0, 0x1111, 0x2222];

/** Gateway 1 or 2: 10.0.N.0/24 inside, 172.16.N.2 outside. */
function gateway(n: 1 | 2, transform: TransformName, more: Partial<TablesSpec> = {}): TablesSpec {
  const other = 3 - n;
  const ends = { local: `172.16.${n}.2`, peer: `172.16.${other}.2`, transform };
  const [mine, theirs] = [`10.0.${n}.0/24`, `10.0.${other}.0/24`];
  return {
    ports: [{ address: `10.0.${n}.1` }, { address: ends.local }],
    acls: [
      [
        { action: 'deny', src: mine, dst: `10.0.${other}.99/32` },
        { action: 'permit', src: mine, dst: theirs },
      ],
      [
        { action: 'deny', src: `10.0.${other}.99/32`, dst: mine },
        { action: 'permit', src: theirs, dst: mine },
      ],
    ],
    entries: [
      { port: 1, acl: 0, sa: 0, flags: CryptoFlag.PeerOut, flow: Flow },
      { port: 1, acl: 1, sa: -1, flags: CryptoFlag.PeerIn, flow: Flow },
    ],
    sas: [
      { ...ends, spi: spis[other], keySeed: other, acl: 0, sids: [0], sidBits: 8, flags: SaFlag.Outbound | SaFlag.Pairwise },
      { ...ends, spi: spis[n], keySeed: n, acl: 1, sidBits: 0, flags: SaFlag.Inbound | SaFlag.Pairwise },
    ],
    routes: [
      { prefix: '0.0.0.0/0', port: 1, via: `172.16.${n}.1` },
      { prefix: mine, port: 0 },
    ],
    locals: [`10.0.${n}.1`, ends.local],
    ...more,
  };
}

function inboundSa(n: 1 | 2, transform: TransformName): SaSpec {
  return gateway(n, transform).sas[1] as SaSpec;
}

for (const transform of names) {
  t.test(`${transform}: there and back`, (t) => {
    const [a, b] = [new Router(gateway(1, transform)), new Router(gateway(2, transform))];
    const packet = branchPacket(100, { tos: 0xb9, id: 0xbeef, df: true, ttl: 61 });
    const [esp] = a.forward(0, packet)[1];
    const view = new DataView(esp.buffer, esp.byteOffset);
    t.strictSame([view.getUint32(12), view.getUint32(16)], [ip('172.16.1.2'), ip('172.16.2.2')], 'the gateways’ addresses');
    t.strictSame([esp[1], view.getUint16(6), esp[8], esp[9]], [0xb9, 0x4000, 64, 50], 'ToS and DF copied, TTL of its own, ESP');
    t.not(view.getUint16(4), 0xbeef, 'an identification of its own');
    t.strictSame([view.getUint32(20), view.getUint32(24)], [0x2222, 1], 'the receiver’s SPI, sequence from 1');
    t.equal(sumOf(esp.subarray(0, 20)), 0, 'header checksum');
    const opened = b.forward(1, esp)[0];
    t.strictSame(opened.map(hex), [hex(packet)]);
    const back = ipv4({ src: '10.0.2.10', dst: '10.0.1.10', protocol: 17, payload: udp(9, 9, 50) });
    const answers = a.forward(1, ...b.forward(0, back, back, back)[1])[0];
    t.strictSame(answers.map(hex), [back, back, back].map(hex), 'the other way, under the other SA');
    t.match(a.counters(), { 'sa[0].sealed_packets': 1, 'sa[1].opened_packets': 3 });
    t.match(b.counters(), { 'sa[0].sealed_packets': 3, 'sa[1].opened_packets': 1 });
    for (const router of [a, b]) t.equal(router.imbalance(), null);
    t.end();
  });
}

t.test('replay: one window, whoever is inside', (t) => {
  const [a, b] = [new Router(gateway(1, 'aes-sha1')), new Router(gateway(2, 'aes-sha1'))];
  const inner = ['10.0.1.10', '10.0.1.11', '10.0.1.12'].map((src) => ipv4({ src, dst: '10.0.2.10', protocol: 17, payload: udp(1, 2, 10) }));
  const sealed = a.forward(0, ...inner)[1];
  t.equal(b.forward(1, ...sealed)[0].length, 3);
  t.equal(b.forward(1, ...sealed)[0].length, 0, 'again: none');
  t.match(b.counters(), { 'drop.esp_replay': 3 });
  t.equal(b.env.replay.length, 1, 'one window for three hosts');
  t.end();
});

t.test('no SA: dropped, and told, a message a second', (t) => {
  const spec = gateway(1, 'gcm-256');
  const a = new Router({ ...spec, entries: spec.entries.map((entry) => ({ ...entry, sa: -1 })), sas: [] });
  t.equal(a.forward(0, branchPacket(10), branchPacket(20))[1].length, 0);
  t.match(a.counters(), { 'drop.no_sa': 2 });
  const told: unknown[] = [];
  a.env.events.drain(5000, (event) => told.push(event));
  t.strictSame(told, [{ kind: 'no-sa', flow: Flow, src: ip('10.0.1.10'), dst: ip('10.0.2.10'), count: 2 }]);
  t.end();
});

t.test('what a line denies, and what none names, leaves in the clear', (t) => {
  const a = new Router(gateway(1, 'gcm-256'));
  const denied = ipv4({ src: '10.0.1.10', dst: '10.0.2.99', protocol: 17, payload: udp(1, 2, 10) });
  const other = ipv4({ src: '10.0.1.10', dst: '192.0.2.1', protocol: 17, payload: udp(1, 2, 10) });
  t.strictSame(
    a.forward(0, denied, other)[1].map((packet) => packet[9]),
    [17, 17],
  );
  t.end();
});

t.test('in the clear, though it should have come encrypted: dropped; the other way round is nobody’s business', (t) => {
  const b = new Router(gateway(2, 'gcm-256'));
  t.equal(b.forward(1, branchPacket(10))[0].length, 0);
  t.match(b.counters(), { 'drop.clear_must_be_encrypted': 1 });
  const denied = ipv4({ src: '10.0.1.99', dst: '10.0.2.10', protocol: 17, payload: udp(1, 2, 10) });
  t.equal(b.forward(1, denied)[0].length, 1, 'what the line denies may come so');
  t.end();
});

t.test('inside: only what the SA is for', (t) => {
  const b = new Router(gateway(2, 'aes-sha1'));
  const sa = inboundSa(2, 'aes-sha1');
  const seal = (seq: number, src: string, dst: string): Uint8Array =>
    sealByHand(sa, {
      seq,
      text: textOf(ipv4({ src, dst, protocol: 17, payload: udp(1, 2, 10) }), 16),
      src: '172.16.1.2',
      dst: '172.16.2.2',
    });
  const bad: [string, string][] = [
    ['10.0.3.10', '10.0.2.10'],
    ['10.0.1.10', '10.0.3.10'],
    ['10.0.2.10', '10.0.1.10'],
    ['10.0.1.99', '10.0.2.10'],
    ['172.16.1.2', '172.16.2.2'],
  ];
  bad.forEach(([src, dst], i) => {
    t.equal(b.forward(1, seal(i + 1, src, dst))[0].length, 0, `${src} to ${dst}`);
  });
  t.match(b.counters(), { 'drop.esp_policy': 5 });
  t.equal(b.forward(1, seal(1, '10.0.1.10', '10.0.2.10'))[0].length, 1, 'what was refused has not moved the window');
  t.end();
});

t.test('sent elsewhere, or from elsewhere', (t) => {
  const b = new Router(gateway(2, 'aes-sha1'));
  const sa = inboundSa(2, 'aes-sha1');
  const text = textOf(branchPacket(10), 16);
  const through = sealByHand(sa, { seq: 1, text, src: '172.16.1.2', dst: '10.0.2.50' });
  t.strictSame(
    b.forward(1, through)[0].map(hex),
    [hex(withTtl(through, 61))],
    'to a host behind us: not of this SA, and nobody else’s to open',
  );
  t.equal(b.counters()['sa[1].opened_packets'], undefined);
  const moved = sealByHand(sa, { seq: 2, text, src: '192.0.2.77', dst: '172.16.2.2' });
  t.equal(b.forward(1, moved)[0].length, 1, 'the SPI decides, not the source (RFC 4301 §4.1)');
  t.match(b.counters(), { 'sa[1].opened_packets': 1 });
  t.end();
});

t.test('outbound SAs of two peers under one SPI, which may be ours too', (t) => {
  const spec = gateway(1, 'aes-sha1');
  const [out, into] = spec.sas as SaSpec[];
  const a = new Router({ ...spec, sas: [{ ...out, spi: into.spi, serial: 99 }, into] });
  const [esp] = a.forward(0, branchPacket(10))[1];
  t.equal(new DataView(esp.buffer, esp.byteOffset).getUint32(20), into.spi);
  const back = sealByHand(into, {
    seq: 1,
    text: textOf(ipv4({ src: '10.0.2.10', dst: '10.0.1.10', protocol: 17, payload: udp(1, 2, 10) }), 16),
    src: '172.16.2.2',
    dst: '172.16.1.2',
  });
  t.equal(a.forward(1, back)[0].length, 1, 'what comes under it is opened with the inbound key');
  t.end();
});

t.test('expired: neither way', (t) => {
  const spec = gateway(1, 'gcm-128');
  const a = new Router({ ...spec, sas: spec.sas.map((sa) => sa && { ...sa, expiresAt: 1_700_000_000 }) });
  t.equal(a.forward(0, branchPacket(10))[1].length, 0);
  t.match(a.counters(), { 'drop.no_sa': 1 });
  t.end();
});

t.test('too long: cut inside when it may be, refused with the inner size when not', (t) => {
  const [a, b] = [new Router(gateway(1, 'gcm-256')), new Router(gateway(2, 'gcm-256'))];
  const pieces = a.forward(0, branchPacket(1600))[1];
  t.equal(pieces.length, 2);
  t.ok(pieces.every((piece) => piece.length <= 1500 && piece[9] === 50));
  t.equal(b.forward(1, ...pieces)[0].length, 2);
  const [error] = a.forward(0, branchPacket(1500 - 28, { df: true }))[0];
  t.equal(new DataView(error.buffer, error.byteOffset).getUint16(26), 1446, '1500 - 20 - 8 - 8 - 16, padded: RFC 4106');
  t.end();
});

t.test('a route of its own: the outer header decides where it leaves', (t) => {
  const spec = gateway(1, 'gcm-256');
  const a = new Router({
    ...spec,
    ports: [...spec.ports, { address: '172.17.1.2' }],
    routes: [...spec.routes, { prefix: '172.16.2.2/32', port: 2, via: '172.17.1.1' }],
  });
  const out = a.forward(0, branchPacket(10));
  t.strictSame(out.map((queue) => queue.length).slice(0, 3), [0, 0, 1]);
  t.end();
});

/** GRE between the gateways themselves, say. */
function transported(n: 1 | 2, transform: TransformName): TablesSpec {
  const spec = gateway(n, transform);
  const [mine, theirs] = [`172.16.${n}.2/32`, `172.16.${3 - n}.2/32`];
  return {
    ...spec,
    acls: [[{ action: 'permit', protocol: 17, src: mine, dst: theirs }], [{ action: 'permit', protocol: 17, src: theirs, dst: mine }]],
    sas: spec.sas.map((sa) => sa && { ...sa, flags: (sa.flags ?? 0) | SaFlag.Transport }),
  };
}
const between = (data: number, more: Partial<Parameters<typeof ipv4>[0]> = {}): Uint8Array =>
  ipv4({ src: '172.16.1.2', dst: '172.16.2.2', protocol: 17, payload: udp(7, 9, data), ...more });

for (const transform of names) {
  t.test(`${transform}: transport mode`, (t) => {
    const [a, b] = [new Router(transported(1, transform)), new Router(transported(2, transform))];
    const packets = [0, 1, 13, 14, 100, 1300].map((size, i) => between(size, { tos: 0xb8, id: 0x1230 + i, ttl: 60 }));
    const sealed = a.forward(1, ...packets)[1];
    t.equal(sealed.length, packets.length);
    for (const esp of sealed) {
      t.equal(sumOf(esp.subarray(0, 20)), 0, 'header checksum');
      t.strictSame([esp[0], esp[1], esp[9], esp.length], [0x45, 0xb8, 50, new DataView(esp.buffer, esp.byteOffset).getUint16(2)]);
    }
    t.strictSame(b.forward(1, ...sealed)[1].map(hex), packets.map(hex), 'for the host itself, as it was');
    t.match(b.counters(), { 'sa[1].opened_packets': 6, 'path.punted_packets': 6 });
    for (const router of [a, b]) t.equal(router.imbalance(), null);
    t.end();
  });
}

t.test('transport mode: options stay, what is too long is sealed whole and its ESP is cut, fragments do not pass', (t) => {
  const [a, b] = [new Router(transported(1, 'aes-sha1')), new Router(transported(2, 'aes-sha1'))];
  const options = Uint8Array.of(1, 1, 1, 0);
  const [opened] = b.forward(1, ...a.forward(1, between(50, { options }))[1])[1];
  t.equal(hex(opened), hex(between(50, { options })));
  t.equal(a.forward(1, between(1458 - 28))[1].length, 1);
  const pieces = a.forward(1, between(1459 - 28))[1];
  t.equal(pieces.length, 2);
  t.strictSame(b.forward(1, ...pieces)[1].map(hex), [hex(between(1459 - 28))], 'and put together at the other end');
  t.equal(a.forward(1, between(96, { mf: true }), between(96, { fragmentOffset: 800 })).flat().length, 0, 'fragments');
  t.match(a.counters(), { 'drop.transport_fragment': 2 });
  for (const router of [a, b]) t.equal(router.imbalance(), null);
  t.end();
});

t.test('transport mode: another protocol inside than the SA is for', (t) => {
  const b = new Router(transported(2, 'aes-sha1'));
  const sa = inboundSa(2, 'aes-sha1');
  const packet = between(20);
  const seal = (seq: number, next: number): Uint8Array =>
    sealByHand(sa, { seq, text: textOf(packet.subarray(20), 16, next), src: '172.16.1.2', dst: '172.16.2.2' });
  t.equal(b.forward(1, seal(1, 6))[1].length, 0);
  t.match(b.counters(), { 'drop.esp_policy': 1 });
  t.equal(b.forward(1, seal(2, 59))[1].length, 0, 'a dummy');
  t.equal(b.forward(1, seal(3, 17))[1].length, 1);
  t.end();
});
