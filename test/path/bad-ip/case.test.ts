// facts/bad-input.md 40 and 41, as far as a router that does not reassemble meets them.
import t from 'tap';
import { fixHeader, type Ipv4Spec, ipv4, udp } from '../packets.js';
import { memberTables, Router } from '../router.js';

const good: Ipv4Spec = { src: '10.0.1.10', dst: '198.51.100.10', payload: udp(1, 2, 10) };

function outcome(packet: Uint8Array): string {
  const router = new Router(memberTables(1, null));
  const sent = router.forward(0, packet).flat().length;
  const balance = router.imbalance();
  if (balance) return balance;
  const drops = Object.keys(router.counters()).filter((name) => name.startsWith('drop.'));
  return sent > 0 ? `sent ${sent}` : drops.join(' ');
}

function changed(change: (packet: Uint8Array, view: DataView) => void, spec: Ipv4Spec = good): Uint8Array {
  const packet = ipv4(spec);
  change(packet, new DataView(packet.buffer));
  return fixHeader(packet);
}

const cases: [string, Uint8Array, string][] = [
  ['good', ipv4(good), 'sent 1'],
  ['empty', new Uint8Array(0), 'drop.ip_malformed'],
  ['one byte', Uint8Array.of(0x45), 'drop.ip_malformed'],
  ['19 bytes', ipv4(good).subarray(0, 19), 'drop.ip_malformed'],
  ['IPv6', changed((p) => p.fill(0x60, 0, 1)), 'drop.not_ipv4'],
  ['version 0', changed((p) => p.fill(0x05, 0, 1)), 'drop.not_ipv4'],
  ['IHL 4', changed((p) => p.fill(0x44, 0, 1)), 'drop.ip_malformed'],
  ['IHL beyond the datagram', changed((p) => p.fill(0x4f, 0, 1)), 'drop.ip_malformed'],
  ['total length less than the header', changed((_, v) => v.setUint16(2, 19)), 'drop.ip_malformed'],
  ['total length more than came', changed((p, v) => v.setUint16(2, p.length + 1)), 'drop.ip_malformed'],
  ['checksum', Uint8Array.from(ipv4(good), (byte, i) => (i === 10 ? byte ^ 1 : byte)), 'drop.ip_header_checksum'],
  ['option length 0', ipv4({ ...good, options: Uint8Array.of(7, 0, 4, 0) }), 'drop.ip_malformed'],
  ['option length 1', ipv4({ ...good, options: Uint8Array.of(0x83, 1, 4, 0) }), 'drop.ip_malformed'],
  ['option beyond the header', ipv4({ ...good, options: Uint8Array.of(1, 1, 7, 8) }), 'drop.ip_malformed'],
  ['option without length', ipv4({ ...good, options: Uint8Array.of(1, 1, 1, 7) }), 'drop.ip_malformed'],
  ['LSRR of half an address', ipv4({ ...good, options: Uint8Array.of(0x83, 5, 4, 0, 0, 0, 0, 0) }), 'drop.ip_malformed'],
  ['RR pointer 3', ipv4({ ...good, options: Uint8Array.of(7, 7, 3, 0, 0, 0, 0, 0) }), 'drop.ip_malformed'],
  ['end of list, then anything', ipv4({ ...good, options: Uint8Array.of(0, 7, 99, 1) }), 'sent 1'],
  ['source 0/8', ipv4({ ...good, src: '0.1.2.3' }), 'drop.ip_martian'],
  ['source 127/8', ipv4({ ...good, src: '127.0.0.1' }), 'drop.ip_martian'],
  ['source multicast', ipv4({ ...good, src: '224.0.0.1' }), 'drop.ip_martian'],
  ['source class E', ipv4({ ...good, src: '250.0.0.1' }), 'drop.ip_martian'],
  ['source broadcast', ipv4({ ...good, src: '255.255.255.255' }), 'drop.ip_martian'],
  ['destination 127/8', ipv4({ ...good, dst: '127.0.0.1' }), 'drop.ip_martian'],
  ['destination 0/8', ipv4({ ...good, dst: '0.0.0.0' }), 'drop.ip_martian'],
  ['source = destination', ipv4({ ...good, dst: good.src }), 'drop.ip_martian'],
  ['fragment beyond 65,535', ipv4({ ...good, fragmentOffset: 65528, payload: new Uint8Array(16) }), 'drop.ip_malformed'],
  ['fragment of an odd length', ipv4({ ...good, mf: true, payload: new Uint8Array(15) }), 'drop.ip_malformed'],
  ['empty fragment', ipv4({ ...good, mf: true, payload: new Uint8Array(0) }), 'drop.ip_malformed'],
  ['tiny first fragment of TCP', ipv4({ ...good, mf: true, protocol: 6, payload: new Uint8Array(8) }), 'drop.ip_malformed'],
  ['TCP fragment at offset 8', ipv4({ ...good, fragmentOffset: 8, protocol: 6, payload: new Uint8Array(8) }), 'drop.ip_malformed'],
  ['last fragment', ipv4({ ...good, fragmentOffset: 1480, payload: new Uint8Array(3) }), 'sent 1'],
  ['UDP without ports', ipv4({ ...good, payload: new Uint8Array(3) }), 'sent 1'],
  ['TTL 1 (the kernel let it through)', ipv4({ ...good, ttl: 1 }), 'sent 1'],
  ['no payload', ipv4({ ...good, payload: new Uint8Array(0) }), 'sent 1'],
];

for (const [name, packet, wanted] of cases) {
  t.test(name, (t) => {
    t.equal(outcome(packet), wanted);
    t.end();
  });
}
