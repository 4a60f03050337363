import t from 'tap';
import { branchPacket, hex, ip, ipv4, sumOf, udp, withTtl } from '../packets.js';
import { memberTables, Now, Router, type SaSpec, type TransformName, transforms } from '../router.js';

const names = Object.keys(transforms) as TransformName[];

for (const transform of names) {
  t.test(`${transform}: sealed by one member, opened by the other`, (t) => {
    const sa: SaSpec = { spi: 0x1001, transform };
    const sender = new Router(memberTables(1, { ...sa, sids: [0x10] }));
    const receiver = new Router(memberTables(2, { ...sa, sids: [0x20] }));
    const packet = branchPacket(100, { tos: 0xb9, id: 0xbeef, df: true, ttl: 61 });
    const sealed = sender.forward(0, packet)[1];
    t.equal(sealed.length, 1);
    const esp = sealed[0];
    const view = new DataView(esp.buffer);
    const { ivLen, icvLen, align } = transforms[transform];
    const total = 20 + 8 + ivLen + Math.ceil((packet.length + 2) / align) * align + icvLen;
    t.strictSame(
      [esp[0], esp[1], view.getUint16(2), view.getUint16(4), view.getUint16(6), esp[8], esp[9]],
      [0x45, 0xb9, total, 0xbeef, 0x4000, 64, 50],
      'outer header: ToS with ECN, id and DF copied, TTL 64, ESP',
    );
    t.strictSame([view.getUint32(12), view.getUint32(16)], [ip('10.0.1.10'), ip('10.0.2.10')], 'addresses preserved');
    t.equal(sumOf(esp.subarray(0, 20)), 0, 'header checksum');
    t.strictSame([view.getUint32(20), view.getUint32(24)], [0x1001, 1], 'SPI, sequence from 1');
    t.equal(esp.length, total);
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
    const opened = receiver.forward(1, withTtl(esp, 63));
    t.strictSame(opened[0].map(hex), [hex(packet)], 'the inner packet as it was sealed; the kernel takes its hop');
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
    t.end();
  });

  t.test(`${transform}: every size from 20 to 200, batches of any length`, (t) => {
    const sa: SaSpec = { spi: 0x1002, transform, window: 1024 };
    const sender = new Router(memberTables(1, { ...sa, sids: [0x10] }));
    const receiver = new Router(memberTables(2, { ...sa, sids: [0x20] }));
    const packets = Array.from({ length: 180 }, (_, i) =>
      ipv4({ src: '10.0.1.10', dst: '10.0.2.10', protocol: 99, payload: udp(1, 2, i).subarray(0, i) }),
    );
    const sealed = sender.forward(0, ...packets)[1];
    t.strictSame(receiver.forward(1, ...sealed)[0].map(hex), packets.map(hex));
    t.equal(sender.imbalance() ?? receiver.imbalance(), null);
    t.end();
  });
}

t.test('the host itself is protected too: its TTL stays, since the kernel has not taken one', (t) => {
  const sa: SaSpec = { spi: 0x1003, transform: 'aes-sha256' };
  const sender = new Router(memberTables(1, sa));
  const receiver = new Router(memberTables(2, sa));
  const packet = ipv4({ src: '10.0.1.1', dst: '10.0.2.10', ttl: 64 });
  const sealed = sender.forward(1, packet)[1];
  t.equal(sealed[0][9], 50);
  t.strictSame(receiver.forward(1, ...sealed)[0].map(hex), [hex(packet)]);
  const back = ipv4({ src: '10.0.2.10', dst: '10.0.1.1', ttl: 63 });
  const answer = receiver.forward(0, back)[1];
  t.strictSame(sender.forward(1, ...answer)[1].map(hex), [hex(back)], 'decrypted and punted on the port it came by');
  t.match(sender.counters(), { 'path.punted_packets': 1 });
  t.end();
});

t.test('two members interleaved on one SA, with and without sender IDs', (t) => {
  for (const transform of ['gcm-256', 'aes-sha1'] as const) {
    const sa: SaSpec = { spi: 0x1004, transform, window: 64 };
    const one = new Router(memberTables(1, { ...sa, sids: [1] }));
    const three = new Router({
      ...memberTables(1, { ...sa, sids: [3] }),
      routes: [{ prefix: '0.0.0.0/0', port: 1 }],
      locals: ['10.0.3.1'],
    });
    const receiver = new Router(memberTables(2, { ...sa, sids: [2] }));
    const burst = Array.from({ length: 200 }, () => branchPacket(10));
    receiver.forward(1, ...one.forward(0, ...burst)[1]);
    // Member 3 begins at 1 while member 1 is at 200: one shared window would drop all of it.
    const other = Array.from({ length: 100 }, () => ipv4({ src: '10.0.3.10', dst: '10.0.2.10', payload: udp(1, 2, 10) }));
    const fromOne = one.forward(0, ...burst.slice(0, 100))[1];
    const fromThree = three.forward(0, ...other)[1];
    const mixed = fromOne.flatMap((packet, i) => [packet, fromThree[i]]);
    t.equal(receiver.forward(1, ...mixed)[0].length, 200, transform);
    t.match(receiver.counters(), { 'sa[0].opened_packets': 400 });
    t.notOk('drop.esp_replay' in receiver.counters(), transform);
  }
  t.end();
});

t.test('rekey: old and new SA open side by side, the new one seals, the old one is forgotten', (t) => {
  const old: SaSpec = { spi: 0x2001, transform: 'gcm-128', keySeed: 1 };
  const fresh: SaSpec = { spi: 0x2002, transform: 'gcm-128', keySeed: 2 };
  const sender = new Router(memberTables(1, { ...old, sids: [1] }));
  const receiver = new Router(memberTables(2, { ...old, sids: [2] }));
  const before = sender.forward(0, branchPacket(1), branchPacket(2))[1];
  const both = memberTables(2, old, {
    sas: [
      { ...old, sids: [2] },
      { ...fresh, sids: [2] },
    ],
  });
  receiver.adopt(both);
  sender.adopt(
    memberTables(1, old, {
      sas: [
        { ...old, sids: [1] },
        { ...fresh, sids: [1] },
      ],
      entries: [{ port: 1, acl: 0, sa: 1 }],
    }),
  );
  const after = sender.forward(0, branchPacket(3))[1];
  t.equal(new DataView(after[0].buffer).getUint32(20), 0x2002);
  t.equal(receiver.forward(1, before[0], after[0])[0].length, 2, 'a packet of the old SA still in flight is accepted');
  receiver.adopt(memberTables(2, old, { sas: [null, { ...fresh, sids: [2] }] }));
  t.equal(receiver.forward(1, before[1])[0].length, 0);
  t.match(receiver.counters(), { 'drop.esp_unknown_spi': 1, 'sa[1].opened_packets': 1 });
  t.notOk('sa[0].opened_packets' in receiver.counters(), 'counters of a slot go with its serial');
  t.end();
});

t.test('past its lifetime an SA neither seals nor opens', (t) => {
  const sa: SaSpec = { spi: 0x1005, transform: 'aes-sha1' };
  const sender = new Router(memberTables(1, sa));
  const sealed = sender.forward(0, branchPacket(10))[1];
  const expired = new Router(memberTables(2, { ...sa, expiresAt: Now }));
  expired.forward(1, ...sealed);
  expired.forward(0, ipv4({ src: '10.0.2.10', dst: '10.0.1.10' }));
  t.match(expired.counters(), { 'drop.esp_expired': 1, 'drop.no_sa': 1, 'path.dropped_packets': 2 });
  t.end();
});

t.test('congestion marked on the way passes to the inner header (RFC 6040)', (t) => {
  const sa: SaSpec = { spi: 0x1006, transform: 'aes-sha1' };
  const sender = new Router(memberTables(1, sa));
  const receiver = new Router(memberTables(2, sa));
  const sealed = sender.forward(0, branchPacket(10, { tos: 2 }), branchPacket(10, { tos: 0 }), branchPacket(10, { tos: 3 }))[1];
  const marked = sealed.map((packet) => {
    packet[1] |= 3;
    packet[10] = 0;
    packet[11] = 0;
    const sum = sumOf(packet.subarray(0, 20));
    packet[10] = sum >> 8;
    packet[11] = sum & 255;
    return packet;
  });
  const out = receiver.forward(1, ...marked)[0];
  t.strictSame(out.map(hex), [hex(branchPacket(10, { tos: 3 })), hex(branchPacket(10, { tos: 3 }))]);
  t.match(receiver.counters(), { 'drop.esp_congestion': 1 });
  t.end();
});
