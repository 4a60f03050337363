// ESP and GRE that come in IP fragments: put together in any order, never with what is not of them, and bounded (bad-input 39, 41).
import fc from 'fast-check';
import t from 'tap';
import { SaFlag } from '../../../dataplane/tables/layout.js';
import { sealByHand, textOf } from '../by-hand.js';
import { fragmentsOf } from '../fragmented.js';
import { branchPacket, fixHeader, hex, ipv4, udp } from '../packets.js';
import { memberTables, Router, type SaSpec, type TablesSpec } from '../router.js';

const sa: SaSpec = { spi: 0x4101, transform: 'aes-sha1', window: 0 };
const packet = branchPacket(1400, { id: 77 });
const sealed = (n: number, more = {}) => {
  const esp = sealByHand(sa, { seq: n, text: textOf(packet, 16), ...more });
  new DataView(esp.buffer, esp.byteOffset).setUint16(4, n);
  return fixHeader(esp);
};

const withTunnel: Partial<TablesSpec> = {
  ports: [
    { address: '10.0.2.1' },
    { address: '172.16.2.2' },
    { address: '192.168.1.1', tunnel: { source: '172.16.2.2', destination: '172.16.3.2' } },
  ],
  entries: [],
};
const greOf = (inner: Uint8Array, id = 9) =>
  ipv4({ src: '172.16.3.2', dst: '172.16.2.2', protocol: 47, id, payload: Uint8Array.of(0, 0, 8, 0, ...inner) });

t.test('reassemble of permute of fragment is the identity', (t) => {
  const router = new Router(memberTables(2, sa));
  let n = 0;
  const plan = fc.tuple(fc.integer({ min: 12, max: 190 }), fc.array(fc.nat(), { minLength: 200, maxLength: 200 }));
  fc.assert(
    fc.property(plan, ([size, dice]) => {
      n++;
      const pieces = fragmentsOf(sealed(n), size * 8);
      // Ranges that do not meet are limited: pieces may come at any place as long as there are no more than 16 of them.
      for (let i = pieces.length - 1; i > 0; i--) {
        const other = dice[i] % (i + 1);
        [pieces[i], pieces[other]] = [pieces[other], pieces[i]];
      }
      const out = router.forward(1, ...pieces)[0];
      t.strictSame(out.map(hex), [hex(packet)]);
      t.equal(router.imbalance(), null);
    }),
    { numRuns: 60 },
  );
  t.end();
});

t.test('counters, and what a copy is', (t) => {
  const router = new Router(memberTables(2, sa));
  const [first, second, third] = fragmentsOf(sealed(1), 512);
  t.equal(router.forward(1, third, first, first).flat().length, 0);
  t.match(router.counters(), { 'path.assembling_packets': 1, 'path.merged_fragments': 1, 'drop.reassembly_duplicate': 1 });
  t.equal(router.imbalance(), null);
  t.strictSame(router.forward(1, second)[0].map(hex), [hex(packet)]);
  t.match(router.counters(), { 'path.reassembled_packets': 1, 'path.merged_fragments': 2, 'sa[0].opened_packets': 1 });
  t.notMatch(router.counters(), { 'path.assembling_packets': Number });
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('overlap, another end, too long: nothing of the datagram passes, others do', (t) => {
  const [first, second, third] = fragmentsOf(sealed(1), 512);
  const moved = (piece: Uint8Array, offset: number, more = true) => {
    const copy = piece.slice();
    new DataView(copy.buffer).setUint16(6, (more ? 0x2000 : 0) | (offset / 8));
    return fixHeader(copy);
  };
  const cases: [string, Uint8Array[], string, number][] = [
    ['overlap', [first, moved(second, 504), second, third], 'reassembly_overlap', 4],
    ['teardrop', [first, moved(second.slice(0, 20 + 512), 8, false), second, third], 'reassembly_overlap', 4],
    ['two ends', [third, moved(third, 1200, false), first, second], 'reassembly_overlap', 4],
    ['beyond a slot', [first, moved(second, 1832), second, third], 'reassembly_too_big', 2],
    ['beyond 65,535', [moved(second, 65528)], 'ip_malformed', 1],
  ];
  for (const [name, pieces, reason, count] of cases) {
    const router = new Router(memberTables(2, sa));
    t.equal(router.forward(1, ...pieces).flat().length, 0, name);
    t.equal(router.counters()[`drop.${reason}`], count, name);
    t.strictSame(router.forward(1, ...fragmentsOf(sealed(2), 800))[0].map(hex), [hex(packet)], `${name}: the next one passes`);
    t.equal(router.imbalance(), null, name);
  }
  t.end();
});

t.test('100,000 half-done datagrams cost 256 slots, and go in time', (t) => {
  const router = new Router(memberTables(2, sa));
  const [half] = fragmentsOf(sealed(1), 512);
  for (let n = 0; n < 100_000; n += 500) {
    const batch = Array.from({ length: 500 }, (_, i) => {
      const copy = half.slice();
      new DataView(copy.buffer).setUint32(12, 0x0a000000 + ((n + i) >> 8));
      new DataView(copy.buffer).setUint16(4, n + i);
      return fixHeader(copy);
    });
    router.forward(1, ...batch);
    router.nowMs += 1;
  }
  t.match(router.counters(), { 'path.assembling_packets': 256, 'drop.reassembly_limit': 100_000 - 256 });
  t.equal(router.imbalance(), null);
  t.strictSame(router.forward(1, ...fragmentsOf(sealed(2), 512))[0].map(hex), [hex(packet)], 'traffic goes on');
  router.nowMs += 3001;
  router.pass();
  t.match(router.counters(), { 'drop.reassembly_timeout': 255 });
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('congestion on one fragment is on the whole (RFC 3168 §5.3)', (t) => {
  const ect = branchPacket(1000, { tos: 2 });
  const router = new Router(memberTables(2, sa));
  const pieces = fragmentsOf(sealByHand(sa, { seq: 1, text: textOf(ect, 16), tos: 2 }), 512);
  pieces[1][1] = 3;
  fixHeader(pieces[1]);
  t.equal(router.forward(1, ...pieces)[0][0][1], 3);
  t.end();
});

t.test('GRE, and GRE whose fragments came out of an SA', (t) => {
  const inner = ipv4({ src: '10.9.0.1', dst: '10.0.2.10', payload: udp(1, 2, 1300) });
  const router = new Router(memberTables(2, null, withTunnel));
  t.strictSame(router.forward(1, ...fragmentsOf(greOf(inner), 800).reverse())[0].map(hex), [hex(inner)]);
  const stranger = greOf(inner);
  new DataView(stranger.buffer).setUint32(12, 0xac100902);
  t.equal(router.forward(1, ...fragmentsOf(fixHeader(stranger), 800)).flat().length, 2, 'of no tunnel: handed to the host as it is');
  t.match(router.counters(), { 'path.reassembled_packets': 1, 'path.punted_packets': 2 });

  const peer: SaSpec = {
    spi: 0x4102,
    transform: 'null-sha1',
    sidBits: 0,
    flags: SaFlag.Inbound | SaFlag.Pairwise,
    local: '172.16.2.2',
    peer: '172.16.3.2',
    acl: 0,
  };
  const both = new Router(memberTables(2, peer, { ...withTunnel, acls: [[{ action: 'permit', src: 'any', dst: 'any' }]] }));
  const [first, second] = fragmentsOf(greOf(inner), 800);
  const seal = (piece: Uint8Array, seq: number) => sealByHand(peer, { seq, text: textOf(piece, 4), src: '172.16.3.2', dst: '172.16.2.2' });
  t.equal(both.forward(1, seal(first, 1), second).flat().length, 0, 'what came in the clear is not added to what was encrypted');
  t.strictSame(both.forward(1, seal(second, 2))[0].map(hex), [hex(inner)]);
  t.equal(both.imbalance(), null);
  t.end();
});
