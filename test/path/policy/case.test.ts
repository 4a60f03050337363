import t from 'tap';
import { CryptoFlag } from '../../../dataplane/tables/layout.js';
import { branchPacket, ipv4, udp } from '../packets.js';
import { type AceSpec, memberTables, Router, type SaSpec, type TablesSpec } from '../router.js';

const sa: SaSpec = { spi: 0x5001, transform: 'aes-sha1' };
const vpn: AceSpec = { action: 'permit', src: '10.0.0.0/16', dst: '10.0.0.0/16' };
const noSsh: AceSpec[] = [
  { action: 'deny', protocol: 6, src: 'any', dst: 'any', dport: [22, 22] },
  { action: 'deny', protocol: 6, src: 'any', dst: 'any', sport: [22, 22] },
];
const tcp = (sport: number, dport: number) => udp(sport, dport, 12);

/** @returns 'esp', 'clear', or the drops */
function egress(router: Router, packet: Uint8Array): string {
  const before = router.counters();
  const out = router.forward(0, packet)[1];
  if (out.length > 0) return out[0][9] === 50 ? 'esp' : 'clear';
  const after = router.counters();
  return Object.keys(after)
    .filter((name) => name.startsWith('drop.') && after[name] !== before[name])
    .join(' ');
}

t.test('deny in one entry means the next entry, and only no permit at all means clear', (t) => {
  const second: SaSpec = { spi: 0x5002, transform: 'aes-sha1' };
  const tables = (entries: TablesSpec['entries']) =>
    memberTables(1, sa, { acls: [[...noSsh, vpn], [{ ...vpn, protocol: 6 }]], sas: [sa, second], entries });
  const router = new Router(tables([{ port: 1, acl: 0, sa: 0 }]));
  t.equal(egress(router, branchPacket(10)), 'esp');
  t.equal(egress(router, branchPacket(10, { protocol: 6, payload: tcp(1000, 22) })), 'clear');
  t.equal(egress(router, branchPacket(10, { protocol: 6, payload: tcp(22, 1000) })), 'clear');
  t.equal(egress(router, branchPacket(10, { protocol: 1 })), 'esp');
  t.equal(egress(router, ipv4({ src: '10.0.1.10', dst: '198.51.100.1' })), 'clear');
  router.adopt(
    tables([
      { port: 1, acl: 0, sa: 0 },
      { port: 1, acl: 1, sa: 1 },
    ]),
  );
  const out = router.forward(0, branchPacket(10, { protocol: 6, payload: tcp(1000, 22) }))[1];
  t.equal(new DataView(out[0].buffer).getUint32(20), 0x5002, "denied by the first entry, permitted by the second: the second's SA");
  t.end();
});

t.test('no policy yet: fail-open; policy but no SA: dropped; the next entry is not asked', (t) => {
  const router = new Router(memberTables(1, sa, { entries: [{ port: 1, acl: 0, sa: 0, registered: false }] }));
  t.equal(egress(router, branchPacket(10)), 'clear');
  router.adopt(memberTables(1, null));
  t.equal(egress(router, branchPacket(10)), 'drop.no_sa');
  router.adopt(
    memberTables(1, sa, {
      entries: [
        { port: 1, acl: 0, sa: -1 },
        { port: 1, acl: 0, sa: 0 },
      ],
    }),
  );
  t.equal(egress(router, branchPacket(10)), 'drop.no_sa');
  router.adopt(memberTables(1, { ...sa, flags: 1 }));
  t.equal(egress(router, branchPacket(10)), 'drop.no_sa', 'an SA that may only receive');
  t.match(router.counters(), { 'drop.no_sa': 3, 'path.dropped_packets': 3 });
  t.end();
});

t.test('fragments without ports: encrypted by a permit with ports, not exempted by a deny with ports', (t) => {
  const withPorts: AceSpec = { ...vpn, protocol: 17, dport: [2000, 2000] };
  const router = new Router(memberTables(1, sa, { acls: [[{ ...withPorts, action: 'deny', dport: [53, 53] }, withPorts]] }));
  t.equal(egress(router, branchPacket(10)), 'esp');
  t.equal(egress(router, branchPacket(10, { payload: udp(1, 2001, 10) })), 'clear');
  t.equal(egress(router, branchPacket(10, { payload: udp(1, 53, 10) })), 'clear');
  t.equal(egress(router, branchPacket(10, { fragmentOffset: 800 })), 'esp');
  t.equal(egress(router, branchPacket(10, { payload: new Uint8Array(2) })), 'esp', 'too short for ports');
  t.equal(egress(router, branchPacket(10, { protocol: 1 })), 'clear');
  t.end();
});

t.test('arriving in the clear what should be encrypted', (t) => {
  const acls = [[...noSsh, vpn]];
  const router = new Router(memberTables(2, sa, { acls }));
  const counted = (port: number, packet: Uint8Array) => {
    const before = router.counters()['drop.clear_must_be_encrypted'] ?? 0;
    const sent = router.forward(port, packet).flat().length;
    return [sent, (router.counters()['drop.clear_must_be_encrypted'] ?? 0) - before];
  };
  t.strictSame(counted(1, branchPacket(10)), [0, 1], 'on the crypto map port');
  t.strictSame(counted(1, branchPacket(10, { fragmentOffset: 800 })), [0, 1], 'a fragment of it');
  t.strictSame(counted(1, branchPacket(10, { protocol: 6, payload: tcp(5, 22) })), [1, 0], 'what a deny exempts');
  t.strictSame(counted(1, ipv4({ src: '198.51.100.1', dst: '10.0.2.10' })), [1, 0], 'what the policy does not name');
  t.strictSame(counted(0, ipv4({ src: '10.0.2.10', dst: '10.0.2.11' })), [1, 0], 'another port');
  t.strictSame(counted(1, ipv4({ src: '10.0.1.10', dst: '10.0.2.1', payload: udp(5, 80, 1) })), [0, 1], 'to the router itself');
  t.strictSame(counted(1, ipv4({ src: '10.0.1.10', dst: '10.0.2.1', payload: udp(848, 848, 1) })), [1, 0], 'but not GDOI');
  t.strictSame(counted(1, ipv4({ src: '10.0.1.10', dst: '10.0.2.10', payload: udp(848, 848, 1) })), [0, 1], "somebody else's GDOI");
  router.adopt(memberTables(2, sa, { acls, entries: [{ port: 1, acl: 0, sa: -1, registered: false }] }));
  t.strictSame(counted(1, branchPacket(10)), [1, 0], 'before registration: fail-open');
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('hits are counted per row, and kept for the entry when rows change', (t) => {
  const router = new Router(memberTables(1, sa, { acls: [[...noSsh, vpn]] }));
  router.forward(0, branchPacket(10), branchPacket(10), branchPacket(10, { protocol: 6, payload: tcp(1, 22) }));
  const { aceHits, aceTotals } = router.env.counters;
  // Rows are counters here.
  const hits = () => [0, 1, 2, 3].map((row) => aceHits[row] + aceTotals[row]);
  t.strictSame(hits(), [1, 0, 2, 0]);
  router.adopt(memberTables(1, sa, { acls: [[...noSsh, vpn]] }));
  t.strictSame(hits(), [1, 0, 2, 0], 'the same rows');
  router.adopt(memberTables(1, sa, { acls: [[vpn]] }));
  router.adopt(memberTables(1, sa, { acls: [[...noSsh, vpn]] }));
  t.strictSame(hits(), [1, 0, 0, 0], 'what was gone begins anew');
  t.end();
});

t.test('receive-only sends in the clear and takes both; passive encrypts and takes both', (t) => {
  const tables = (flags: number, member: 1 | 2 = 1) =>
    memberTables(member, sa, { entries: [{ port: 1, acl: 0, sa: 0, flags: CryptoFlag.Registered | flags }] });
  const peer = new Router(memberTables(1, sa));
  for (const [name, flags, sent] of [
    ['receive-only', CryptoFlag.ReceiveOnly | CryptoFlag.AcceptClear, 'clear'],
    ['passive', CryptoFlag.AcceptClear, 'esp'],
  ] as const) {
    t.equal(egress(new Router(tables(flags)), branchPacket(10)), sent, name);
    const receiver = new Router(tables(flags, 2));
    t.equal(receiver.forward(1, branchPacket(10))[0].length, 1, `${name}: in the clear`);
    t.equal(receiver.forward(1, ...peer.forward(0, branchPacket(10))[1])[0].length, 1, `${name}: encrypted`);
    t.notOk(receiver.counters()['drop.clear_must_be_encrypted']);
  }
  t.end();
});
