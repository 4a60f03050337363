// ip tcp adjust-mss: SYNs in both directions, in the clear, through a group's SA and a tunnel; and what it leaves alone.
import t from 'tap';
import { PacketFlag } from '../../../dataplane/mem/slots.js';
import { segment } from '../../support/tcp-segment.js';
import { hex, type Ipv4Spec, ipv4, sumOf, withTtl } from '../packets.js';
import { memberTables, Router, type SaSpec } from '../router.js';

const mss = (value: number) => [2, 4, value >> 8, value & 255, 1, 3, 3, 7];
const syn = (value: number, more: Partial<Ipv4Spec> = {}, flags = 2) =>
  ipv4({ src: '10.0.1.10', dst: '10.0.2.10', protocol: 6, payload: segment(mss(value), { flags, data: new Uint8Array(4) }), ...more });
const mssOf = (packet: Uint8Array) => new DataView(packet.buffer, packet.byteOffset).getUint16(42);
const clear = (ports: object[]) =>
  new Router(
    memberTables(1, null, {
      entries: [],
      ports: [{ address: '10.0.1.1' }, { address: '172.16.1.2' }].map((port, i) => ({ ...port, ...ports[i] })),
    }),
  );

t.test('the smaller of both interfaces, in both directions, counted where it is configured', (t) => {
  const router = clear([{ adjustMss: 1360 }, { adjustMss: 1200 }]);
  const out = router.forward(0, syn(1460))[1][0];
  t.equal(mssOf(out), 1200);
  t.equal(sumOf(out.subarray(20)), 0, 'checksum');
  t.equal(hex(out.subarray(0, 20)), hex(withTtl(syn(1460), 64).subarray(0, 20)), 'the rest is as it was');
  const back = { src: '198.51.100.1', dst: '10.0.1.10' };
  t.equal(mssOf(router.forward(1, syn(1460, back, 0x12))[0][0]), 1200, 'SYN and ACK too');
  t.equal(mssOf(router.forward(1, syn(1100, back, 0x12))[0][0]), 1100, 'smaller stays');
  t.equal(mssOf(router.forward(1, syn(1460, back, 0x10))[0][0]), 1460, 'no SYN');
  t.equal(mssOf(router.forward(0, syn(1460, { mf: true }))[1][0]), 1200, 'first fragment');
  t.equal(mssOf(router.forward(0, syn(1460, { fragmentOffset: 1480 }))[1][0]), 1460, 'later fragment');
  t.equal(mssOf(router.forward(0, syn(1460, { protocol: 17 }))[1][0]), 1460, 'UDP');
  t.match(router.counters(), { 'port[1].mss_lowered': 3 });
  t.notMatch(router.counters(), { 'port[0].mss_lowered': Number });
  const one = clear([{ adjustMss: 1360 }, {}]);
  t.strictSame([mssOf(one.forward(0, syn(1460))[1][0]), mssOf(one.forward(1, syn(1460, back))[0][0])], [1360, 1360]);
  t.match(one.counters(), { 'port[0].mss_lowered': 2 });
  t.end();
});

t.test('a header that lies passes as it is and is counted', (t) => {
  const router = clear([{}, { adjustMss: 500 }]);
  const packet = ipv4({ src: '10.0.1.10', dst: '10.0.2.10', protocol: 6, payload: segment([3, 0, ...mss(1460).slice(0, 4), 1, 1]) });
  t.equal(hex(router.forward(0, packet)[1][0]), hex(withTtl(packet, 64)));
  t.match(router.counters(), { 'port[1].mss_malformed': 1, 'path.sent_packets': 1 });
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('what is encrypted, and what has been', (t) => {
  const sa: SaSpec = { spi: 0x7001, transform: 'aes-sha1' };
  const plain = new Router(memberTables(2, sa));
  const router = new Router(memberTables(1, sa, { ports: [{ address: '10.0.1.1' }, { address: '172.16.1.2', adjustMss: 1300 }] }));
  t.equal(mssOf(plain.forward(1, ...router.forward(0, syn(1460))[1])[0][0]), 1300);
  const back = plain.forward(0, syn(1460, { src: '10.0.2.10', dst: '10.0.1.10' }))[1];
  t.equal(mssOf(router.forward(1, ...back)[0][0]), 1300, 'on its way out of the SA');
  t.equal(
    router.env.slots.flags.some((flags) => (flags & PacketFlag.Decrypted) !== 0),
    true,
  );
  t.end();
});

t.test('into and out of a tunnel', (t) => {
  const tunnel = { address: '192.168.13.1', mtu: 1476, adjustMss: 1400, tunnel: { source: '172.16.1.2', destination: '172.16.3.2' } };
  const router = new Router(
    memberTables(1, null, {
      entries: [],
      ports: [{ address: '10.0.1.1' }, { address: '172.16.1.2' }, tunnel],
      routes: [
        { prefix: '0.0.0.0/0', port: 1 },
        { prefix: '10.0.1.0/24', port: 0 },
        { prefix: '10.0.2.0/24', port: 2 },
      ],
    }),
  );
  const gre = router.forward(0, syn(1460))[1][0];
  t.equal(mssOf(gre.subarray(24)), 1400);
  const inner = syn(1460, { src: '10.0.2.10', dst: '10.0.1.10' });
  const came = ipv4({ src: '172.16.3.2', dst: '172.16.1.2', protocol: 47, payload: Uint8Array.of(0, 0, 8, 0, ...inner) });
  t.equal(mssOf(router.forward(1, came)[0][0]), 1400);
  t.match(router.counters(), { 'port[2].mss_lowered': 2 });
  t.end();
});
