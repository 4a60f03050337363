// Path MTUs that routers on the way tell: learnt, used, forgotten, and not believed (bad-input 42, 43). The errors are made here, byte by byte.
import t from 'tap';
import { CryptoDf, CryptoFlag, SaFlag } from '../../../dataplane/tables/layout.js';
import { branchPacket, ip, ipv4, sumOf } from '../packets.js';
import { memberTables, Router, type SaSpec, type TablesSpec } from '../router.js';

const core = '192.0.2.9';
const sized = (size: number, more = {}) => branchPacket(size - 28, { df: true, ...more });
const view = (packet: Uint8Array) => new DataView(packet.buffer, packet.byteOffset);

interface TooBig {
  quote?: number;
  to?: string;
  code?: number;
  checksum?: boolean;
}

/** ICMP 3/4 about a packet, to its source. @param quote bytes of it that are quoted */
function tooBig(about: Uint8Array, mtu: number, { quote = 28, to, code = 4, checksum = true }: TooBig = {}): Uint8Array {
  const payload = new Uint8Array(8 + quote);
  payload.set([3, code, 0, 0, 0, 0, mtu >> 8, mtu & 255, ...about.subarray(0, quote)]);
  if (checksum) view(payload).setUint16(2, sumOf(payload));
  return ipv4({ src: core, dst: to ?? [...about.subarray(12, 16)].join('.'), protocol: 1, payload });
}

/** Type, code and MTU of an ICMP error, and who it is for. */
function told(error: Uint8Array): unknown[] {
  return [error[20], error[21], view(error).getUint16(26), [...error.subarray(16, 20)].join('.')];
}

const sa: SaSpec = { spi: 0x6101, transform: 'aes-sha1' };
const dropOf = (router: Router, name: string) => router.counters()[`drop.${name}`] ?? 0;

t.test('GET VPN: the error comes to the inner host and quotes ESP; the host is told at its next DF packet', (t) => {
  const router = new Router(memberTables(1, sa));
  const esp = router.forward(0, sized(1438))[1][0];
  t.equal(esp.length, 1496);
  t.equal(router.forward(1, tooBig(esp, 1400)).flat().length, 0, 'it ends here');
  t.equal(dropOf(router, 'pmtu_learnt'), 1);
  // 1400 - 20 - 8 - 16 - 12 = 1344 = 84 blocks, less 2.
  t.strictSame(told(router.forward(0, sized(1343))[0][0]), [3, 4, 1342, '10.0.1.10']);
  t.ok(router.forward(0, sized(1342))[1][0].length <= 1400);
  t.ok(
    router.forward(0, sized(1438, { df: false }))[1].every((piece) => piece.length <= 1400),
    'without DF it is cut to fit',
  );
  t.equal(router.forward(0, sized(1438, { dst: '10.0.2.11' }))[1][0].length, 1496, 'another destination has its own path');
  t.strictSame(router.env.pathMtus.list(Math.floor(router.nowMs / 1000)), [
    { destination: ip('10.0.2.10'), port: null, mtu: 1400, router: ip(core), ageSeconds: 0, remainingSeconds: 600, usedAgoSeconds: 0 },
  ]);
  router.nowMs += 600_000;
  t.equal(router.forward(0, sized(1438))[1][0].length, 1496, 'after ten minutes a larger one is tried again');
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('what is not believed', (t) => {
  const router = new Router(memberTables(1, sa, { sas: [{ ...sa, spi: 0x6102 }] }));
  const esp = router.forward(0, sized(1438))[1][0];
  const changed = (at: number, value: number) => Uint8Array.from(esp, (byte, i) => (i === at ? value : byte));
  const cases: [what: string, error: Uint8Array, reason: string | null][] = [
    ['unknown SPI', tooBig(changed(20, 9), 1400), 'pmtu_unknown'],
    ['a sequence number that was not sent', tooBig(changed(26, 9), 1400), 'pmtu_unknown'],
    ['sequence 0', tooBig(changed(27, 0), 1400), 'pmtu_unknown'],
    ['MTU 0', tooBig(esp, 0), 'pmtu_zero'],
    ['room for less than 68 bytes', tooBig(esp, 135), 'pmtu_below_least'],
    ['MTU 1', tooBig(esp, 1), 'pmtu_below_least'],
    ['not smaller than the packet', tooBig(esp, 1496), 'pmtu_not_smaller'],
    ['larger', tooBig(esp, 9000), 'pmtu_not_smaller'],
    ['wrong checksum', tooBig(esp, 1400, { checksum: false }), null],
    ['too short a quote', tooBig(esp, 1400, { quote: 27 }), null],
    ['a later fragment', tooBig(changed(7, 1), 1400), null],
    ['another source than it is for', tooBig(esp, 1400, { to: '10.0.1.11' }), null],
    ['another code', tooBig(esp, 1400, { code: 3 }), null],
    ['a host’s own packet', tooBig(sized(1500), 1400), null],
  ];
  for (const [what, error, reason] of cases) {
    const before = reason === null ? 0 : dropOf(router, reason);
    t.equal(router.forward(1, error)[0].length, reason === null ? 1 : 0, what);
    if (reason !== null) t.equal(dropOf(router, reason), before + 1, what);
  }
  t.equal(router.forward(0, sized(1438))[1][0].length, 1496, 'nothing was learnt');
  router.forward(1, tooBig(esp, 136));
  router.forward(1, tooBig(esp, 1400), tooBig(esp, 136));
  t.match(router.counters(), { 'drop.pmtu_learnt': 1, 'drop.pmtu_not_smaller': 4 });
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('a flood is limited, and a sequence number is old after 65,536 packets', (t) => {
  const router = new Router(memberTables(1, sa));
  const esp = router.forward(0, sized(1438))[1][0];
  for (let mtu = 1499; mtu > 1299; mtu--) router.forward(1, tooBig(esp, mtu));
  t.match(router.counters(), { 'drop.pmtu_learnt': 100, 'drop.pmtu_flood': 96 });
  router.nowMs += 1000;
  router.forward(1, tooBig(esp, 1290));
  t.equal(dropOf(router, 'pmtu_learnt'), 101);
  router.env.counters.saSequences[0] += 65536;
  router.forward(1, tooBig(esp, 1280));
  t.equal(dropOf(router, 'pmtu_unknown'), 1);
  t.end();
});

const ends = { local: '172.16.1.2', peer: '172.16.2.2' };
const sealer: SaSpec = { ...ends, spi: 0x6103, transform: 'aes-sha1', flags: SaFlag.Outbound | SaFlag.Pairwise };

/** Gateway 1: SAs to 172.16.2.2. */
const gateway = (more: Partial<TablesSpec> = {}): TablesSpec =>
  memberTables(1, null, {
    acls: [
      [{ action: 'permit', src: '10.0.1.0/24', dst: '10.0.2.0/24' }],
      [{ action: 'permit', protocol: 47, src: '172.16.1.2/32', dst: '172.16.2.2/32' }],
    ],
    entries: [{ port: 1, acl: 0, sa: 0, flags: CryptoFlag.PeerOut, flow: 1 }],
    sas: [sealer],
    ...more,
  });

t.test('between two gateways: by the peer', (t) => {
  const router = new Router(gateway());
  const esp = router.forward(0, sized(1438))[1][0];
  t.equal(router.forward(1, tooBig(esp, 1280)).flat().length, 0);
  t.strictSame(told(router.forward(0, sized(1300, { dst: '10.0.2.99' }))[0][0]), [3, 4, 1214, '10.0.1.10']);
  const stranger = Uint8Array.from(esp, (byte, i) => (i === 19 ? 3 : byte));
  router.forward(1, tooBig(stranger, 1000));
  t.match(router.counters(), { 'drop.pmtu_learnt': 1, 'drop.pmtu_unknown': 1 });
  t.end();
});

t.test('an extended sequence number is quoted by its lower half', (t) => {
  const router = new Router(gateway({ sas: [{ ...sealer, flags: SaFlag.Outbound | SaFlag.Pairwise | SaFlag.Extended }] }));
  const esp = router.forward(0, sized(1438))[1][0];
  // As if it had been sent beyond 2^32.
  router.env.counters.saSequences[0] += 2 ** 32;
  router.forward(1, tooBig(esp, 1280));
  t.equal(dropOf(router, 'pmtu_learnt'), 1);
  router.env.counters.saSequences[0] += 65536;
  router.forward(1, tooBig(esp, 1200));
  t.match(router.counters(), { 'drop.pmtu_learnt': 1, 'drop.pmtu_unknown': 1 });
  t.end();
});

const tunnelled = (tunnel: object, more: Partial<TablesSpec> = {}): TablesSpec =>
  gateway({
    ports: [
      { address: '10.0.1.1' },
      { address: '172.16.1.2' },
      { address: '192.168.1.1', mtu: 1476, tunnel: { source: '172.16.1.2', destination: '172.16.2.2', ...tunnel } },
    ],
    entries: [],
    sas: [],
    routes: [
      { prefix: '0.0.0.0/0', port: 1 },
      { prefix: '10.0.1.0/24', port: 0 },
      { prefix: '10.0.2.0/24', port: 2 },
    ],
    ...more,
  });

t.test('GRE: only with path-mtu-discovery, not below min-mtu, with its own timer', (t) => {
  const router = new Router(tunnelled({ copyDf: true, leastMtu: 1000, agerSeconds: 60 }));
  const gre = router.forward(0, sized(1476))[1][0];
  t.equal(gre.length, 1500);
  router.forward(1, tooBig(gre, 999));
  t.equal(dropOf(router, 'pmtu_below_least'), 1);
  router.forward(1, tooBig(gre, 1400));
  t.equal(dropOf(router, 'pmtu_learnt'), 1);
  t.strictSame(told(router.forward(0, sized(1377))[0][0]), [3, 4, 1376, '10.0.1.10']);
  t.equal(router.forward(0, sized(1376))[1][0].length, 1400);
  router.nowMs += 60_000;
  t.equal(router.forward(0, sized(1476))[1][0].length, 1500);
  const plain = new Router(tunnelled({}));
  plain.forward(1, tooBig(plain.forward(0, sized(1476))[1][0], 1400));
  t.equal(dropOf(plain, 'pmtu_unknown'), 1, 'without it its packets have no DF');
  t.end();
});

t.test('GRE in ESP: the inner source is told at once what both leave', (t) => {
  const sas = gateway().sas;
  const entries = [{ port: 1, acl: 1, sa: 0, flags: CryptoFlag.PeerOut, flow: 1 }];
  const router = new Router(tunnelled({ copyDf: true }, { sas, entries }));
  // 1438 fit into ESP, 24 of them are GRE.
  t.strictSame(told(router.forward(0, sized(1476))[0][0]), [3, 4, 1414, '10.0.1.10']);
  t.equal(router.forward(0, sized(1414))[1][0].length, 1496);
  t.strictSame(told(router.forward(0, sized(1415))[0][0]), [3, 4, 1414, '10.0.1.10'], 'the tunnel has learnt it');
  t.match(router.counters(), { 'drop.mtu_exceeded': 2 });
  router.forward(1, tooBig(router.forward(0, sized(1414))[1][0], 1400));
  t.strictSame(told(router.forward(0, sized(1414))[0][0]), [3, 4, 1318, '10.0.1.10']);
  t.equal(router.imbalance(), null);
  t.end();
});

const dfOf = (packet: Uint8Array) => (view(packet).getUint16(6) & 0x4000) !== 0;

t.test('crypto ipsec df-bit: the outer bit, and what clear does with the inner one', (t) => {
  for (const tables of [memberTables(1, sa), gateway()]) {
    const withDf = (cryptoDf: CryptoDf, cutSealed = false) =>
      new Router({ ...tables, ports: [{ address: '10.0.1.1' }, { address: '172.16.1.2', cryptoDf, cutSealed }] });
    const outer = (cryptoDf: CryptoDf) => [true, false].map((df) => dfOf(withDf(cryptoDf).forward(0, sized(1000, { df }))[1][0]));
    t.strictSame([CryptoDf.Copy, CryptoDf.Clear, CryptoDf.Set].map(outer), [
      [true, false],
      [false, false],
      [true, true],
    ]);
    const cleared = withDf(CryptoDf.Clear).forward(0, sized(1500));
    t.strictSame([cleared[0].length, cleared[1].length], [0, 2], 'cut before encryption though DF is set');
    t.strictSame(cleared[1].map(dfOf), [false, false]);
    t.equal(withDf(CryptoDf.Set).forward(0, sized(1500))[0].length, 1, 'set: refused as ever');
  }
  t.end();
});

t.test('crypto ipsec fragmentation after-encryption: ESP is cut, and put together at the other end', (t) => {
  const ports = [{ address: '10.0.1.1' }, { address: '172.16.1.2', cutSealed: true }];
  const router = new Router({ ...memberTables(1, sa), ports });
  const pieces = router.forward(0, sized(1500, { df: false }))[1];
  t.strictSame(
    pieces.map((piece) => [piece[9], view(piece).getUint16(6)]),
    [
      [50, 0x2000],
      [50, 185],
    ],
  );
  const receiver = new Router(memberTables(2, sa));
  t.equal(receiver.forward(1, ...pieces.reverse())[0][0].length, 1500);
  t.equal(router.forward(0, sized(1500))[0].length, 1, 'DF: refused');
  t.match(router.counters(), { 'sa[0].sealed_packets': 1, 'path.fragmented_packets': 1, 'path.fragments_made': 2 });
  t.equal(router.imbalance(), null);

  const peer = new Router({ ...gateway(), ports });
  t.equal(peer.forward(0, sized(1500, { df: false }))[1].length, 2);
  t.match(peer.counters(), { 'sa[0].sealed_packets': 1, 'path.fragmented_packets': 1 });
  const set = new Router({ ...memberTables(1, sa), ports: [ports[0], { ...ports[1], cryptoDf: CryptoDf.Set }] });
  set.forward(0, sized(1500, { df: false }));
  t.match(set.counters(), { 'sa[0].sealed_packets': 2 }, 'ESP with DF cannot be cut: what is inside is');
  t.end();
});

t.test('transport mode: too long without DF is sealed whole, and its ESP is cut', (t) => {
  const sas = [{ ...(gateway().sas[0] as SaSpec), flags: SaFlag.Outbound | SaFlag.Pairwise | SaFlag.Transport }];
  const entries = [{ port: 1, acl: 1, sa: 0, flags: CryptoFlag.PeerOut, flow: 1 }];
  const router = new Router(tunnelled({}, { sas, entries }));
  const pieces = router.forward(0, sized(1476))[1];
  t.strictSame(
    pieces.map((piece) => piece[9]),
    [50, 50],
  );
  t.match(router.counters(), { 'sa[0].sealed_packets': 1 });
  t.equal(router.imbalance(), null);
  t.end();
});
