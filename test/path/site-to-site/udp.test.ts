// ESP in UDP 4500 between two gateways, one of them behind a translator (RFC 3948).

import t from 'tap';
import { CryptoFlag, SaFlag } from '../../../dataplane/tables/layout.js';
import { fragmentsOf } from '../fragmented.js';
import { branchPacket, fixHeader, hex, ip, ipv4, sumOf, udp, withTtl } from '../packets.js';
import { type AceSpec, Router, type TablesSpec, type TransformName, transforms } from '../router.js';

const names = Object.keys(transforms) as TransformName[];
/** SPIs by who receives under them; where the other's UDP comes from. */
const spis = [0, 0x1111, 0x2222];
const ports = [0, 4500, 33_000];

/** Gateway 1 or 2: 10.0.N.0/24 inside, 172.16.N.2 outside. The second is behind a translator that gives it port 33000. */
function gateway(n: 1 | 2, transform: TransformName, more: Partial<TablesSpec> = {}): TablesSpec {
  const other = 3 - n;
  const ends = { local: `172.16.${n}.2`, peer: `172.16.${other}.2`, peerPort: ports[other], transform };
  const [mine, theirs] = [`10.0.${n}.0/24`, `10.0.${other}.0/24`];
  return {
    ports: [{ address: `10.0.${n}.1` }, { address: ends.local }],
    acls: [[{ action: 'permit', src: mine, dst: theirs }], [{ action: 'permit', src: theirs, dst: mine }]],
    entries: [
      { port: 1, acl: 0, sa: 0, flags: CryptoFlag.PeerOut, flow: 7 },
      { port: 1, acl: 1, sa: -1, flags: CryptoFlag.PeerIn, flow: 7 },
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

/** What the translator makes of the ports. */
function translated(packet: Uint8Array, source: number, destination: number): Uint8Array {
  const copy = packet.slice();
  const view = new DataView(copy.buffer);
  view.setUint16(20, source);
  view.setUint16(22, destination);
  return copy;
}

for (const transform of names) {
  t.test(`${transform}: there and back`, (t) => {
    const [a, b] = [new Router(gateway(1, transform)), new Router(gateway(2, transform))];
    const packet = branchPacket(100, { tos: 0xb9, id: 0xbeef, df: true, ttl: 61 });
    const [sealed] = a.forward(0, packet)[1];
    const view = new DataView(sealed.buffer, sealed.byteOffset);
    t.strictSame([view.getUint32(12), view.getUint32(16), sealed[9]], [ip('172.16.1.2'), ip('172.16.2.2'), 17], 'the gateways’ addresses');
    t.strictSame([view.getUint16(20), view.getUint16(22)], [4500, 33_000], 'from our port to the peer’s');
    t.strictSame([view.getUint16(24), view.getUint16(26)], [sealed.length - 20, 0], 'UDP length, no checksum');
    t.strictSame([view.getUint32(28), view.getUint32(32)], [0x2222, 1], 'SPI and sequence');
    t.strictSame([view.getUint16(2), sumOf(sealed.subarray(0, 20))], [sealed.length, 0]);
    t.strictSame(b.forward(1, translated(sealed, 4500, 4500))[0].map(hex), [hex(packet)]);
    const back = ipv4({ src: '10.0.2.10', dst: '10.0.1.10', protocol: 17, payload: udp(9, 9, 50) });
    const answers = b.forward(0, back, back)[1].map((answer) => translated(answer, 33_000, 4500));
    t.strictSame(a.forward(1, ...answers)[0].map(hex), [back, back].map(hex), 'the other way');
    for (const router of [a, b]) t.equal(router.imbalance(), null);
    t.end();
  });
}

t.test('what is as long as can be fits; one byte more is cut, or refused with the size that fits', (t) => {
  for (const transform of names) {
    const [a, b] = [new Router(gateway(1, transform)), new Router(gateway(2, transform))];
    const [error] = a.forward(0, branchPacket(1472, { df: true }))[0];
    const most = new DataView(error.buffer, error.byteOffset).getUint16(26);
    const [longest] = a.forward(0, branchPacket(most - 28, { df: true }))[1];
    t.ok(longest.length <= 1500 && longest.length > 1500 - 16, `${transform}: ${most} inside, ${longest.length} on the wire`);
    t.equal(a.forward(0, branchPacket(most - 27, { df: true }))[1].length, 0);
    const pieces = a.forward(0, branchPacket(most - 27))[1];
    t.equal(pieces.length, 2);
    t.equal(b.forward(1, ...[longest, ...pieces].map((piece) => translated(piece, 4500, 4500)))[0].length, 3);
  }
  t.end();
});

t.test('port 4500: IKE, keepalives, and what only looks like ESP are for the host', (t) => {
  const a = new Router(gateway(1, 'gcm-256'));
  const to = (payload: Uint8Array): Uint8Array => ipv4({ src: '172.16.2.2', dst: '172.16.1.2', protocol: 17, payload });
  const ike = new Uint8Array(100).fill(7).fill(0, 0, 4);
  const lying = udp(33_000, 4500, new Uint8Array(50).fill(7));
  new DataView(lying.buffer, lying.byteOffset).setUint16(4, 57);
  const packets = [
    to(udp(33_000, 4500, ike)),
    to(udp(33_000, 4500, Uint8Array.of(0xff))),
    to(udp(33_000, 4500, new Uint8Array(7).fill(7))),
    to(udp(33_000, 4500, 0)),
    to(udp(33_000, 500, new Uint8Array(50).fill(7))),
    to(lying),
  ];
  t.strictSame(
    a.forward(1, ...packets)[1].map(hex),
    packets.map((packet) => hex(withTtl(packet, 64))),
    'as they came to the kernel',
  );
  t.match(a.counters(), { 'path.punted_packets': packets.length });
  t.equal(a.imbalance(), null);
  t.end();
});

t.test('an unknown SPI: dropped and told, as ESP is', (t) => {
  const a = new Router(gateway(1, 'gcm-256'));
  const unknown = ipv4({ src: '172.16.2.2', dst: '172.16.1.2', protocol: 17, payload: udp(33_000, 4500, new Uint8Array(50).fill(7)) });
  t.equal(a.forward(1, unknown).flat().length, 0);
  t.match(a.counters(), { 'drop.esp_unknown_spi': 1 });
  const told: unknown[] = [];
  a.env.events.drain(5000, (event) => told.push(event));
  t.match(told, [{ kind: 'invalid-spi', spi: 0x07070707, src: ip('172.16.2.2') }]);
  t.end();
});

t.test('an SA is for ESP in UDP, or for ESP: not for both', (t) => {
  const spec = gateway(2, 'aes-sha1');
  const [sealed] = new Router(gateway(1, 'aes-sha1')).forward(0, branchPacket(10))[1];
  const bare = ipv4({ src: '172.16.1.2', dst: '172.16.2.2', protocol: 50, payload: sealed.slice(28) });
  const b = new Router(spec);
  t.equal(b.forward(1, bare)[0].length, 0, 'agreed in UDP, comes without');
  const other = new Router({ ...spec, sas: spec.sas.map((sa) => sa && { ...sa, peerPort: 0 }) });
  t.equal(other.forward(1, translated(sealed, 4500, 4500))[0].length, 0, 'agreed without, comes in UDP');
  t.equal(other.forward(1, bare)[0].length, 1);
  for (const router of [b, other]) t.match(router.counters(), { 'drop.esp_unknown_spi': 1 });
  t.end();
});

t.test('through us, to another’s port 4500: not ours', (t) => {
  const a = new Router(gateway(1, 'gcm-256'));
  const packet = ipv4({ src: '10.0.1.10', dst: '192.0.2.1', protocol: 17, payload: udp(4500, 4500, new Uint8Array(50).fill(7)) });
  t.equal(a.forward(0, packet)[1].length, 1);
  t.end();
});

t.test('lists of the interface see UDP', (t) => {
  const spec = gateway(1, 'gcm-256');
  const only = (row: Partial<AceSpec>): AceSpec[] => [{ action: 'permit', protocol: 17, src: 'any', dst: 'any', ...row }];
  const filtered = new Router({
    ...spec,
    acls: [...spec.acls, only({ sport: [4500, 4500], dport: [33_000, 33_000] }), only({ sport: [33_000, 33_000], dport: [4500, 4500] })],
    ports: [spec.ports[0], { ...spec.ports[1], filterIn: 3, filterOut: 2 }],
  });
  t.equal(filtered.forward(0, branchPacket(10))[1].length, 1, 'out');
  const [back] = new Router(gateway(2, 'gcm-256')).forward(
    0,
    ipv4({ src: '10.0.2.10', dst: '10.0.1.10', protocol: 17, payload: udp(9, 9, 50) }),
  )[1];
  t.equal(filtered.forward(1, translated(back, 33_000, 4500))[0].length, 1, 'in');
  t.equal(filtered.forward(1, translated(back, 33_001, 4500))[0].length, 0, 'in, from another port');
  t.match(filtered.counters(), { 'drop.acl_in': 1 });
  t.end();
});

t.test('ESP in UDP that arrives in fragments, in any order; IKE in fragments is the host’s', (t) => {
  const [a, b] = [new Router(gateway(1, 'aes-sha256')), new Router(gateway(2, 'aes-sha256'))];
  const packet = branchPacket(1300, { id: 7 });
  const orders = [
    [0, 1, 2],
    [2, 1, 0],
    [1, 0, 2],
    [2, 0, 1],
  ];
  for (const [n, order] of orders.entries()) {
    const sealed = translated(a.forward(0, packet)[1][0], 4500, 4500);
    new DataView(sealed.buffer).setUint16(4, 100 + n);
    const pieces = fragmentsOf(fixHeader(sealed), 512);
    t.equal(pieces.length, 3);
    const [inside, outside] = b.forward(1, ...order.map((at) => pieces[at]));
    t.strictSame([inside.map(hex), outside.length], [[hex(packet)], 0], `order ${order}`);
  }
  t.match(b.counters(), { 'path.reassembled_packets': 4, 'path.merged_fragments': 8, 'sa[1].opened_packets': 4 });
  t.notMatch(b.counters(), { 'path.punted_packets': Number });

  // Whole ones behind it in the same pass do not overtake it: the replay window has 64 places.
  const [large, ...small] = a.forward(0, packet, ...Array.from({ length: 100 }, () => branchPacket(10)))[1];
  const burst = [...fragmentsOf(translated(large, 4500, 4500), 512), ...small.map((whole) => translated(whole, 4500, 4500))];
  t.equal(b.forward(1, ...burst)[0].length, 101);
  t.notMatch(b.counters(), { 'drop.esp_replay': Number });

  // Longer than a slot, from the same peer and port: its non-ESP marker says what it is.
  const ike = ipv4({ src: '172.16.1.2', dst: '172.16.2.2', id: 9, payload: udp(4500, 4500, new Uint8Array(5000)) });
  const pieces = fragmentsOf(ike, 1480);
  t.strictSame(
    b
      .forward(1, ...pieces.toReversed())[1]
      .map((piece) => piece.length)
      .sort(),
    pieces.map((piece) => piece.length).sort(),
  );
  // From somebody who is no peer nothing is held.
  const stranger = ipv4({ src: '172.16.9.9', dst: '172.16.2.2', id: 10, payload: udp(4500, 4500, 2000) });
  t.equal(b.forward(1, fragmentsOf(stranger, 1480)[1])[1].length, 1);
  // A length that is not the datagram's: not ESP by RFC 3948 §2.1, and the host's.
  const lies = translated(a.forward(0, packet)[1][0], 4500, 4500);
  new DataView(lies.buffer).setUint16(24, 100);
  t.equal(b.forward(1, ...fragmentsOf(lies, 512))[1].length, 1);
  t.match(b.counters(), { 'path.punted_packets': pieces.length + 2 });
  t.equal(b.imbalance(), null);
  t.end();
});
