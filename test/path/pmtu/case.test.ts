import t from 'tap';
import { branchPacket, hex, ip, ipv4, sumOf, udp, withTtl } from '../packets.js';
import { memberTables, Router, type SaSpec, type TransformName } from '../router.js';

// facts/mtu-and-nat.md, path MTU 1500.
const largest: [TransformName, number][] = [
  ['aes-sha1', 1438],
  ['aes-sha256', 1438],
  ['3des-sha1', 1446],
  ['gcm-256', 1446],
  ['null-sha1', 1458],
];
const sized = (size: number, more = {}) => branchPacket(size - 28, more);

for (const [transform, most] of largest) {
  t.test(`${transform}: ${most} bytes pass, one more with DF is refused and told`, (t) => {
    const sa: SaSpec = { spi: 0x6001, transform, sids: [1] };
    const router = new Router(memberTables(1, sa));
    const sealed = router.forward(0, sized(most, { df: true }))[1];
    t.equal(sealed.length, 1);
    t.ok(sealed[0].length <= 1500, `${sealed[0].length} bytes on the wire`);
    const packet = sized(most + 1, { df: true });
    const out = router.forward(0, packet);
    t.equal(out[1].length, 0);
    const error = out[0][0];
    const view = new DataView(error.buffer);
    t.equal(error.length, 576, 'as much as RFC 1812 allows');
    t.strictSame([view.getUint32(12), view.getUint32(16)], [ip('10.0.1.1'), ip('10.0.1.10')]);
    t.strictSame([error[1], error[9], error[20], error[21], view.getUint16(24), view.getUint16(26)], [0xc0, 1, 3, 4, 0, most]);
    t.equal(hex(error.subarray(28)), hex(withTtl(packet, 64).subarray(0, 548)), 'quoted as the host sent it');
    t.equal(sumOf(error.subarray(0, 20)) | sumOf(error.subarray(20)), 0, 'checksums');
    t.match(router.counters(), { 'drop.mtu_exceeded': 1, 'path.made_packets': 1, 'path.sent_packets': 2, 'path.dropped_packets': 1 });
    t.equal(router.imbalance(), null);
    t.end();
  });
}

t.test('in the clear the limit is the MTU itself', (t) => {
  const router = new Router(memberTables(1, null, { ports: [{ address: '10.0.1.1' }, { address: '172.16.1.2', mtu: 1400 }] }));
  const to = { src: '10.0.1.10', dst: '198.51.100.1', df: true };
  t.equal(router.forward(0, ipv4({ ...to, payload: udp(1, 2, 1372) }))[1].length, 1);
  const out = router.forward(0, ipv4({ ...to, payload: udp(1, 2, 1373) }));
  t.equal(new DataView(out[0][0].buffer).getUint16(26), 1400);
  t.end();
});

t.test('an error to this host itself comes back on its port from the destination', (t) => {
  const sa: SaSpec = { spi: 0x6002, transform: 'aes-sha1' };
  const router = new Router(memberTables(1, sa));
  const out = router.forward(1, ipv4({ src: '172.16.1.2', dst: '198.51.100.1', df: true, payload: udp(1, 2, 1480) }));
  t.equal(out[1].length, 1);
  const view = new DataView(out[1][0].buffer);
  t.strictSame([view.getUint32(12), view.getUint32(16), out[1][0][8]], [ip('198.51.100.1'), ip('172.16.1.2'), 64]);
  t.match(router.counters(), { 'path.punted_packets': 1, 'path.made_packets': 1, 'drop.mtu_exceeded': 1 });
  t.end();
});

t.test('no error about an ICMP error, a later fragment or a packet that cannot be answered', (t) => {
  const sa: SaSpec = { spi: 0x6003, transform: 'aes-sha1' };
  const router = new Router(memberTables(1, sa));
  const icmp = (type: number) =>
    sized(1500, { df: true, protocol: 1, payload: Uint8Array.from({ length: 1480 }, (_, i) => (i === 0 ? type : 0)) });
  for (const type of [3, 4, 5, 11, 12]) t.equal(router.forward(0, icmp(type))[0].length, 0, `ICMP type ${type}`);
  t.equal(router.forward(0, icmp(8))[0].length, 1, 'an echo request is answered');
  t.equal(router.forward(0, sized(1500, { df: true, fragmentOffset: 1480 }))[0].length, 0);
  t.match(router.counters(), { 'drop.mtu_exceeded': 7, 'path.made_packets': 1 });
  t.end();
});

t.test('what is too large after decryption for the inside is refused or cut there', (t) => {
  const sa: SaSpec = { spi: 0x6004, transform: 'aes-sha1' };
  const sender = new Router(memberTables(1, sa));
  const receiver = new Router(memberTables(2, sa, { ports: [{ address: '10.0.2.1', mtu: 1000 }, { address: '172.16.2.2' }] }));
  const out = receiver.forward(1, ...sender.forward(0, sized(1200, { df: true }), sized(1200))[1]);
  t.equal(out[0].length, 2, 'two fragments');
  t.equal(out[1].length, 1, 'an ICMP error on its way back, encrypted as the policy wants');
  t.equal(out[1][0][9], 50);
  const back = sender.forward(1, ...out[1])[0];
  t.strictSame([back[0][20], back[0][21], new DataView(back[0].buffer).getUint16(26)], [3, 4, 1000]);
  t.end();
});

t.test('an error that quotes a decrypted packet never leaves in the clear', (t) => {
  const sa: SaSpec = { spi: 0x6005, transform: 'aes-sha1' };
  const acls = [[{ action: 'permit' as const, src: '10.0.0.0/16', dst: '10.0.2.0/24' }]];
  const sender = new Router(memberTables(1, sa));
  const receiver = new Router(memberTables(2, sa, { acls, ports: [{ address: '10.0.2.1', mtu: 1000 }, { address: '172.16.2.2' }] }));
  const out = receiver.forward(1, ...sender.forward(0, sized(1200, { df: true }))[1]);
  t.equal(out.flat().length, 0);
  t.match(receiver.counters(), { 'drop.no_sa': 1, 'drop.mtu_exceeded': 1, 'path.made_packets': 1 });
  t.equal(receiver.imbalance(), null);
  t.end();
});

t.test('an absurd MTU is taken for 68', (t) => {
  const router = new Router(memberTables(1, null, { ports: [{ address: '10.0.1.1' }, { mtu: 0 }] }));
  const packet = ipv4({ src: '10.0.1.10', dst: '198.51.100.1', payload: udp(1, 2, 100) });
  t.ok(router.forward(0, packet)[1].every((piece) => piece.length <= 68));
  t.end();
});
