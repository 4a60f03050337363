// A closed port: one group is registered, the other is not; only what the groups encrypt and the exceptions pass.
import t from 'tap';
import { CryptoFlag } from '../../../dataplane/tables/layout.js';
import { branchPacket, ipv4, udp } from '../packets.js';
import { type AceSpec, memberTables, Router, type SaSpec } from '../router.js';

const sa: SaSpec = { spi: 0x5001, transform: 'aes-sha1' };
const any: AceSpec = { action: 'permit', src: 'any', dst: 'any' };
const acls: AceSpec[][] = [
  [
    { action: 'deny', protocol: 17, src: 'any', dst: 'any', dport: [53, 53] },
    { action: 'permit', src: '10.0.0.0/16', dst: '10.0.0.0/16' },
  ],
  [{ action: 'deny', protocol: 6, src: 'any', dst: 'any', dport: [22, 22] }, any],
  [{ action: 'deny', protocol: 6, src: 'any', dst: 'any', sport: [22, 22] }, any],
];
const closed = [
  { port: 1, acl: 1, sa: -1, flags: CryptoFlag.ClosedOut as number },
  { port: 1, acl: 2, sa: -1, flags: CryptoFlag.ClosedIn as number },
];
const unregistered = { port: 1, acl: 0, sa: -1, registered: false };

function verdictOf(router: Router, port: number, packet: Uint8Array): string {
  const before = router.counters();
  const [out] = router.forward(port, packet)[1 - port];
  if (out) return out[9] === 50 ? 'esp' : 'clear';
  const after = router.counters();
  return Object.keys(after)
    .filter((name) => name.startsWith('drop.') && after[name] !== before[name])
    .join(' ');
}
const tcp = (sport: number, dport: number) => ({ protocol: 6, payload: udp(sport, dport, 12) });

t.test('nothing is registered: only exceptions pass, in both directions', (t) => {
  const router = new Router(memberTables(1, sa, { acls, entries: [unregistered, ...closed] }));
  t.equal(verdictOf(router, 0, branchPacket(10)), 'drop.fail_close');
  t.equal(verdictOf(router, 0, ipv4({ src: '10.0.1.10', dst: '198.51.100.1' })), 'drop.fail_close', 'not only what the group will encrypt');
  t.equal(verdictOf(router, 0, branchPacket(10, tcp(5000, 22))), 'clear');
  t.equal(verdictOf(router, 0, branchPacket(10, tcp(22, 5000))), 'drop.fail_close', 'the list is of what leaves');
  t.equal(verdictOf(router, 0, branchPacket(10, { ...tcp(5000, 22), fragmentOffset: 800 })), 'drop.fail_close', 'a fragment has no ports');
  const back = { src: '10.0.2.10', dst: '10.0.1.10' };
  t.equal(verdictOf(router, 1, ipv4(back)), 'drop.fail_close');
  t.equal(verdictOf(router, 1, ipv4({ ...back, ...tcp(22, 5000) })), 'clear', 'the answer');
  t.equal(verdictOf(router, 1, ipv4({ ...back, ...tcp(5000, 22) })), 'drop.fail_close');
  t.equal(router.imbalance(), null);
  t.match(router.counters(), { 'drop.fail_close': 6, 'path.dropped_packets': 6 });
  t.end();
});

t.test('what goes to the router itself, key management apart', (t) => {
  const router = new Router(memberTables(1, sa, { acls, entries: [unregistered, ...closed] }));
  const counts = () => router.counters()['path.punted_packets'] ?? 0;
  router.forward(1, ipv4({ src: '172.16.4.2', dst: '172.16.1.2', payload: udp(5, 80, 1) }));
  t.equal(counts(), 0);
  router.forward(1, ipv4({ src: '172.16.4.2', dst: '172.16.1.2', payload: udp(848, 848, 1) }));
  t.equal(counts(), 1, 'or it could never open');
  t.end();
});

t.test('one of two groups is registered: its traffic is encrypted, what it denies is not let out', (t) => {
  const router = new Router(memberTables(1, sa, { acls, entries: [{ port: 1, acl: 0, sa: 0 }, unregistered, ...closed] }));
  t.equal(verdictOf(router, 0, branchPacket(10)), 'esp');
  t.equal(verdictOf(router, 0, branchPacket(10, { payload: udp(1, 53, 4) })), 'drop.fail_close');
  t.equal(verdictOf(router, 0, branchPacket(10, tcp(5000, 22))), 'esp', 'an exception says what passes in the clear, not that it must');
  router.adopt(memberTables(1, sa, { acls, entries: [{ port: 1, acl: 0, sa: 0 }] }));
  t.equal(verdictOf(router, 0, branchPacket(10, { payload: udp(1, 53, 4) })), 'clear', 'open again');
  t.end();
});
