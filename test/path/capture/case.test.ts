// What a capture sees: packets as they are on the wire and inside SAs, with direction, port and the reason of those that are dropped.

import fc from 'fast-check';
import t from 'tap';
import { Drop, dropTexts, PathCount } from '../../../dataplane/counters/declare.js';
import { dropsByReason } from '../../../dataplane/counters/drops.js';
import { CaptureShape } from '../../../dataplane/mem/capture-shape.js';
import { LinkKind } from '../../../dataplane/mem/links.js';
import { Ctl, controlWords } from '../../../dataplane/mem/shared.js';
import { Ace, AceAction } from '../../../dataplane/tables/layout.js';
import { runs } from '../../support/runs.js';
import { datagram, icmp, natTables } from '../nat/flows.js';
import { branchPacket, hex, ip, ipv4, withTtl } from '../packets.js';
import { memberTables, Router, type SaSpec, type TablesSpec } from '../router.js';
import { Workers } from '../workers.js';
import { Watching } from './watching.js';

const gcm: SaSpec = { spi: 0x7001, transform: 'gcm-256', sids: [1] };
const echo = icmp('10.0.1.10', '198.51.100.7', 8, 0, 1, new Uint8Array(8));
const any = { src: 'any', dst: 'any' };
/** Port 0 denies UDP 53 as it comes, port 1 ICMP as it leaves. */
const filtered: Partial<TablesSpec> = {
  ports: [
    { address: '10.0.1.1', filterIn: 1 },
    { address: '172.16.1.2', filterOut: 2 },
  ],
  acls: [
    [{ action: 'permit', src: '10.0.0.0/16', dst: '10.0.0.0/16' }],
    [
      { action: 'deny', protocol: 17, ...any, dport: [53, 53] },
      { action: 'permit', ...any },
    ],
    [
      { action: 'deny', protocol: 1, ...any },
      { action: 'permit', ...any },
    ],
  ],
};

t.test('sealed by one member and opened by the other: outside and inside, as on the wire', (t) => {
  const sender = new Router(memberTables(1, gcm));
  const receiver = new Router(memberTables(2, { ...gcm, sids: [2] }));
  const [near, far] = [new Watching([sender]), new Watching([receiver])];
  const packet = branchPacket(100, { ttl: 61 });
  const esp = sender.forward(0, packet)[1][0];
  t.strictSame(near.take(), ['in 0 wire', 'out 1 inner', 'out 1 wire']);
  const [arrived, inner, left] = near.records.map(({ bytes }) => hex(bytes));
  t.equal(arrived, hex(withTtl(packet, 62)), 'the hop that the kernel took is given back');
  t.equal(inner, hex(packet), 'what is sealed has paid it');
  t.equal(left, hex(withTtl(esp, esp[8] - 1)), 'and the kernel will take one from what leaves');
  const out = receiver.forward(1, withTtl(esp, 63));
  t.strictSame(far.take(), ['in 1 wire', 'in 1 inner', 'out 0 wire']);
  t.strictSame(
    far.records.map(({ bytes }) => hex(bytes)),
    [hex(withTtl(esp, 64)), hex(packet), hex(withTtl(out[0][0], out[0][0][8] - 1))],
  );
  far.clear();
  receiver.forward(1, withTtl(esp, 63));
  t.strictSame(far.take(), ['in 1 wire esp_replay'], 'the same once more');
  near.end();
  far.end();
  t.end();
});

t.test('places: one interface, the inside alone, nothing', (t) => {
  for (const [places, seen] of [
    [{ wire: 1, inner: false }, ['in 0 wire']],
    [{ wire: 2, inner: false }, ['out 1 wire']],
    [{ wire: 0, inner: true }, ['out 1 inner']],
  ] as const) {
    const router = new Router(memberTables(1, gcm));
    const watching = new Watching([router], places);
    router.forward(0, branchPacket(10));
    t.strictSame(watching.take(), seen);
    watching.clear();
    watching.end();
    router.forward(0, branchPacket(10));
    t.strictSame(watching.take(), [], 'after its end');
  }
  t.end();
});

t.test('dropped: the reason stands on the record of the packet; on the way out on that of what did not leave', (t) => {
  const router = new Router(memberTables(1, gcm, filtered));
  const watching = new Watching([router]);
  router.forward(0, datagram('10.0.1.10', '198.51.100.7', 1000, 53));
  t.strictSame(watching.take()[0], 'in 0 wire acl_in');
  watching.clear();
  router.forward(0, echo);
  t.strictSame(watching.take()[0], 'in 0 wire acl_out');
  watching.clear();
  router.txRoom = 0;
  router.forward(0, datagram('10.0.1.10', '198.51.100.7', 1000, 80));
  t.strictSame(watching.take(), ['in 0 wire', 'out 1 wire tx_full']);
  watching.end();
  t.end();
});

t.test('what programs of this host send came by no wire; what is dropped of it has a record of its own', (t) => {
  const router = new Router(memberTables(1, gcm, { routes: [{ prefix: '198.51.100.0/24', port: 1 }] }));
  const watching = new Watching([router]);
  router.forward(1, ipv4({ src: '172.16.1.2', dst: '198.51.100.7', ttl: 64 }));
  t.strictSame(watching.take(), ['out 1 wire']);
  t.equal(watching.records[0].bytes[8], 64, 'with the TTL of its program');
  watching.clear();
  router.forward(1, ipv4({ src: '172.16.1.2', dst: '203.0.113.1', ttl: 64 }));
  t.strictSame(
    watching.take().filter((text) => text.includes('no_route')),
    ['out 1 wire no_route'],
  );
  watching.end();
  t.end();
});

t.test('a fragment that waits over passes gets a second record when it is dropped', (t) => {
  const router = new Router(natTables());
  const watching = new Watching([router]);
  router.forward(0, ipv4({ src: '10.0.1.10', dst: '198.51.100.7', fragmentOffset: 80, payload: new Uint8Array(16) }));
  t.strictSame(watching.take(), ['in 0 wire']);
  watching.clear();
  for (let i = 0; i < 5; i++) {
    router.nowMs += 1000;
    router.pass();
  }
  const dropped = dropsByReason(router.env.counters.drops);
  t.equal(dropped[Drop.FragmentTimeout], 1);
  t.strictSame(watching.take(), ['in 0 wire fragment_timeout']);
  watching.end();
  t.end();
});

t.test('only what the filter permits', (t) => {
  const row = new Array<number>(Ace.Words).fill(0);
  row[Ace.Action] = AceAction.Permit;
  row[Ace.Protocol] = 17;
  row[Ace.Dst] = ip('198.51.100.7') | 0;
  row[Ace.DstCare] = -1;
  row[Ace.SrcPortHigh] = 65535;
  row[Ace.DstPortLow] = row[Ace.DstPortHigh] = 80;
  const router = new Router(memberTables(1, gcm));
  const watching = new Watching([router], { aces: row });
  router.forward(0, datagram('10.0.1.10', '198.51.100.7', 1000, 81), echo, branchPacket(10));
  t.strictSame(watching.take(), []);
  router.forward(0, datagram('10.0.1.10', '198.51.100.7', 1000, 80), Uint8Array.of(0x45, 0, 0, 20));
  t.strictSame(watching.take(), ['in 0 wire', 'out 1 wire']);
  watching.end();
  t.end();
});

t.test('a full ring loses and counts, and everything is forwarded', (t) => {
  const router = new Router(memberTables(1, gcm));
  const watching = new Watching([router], { wire: 1, inner: false });
  const count = CaptureShape.Entries + 100;
  const packets = Array.from({ length: count }, (_, i) => datagram('10.0.1.10', '198.51.100.7', 1000, i));
  for (let i = 0; i < count; i += 64) {
    t.equal(router.forward(0, ...packets.slice(i, i + 64))[1].length, Math.min(64, count - i));
  }
  t.equal(watching.take().length, CaptureShape.Entries);
  t.equal(watching.lost, 100);
  t.equal(router.env.counters.path[PathCount.CaptureLost], 100);
  router.forward(0, packets[0]);
  t.equal(watching.take().length, CaptureShape.Entries + 1, 'and goes on when there is room');
  watching.end();
  t.end();
});

t.test('a link past the kernel leaves the TTL alone; two workers come in the order of time', (t) => {
  const header = '020000000001020000000002';
  const fast = memberTables(1, gcm, {
    ports: [
      { address: '10.0.1.1', link: LinkKind.Packet },
      { address: '172.16.1.2', link: LinkKind.Packet },
    ],
    neighbours: [{ port: 1, address: '172.16.1.1', header }],
    routes: [{ prefix: '0.0.0.0/0', port: 1, via: '172.16.1.1' }],
  });
  const router = new Router(fast);
  const watching = new Watching([router]);
  router.forward(16, ipv4({ src: '10.0.1.10', dst: '198.51.100.7', ttl: 60 }));
  t.strictSame(watching.take(), ['in 0 wire', 'out 1 wire']);
  t.strictSame(
    watching.records.map(({ bytes }) => bytes[8]),
    [60, 59],
  );
  watching.end();

  const workers = new Workers(2, memberTables(1, { ...gcm, sids: [1, 2] }));
  const both = new Watching(workers.all);
  for (let i = 0; i < 6; i++) {
    for (const worker of workers.all) worker.nowMs = 1000 + i;
    workers.all[i & 1].inputs[0].push(ipv4({ src: `10.0.1.${10 + i}`, dst: '198.51.100.7' }));
    for (let pass = 0; pass < 3; pass++) for (const worker of workers.all) worker.pass();
  }
  both.take();
  const times = both.records.map(({ micros }) => micros);
  t.strictSame(
    times,
    [...times].sort((a, b) => a - b),
  );
  t.equal(times.length, 12, 'six that came and left');
  both.end();
  t.end();
});

t.test('whatever comes: each drop has one record with its reason, each datagram that came or left one', (t) => {
  const packet = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc
      .record({
        src: fc.constantFrom('10.0.1.10', '10.0.2.9', '172.16.1.2', '198.51.100.7', '224.0.0.5'),
        dst: fc.constantFrom('10.0.2.10', '198.51.100.7', '203.0.113.9', '10.0.1.1', '172.16.1.2'),
        protocol: fc.constantFrom(1, 6, 17, 47, 50),
        ttl: fc.constantFrom(0, 1, 2, 64, 255),
        mf: fc.boolean(),
        fragmentOffset: fc.constantFrom(0, 0, 0, 8, 64),
        payload: fc.uint8Array({ minLength: 8, maxLength: 200 }),
      })
      .map(ipv4),
  );
  const arrivals = fc.array(fc.record({ port: fc.constantFrom(0, 1), bytes: packet, wait: fc.constantFrom(0, 0, 1000) }), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(arrivals, (list) => {
      const router = new Router(list.length % 2 === 0 ? natTables() : memberTables(1, gcm, filtered));
      const watching = new Watching([router]);
      for (const { port, bytes, wait } of list) {
        router.nowMs += wait;
        router.forward(port, bytes);
      }
      for (let i = 0; i < 5; i++) {
        router.nowMs += 1000;
        router.pass();
      }
      const seen = watching.take();
      watching.end();
      const imbalance = router.imbalance();
      if (imbalance !== null) throw new Error(imbalance);
      const dropped = dropsByReason(router.env.counters.drops);
      for (const [reason, { name }] of dropTexts.entries()) {
        const records = watching.records.filter((record) => record.reason === reason).length;
        if (records !== dropped[reason]) throw new Error(`${name}: ${dropped[reason]} dropped, ${records} recorded`);
      }
      const left = seen.filter((text) => /^out \d wire$/.test(text)).length;
      const { path } = router.env.counters;
      if (left !== path[PathCount.Sent]) throw new Error(`${path[PathCount.Sent]} left, ${left} recorded`);
    }),
    { numRuns: runs(40) },
  );
  t.pass();
  t.end();
});

t.test('off is off: not a word of the ring is touched', (t) => {
  const router = new Router(memberTables(1, gcm, filtered));
  const control = controlWords(router.shared);
  t.strictSame([control[Ctl.CaptureWire], control[Ctl.CaptureInner]], [0, 0]);
  router.forward(0, branchPacket(10), datagram('10.0.1.10', '198.51.100.7', 1000, 53));
  const watching = new Watching([router]);
  t.strictSame(watching.take(), []);
  watching.end();
  t.end();
});
