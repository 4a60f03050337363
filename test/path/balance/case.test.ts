// The invariant of DESIGN §3 on random traffic: received + made = sent + dropped + punted, no slot is lost, nothing throws.
import fc from 'fast-check';
import t from 'tap';
import { sealByHand, textOf } from '../by-hand.js';
import { fixHeader, ipv4 } from '../packets.js';
import { memberTables, Router, type SaSpec } from '../router.js';

const sa: SaSpec = { spi: 0xc001, transform: 'gcm-128', sids: [1] };
const hosts = [
  '10.0.1.10',
  '10.0.2.10',
  '10.0.2.1',
  '172.16.2.2',
  '198.51.100.1',
  '203.0.113.9',
  '224.0.0.5',
  '255.255.255.255',
  '127.0.0.1',
];

const plain = fc
  .record({
    src: fc.constantFrom(...hosts),
    dst: fc.constantFrom(...hosts),
    protocol: fc.constantFrom(1, 6, 17, 47, 50, 50, 99),
    size: fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1400, max: 1900 })),
    df: fc.boolean(),
    mf: fc.boolean(),
    fragmentOffset: fc.constantFrom(0, 0, 8, 1480, 65528),
    ttl: fc.constantFrom(1, 64, 255),
    options: fc.constantFrom(new Uint8Array(0), Uint8Array.of(1, 1, 1, 0), Uint8Array.of(7, 9, 4, 0)),
  })
  .map(({ size, ...spec }) => ipv4({ ...spec, payload: Uint8Array.from({ length: size }, (_, i) => (i * 31) & 255) }));
const addressAt = (packet: Uint8Array, at: number) => packet.subarray(at, at + 4).join('.');
const sealed = fc
  .record({ seq: fc.integer({ min: 0, max: 40 }), inner: plain, preserve: fc.boolean(), other: fc.constantFrom(...hosts.slice(0, 3)) })
  .map(({ seq, inner, preserve, other }) =>
    sealByHand(sa, { seq, text: textOf(inner, 4), src: preserve ? addressAt(inner, 12) : other, dst: addressAt(inner, 16) }),
  );
const tunnelled = fc
  .record({ inner: fc.oneof(plain, sealed), first: fc.constantFrom(0, 0, 0, 0x20, 0x40, 0x80), ce: fc.boolean(), mf: fc.boolean() })
  .map(({ inner, first, ce, mf }) =>
    ipv4({ src: '172.16.3.2', dst: '172.16.2.2', protocol: 47, tos: ce ? 3 : 0, mf, payload: Uint8Array.of(first, 0, 8, 0, ...inner) }),
  );
const broken = fc.tuple(fc.oneof(plain, sealed, tunnelled), fc.nat(), fc.nat(255), fc.boolean()).map(([packet, at, value, fix]) => {
  packet[at % packet.length] = value;
  return fix && (packet[0] & 15) * 4 <= packet.length ? fixHeader(packet) : packet;
});
const noise = fc.uint8Array({ maxLength: 80 });
const traffic = fc.array(fc.tuple(fc.nat(2), fc.oneof(plain, sealed, tunnelled, broken, noise)), {
  minLength: 1,
  maxLength: 150,
  size: 'max',
});

t.test('random traffic is accounted for to the last packet', (t) => {
  const router = new Router(
    memberTables(2, sa, {
      ports: [
        { address: '10.0.2.1', mtu: 700 },
        { address: '172.16.2.2' },
        { address: '192.168.1.1', mtu: 1000, tunnel: { source: '172.16.2.2', destination: '172.16.3.2' } },
      ],
      routes: [
        { prefix: '10.0.0.0/16', port: 1 },
        { prefix: '10.0.2.0/24', port: 0 },
        { prefix: '198.51.100.0/24', port: 1 },
        { prefix: '172.16.3.2/32', port: 1 },
        { prefix: '203.0.113.0/24', port: 2 },
      ],
    }),
  );
  const reasons = new Set<string>();
  fc.assert(
    fc.property(traffic, fc.constantFrom(0, 3, 1000), (packets, room) => {
      router.txRoom = room;
      router.nowMs += 50;
      for (const [port, packet] of packets) router.inputs[port].push(packet);
      router.forward(0);
      const wrong = router.imbalance();
      for (const name of Object.keys(router.counters())) reasons.add(name);
      if (wrong) throw new Error(wrong);
    }),
    { numRuns: 150 },
  );
  // The traffic must have reached the corners, or this test says little.
  for (const name of [
    'drop.esp_replay',
    'drop.esp_policy',
    'drop.mtu_exceeded',
    'drop.no_route',
    'drop.tx_full',
    'path.assembling_packets',
    'drop.gre_key',
    'port[2].sent_packets',
    'port[2].received_packets',
    'path.punted_packets',
    'path.made_packets',
  ]) {
    t.ok(reasons.has(name), `${name} was seen`);
  }
  t.end();
});
