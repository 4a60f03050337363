import t from 'tap';
import { ivOf, sealByHand, textOf } from '../by-hand.js';
import { branchPacket, hex, ipv4 } from '../packets.js';
import { memberTables, Router, type SaSpec } from '../router.js';

const cases: SaSpec[] = [
  { spi: 0x3001, transform: 'aes-sha256', window: 64 },
  { spi: 0x3002, transform: 'gcm-256', window: 64, sids: [0x22] },
];

for (const sa of cases) {
  const seal = (seq: number, size = 10) => sealByHand(sa, { seq, text: textOf(branchPacket(size), 16) });
  const fresh = () => new Router(memberTables(2, sa));

  t.test(`${sa.transform}: a duplicate in one batch and in a later one`, (t) => {
    const router = fresh();
    const packet = seal(1);
    t.strictSame(router.forward(1, packet, packet)[0].map(hex), [hex(branchPacket(10))], 'the first of two copies passes');
    t.equal(router.forward(1, packet)[0].length, 0);
    const length = packet.length;
    t.strictSame(router.counters(), {
      'path.received_packets': 3,
      'path.sent_packets': 1,
      'path.dropped_packets': 2,
      'drop.esp_replay': 2,
      'port[1].received_packets': 3,
      'port[1].received_bytes': 3 * length,
      'port[1].receive_drops': 2,
      'port[0].sent_packets': 1,
      'port[0].sent_bytes': 38,
      'sa[0].opened_packets': 1,
      'sa[0].opened_bytes': 38,
      'sa[0].replay_drops': 2,
      'sa[0].receive_errors': 2,
      'group[0].opened_packets': 1,
      'group[0].opened_bytes': 38,
    });
    t.end();
  });

  t.test(`${sa.transform}: sequence 0, the window's edges, a jump of 2^31 and the end`, (t) => {
    const router = fresh();
    const accepted = (seq: number) => router.forward(1, seal(seq))[0].length === 1;
    const steps: [number, boolean][] = [
      [0, false],
      [100, true],
      [37, true],
      [36, false],
      [37, false],
      [99, true],
      [2147483748, true],
      [101, false],
      [2147483748 - 63, true],
      [2147483748 - 64, false],
      [4294967295, true],
      [4294967295, false],
      [0, false],
      [1, false],
    ];
    for (const [seq, wanted] of steps) t.equal(accepted(seq), wanted, `sequence ${seq}`);
    t.end();
  });

  t.test(`${sa.transform}: a forged packet moves no window and makes none`, (t) => {
    const router = fresh();
    const forged = seal(1000000);
    forged[forged.length - 1] ^= 1;
    router.forward(1, forged);
    t.equal(router.env.replay.length, 0);
    t.equal(router.forward(1, seal(1))[0].length, 1);
    t.match(router.counters(), { 'drop.esp_integrity': 1, 'sa[0].integrity_drops': 1 });
    t.end();
  });

  t.test(`${sa.transform}: window 0 checks nothing`, (t) => {
    const router = new Router(memberTables(2, { ...sa, window: 0 }));
    const packet = seal(5);
    t.equal(router.forward(1, packet, packet)[0].length, 2);
    t.end();
  });
}

t.test('our own packets thrown back at us are refused by their sender ID', (t) => {
  const sa: SaSpec = { spi: 0x3003, transform: 'gcm-128', sids: [0x22] };
  const router = new Router(memberTables(2, sa));
  const sealed = router.forward(0, ipv4({ src: '10.0.2.10', dst: '10.0.1.10' }))[1];
  router.forward(1, ...sealed);
  t.match(router.counters(), { 'drop.esp_replay': 1 });
  t.end();
});

t.test('a replayed packet under another outer source opens no window of its own', (t) => {
  const sa: SaSpec = { spi: 0x3004, transform: 'aes-sha1' };
  const router = new Router(memberTables(2, sa));
  const text = textOf(branchPacket(10), 16);
  router.forward(1, sealByHand(sa, { seq: 1, text, src: '10.0.7.7' }));
  t.equal(router.env.replay.length, 0);
  t.match(router.counters(), { 'drop.esp_header_not_preserved': 1 });
  t.end();
});

t.test('the table of windows is bounded: a quiet sender gives way, and what it sent cannot be replayed', (t) => {
  const sa: SaSpec = { spi: 0x3005, transform: 'gcm-128', sids: [0xffffff] };
  const router = new Router(memberTables(2, sa));
  const text = textOf(branchPacket(1), 4);
  const send = (sid: number, seq: number) => router.forward(1, sealByHand(sa, { seq, text, iv: ivOf(sid, seq) }))[0].length;
  for (let sid = 0; sid < 16384; sid++) send(sid, 1);
  t.equal(send(16384, 1), 1, 'one more');
  t.equal(router.env.replay.length, 16384);
  const again = Array.from({ length: 100 }, (_, sid) => send(sid, 1));
  t.strictSame([...new Set(again)], [0], 'the one that was forgotten is among them');
  for (let sid = 0; sid < 100; sid++) t.equal(send(sid, 2), 1, 'its next packet passes');
  t.match(router.counters(), { 'drop.esp_replay': 100 });
  t.ok(router.counters()['path.replay_evictions'] > 0);
  router.adopt(memberTables(2, { ...sa, spi: 0x3006 }));
  t.equal(router.env.replay.length, 0, 'a new SA in the slot forgets the windows of the old');
  t.end();
});

t.test('a sender that restarts goes on where it was, after a reboot far ahead; one that lost its state is refused', (t) => {
  const sa: SaSpec = { spi: 0x3008, transform: 'aes-sha256' };
  const receiver = new Router(memberTables(2, sa));
  const passes = (router: Router) => receiver.forward(1, ...router.forward(0, branchPacket(10))[1])[0].length;
  const first = new Router(memberTables(1, sa));
  for (let i = 0; i < 100; i++) t.equal(passes(first), 1);
  t.equal(passes(new Router(memberTables(1, sa), first.folder)), 1, 'another process');
  t.equal(passes(new Router(memberTables(1, sa), first.folder, '99999999-2222-3333-4444-555555555555')), 1, 'another boot');
  t.equal(passes(new Router(memberTables(1, sa))), 0, 'without its state: until the next TEK');
  t.end();
});

t.test('events of one SPI are told together, once a second', (t) => {
  const sa: SaSpec = { spi: 0x3007, transform: 'aes-sha1' };
  const router = new Router(memberTables(2, sa));
  const packet = sealByHand(sa, { seq: 1, text: textOf(branchPacket(1), 16) });
  const unknown = sealByHand(sa, { seq: 1, text: textOf(branchPacket(1), 16), spi: 0xdeadbeef });
  router.forward(1, packet, packet, packet, ...Array.from({ length: 500 }, () => unknown));
  const told: unknown[] = [];
  router.env.events.drain(5000, (event) => told.push(event));
  t.strictSame(told, [
    { kind: 'invalid-spi', spi: 0xdeadbeef, src: 0x0a00010a, dst: 0x0a00020a, count: 500 },
    { kind: 'replay', spi: 0x3007, src: 0x0a00010a, dst: 0x0a00020a, count: 2 },
  ]);
  router.forward(1, unknown);
  router.env.events.drain(5999, (event) => told.push(event));
  t.equal(told.length, 2, 'not again within a second');
  router.env.events.drain(6000, (event) => told.push(event));
  t.equal(told.length, 3);
  t.end();
});
