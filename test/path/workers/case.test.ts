// Several workers of one router, each a pipeline of its own over shared memory: what comes to the wrong one is handed to its owner, and what
// one cannot seal to one that can. Counters are exact for each worker, and nothing is lost between them.
import fc from 'fast-check';
import t from 'tap';
import { Drop, PathCount } from '../../../dataplane/counters/declare.js';
import { dropsByReason } from '../../../dataplane/counters/drops.js';
import { LinkKind } from '../../../dataplane/mem/links.js';
import { Ctl, controlWords } from '../../../dataplane/mem/shared.js';
import { ownerOf } from '../../../dataplane/native/native.js';
import { sealByHand, textOf } from '../by-hand.js';
import { branchPacket, hex, ip, ipv4, udp } from '../packets.js';
import { memberTables, Router, type SaSpec } from '../router.js';
import { Workers } from '../workers.js';

/** `10.0.NET.x` that belongs to a worker of two. */
function sourceOf(worker: number, net = 1, workers = 2): string {
  for (let host = 10; ; host++) if (ownerOf(ip(`10.0.${net}.${host}`), workers) === worker) return `10.0.${net}.${host}`;
}

const gcm = (sids: number[], more: Partial<SaSpec> = {}): SaSpec => ({ spi: 0xd001, transform: 'gcm-256', sids, ...more });
const from = (src: string, more = {}) => branchPacket(20, { src, ...more });
const sequenceOf = (esp: Uint8Array) => Number.parseInt(hex(esp.subarray(24, 28)), 16);
const senderOf = (esp: Uint8Array) => Number.parseInt(hex(esp.subarray(28, 31)), 16);

t.test('what comes to the wrong worker goes to its owner: exact counters of both', (t) => {
  const workers = new Workers(2, memberTables(1, gcm([5, 6])));
  const [first, second] = workers.all;
  first.inputs[0].push(from(sourceOf(0)), from(sourceOf(1)), from(sourceOf(1)));
  const [byFirst, bySecond] = workers.run();
  t.strictSame(byFirst.map(senderOf), [5]);
  t.strictSame(bySecond.map(senderOf), [6, 6], 'each seals under its own sender ID');
  t.strictSame(byFirst.map(sequenceOf), [1]);
  t.strictSame(bySecond.map(sequenceOf), [1, 2], 'with sequence numbers of its own');
  const sent = byFirst[0].length;
  t.strictSame(first.counters(), {
    'path.received_packets': 3,
    'path.sent_packets': 1,
    'path.handed_over_packets': 2,
    'port[0].received_packets': 3,
    'port[0].received_bytes': 3 * 48,
    'port[1].sent_packets': 1,
    'port[1].sent_bytes': sent,
    'sa[0].sealed_packets': 1,
    'sa[0].sealed_bytes': 48,
    'group[0].sealed_packets': 1,
    'group[0].sealed_bytes': 48,
  });
  t.strictSame(second.counters(), {
    'path.sent_packets': 2,
    'path.taken_over_packets': 2,
    'port[1].sent_packets': 2,
    'port[1].sent_bytes': 2 * sent,
    'sa[0].sealed_packets': 2,
    'sa[0].sealed_bytes': 96,
    'group[0].sealed_packets': 2,
    'group[0].sealed_bytes': 96,
  });
  t.equal(workers.imbalance(), null);
  t.end();
});

t.test('received ESP: the owner alone knows the window, wherever the copies come in', (t) => {
  const sa = gcm([5, 6]);
  const workers = new Workers(2, memberTables(1, sa));
  const [first, second] = workers.all;
  const src = sourceOf(1, 2);
  const inner = ipv4({ src, dst: '10.0.1.10', payload: udp(1, 2, 30) });
  const copy = () => sealByHand(sa, { seq: 7, text: textOf(inner, 4), src, dst: '10.0.1.10' });
  first.inputs[1].push(copy());
  t.strictSame(
    workers.run(0).map((list) => list.length),
    [0, 1],
    'opened by its owner',
  );
  first.inputs[1].push(copy());
  second.inputs[1].push(copy());
  t.strictSame(
    workers.run(0).map((list) => list.length),
    [0, 0],
  );
  t.match(second.counters(), { 'drop.esp_replay': 2, 'sa[0].opened_packets': 1, 'sa[0].replay_drops': 2 });
  t.match(first.counters(), { 'path.received_packets': 2, 'path.handed_over_packets': 2 });
  t.equal(workers.imbalance(), null);
  t.end();
});

t.test('a full ring is a counted drop', (t) => {
  const workers = new Workers(2, memberTables(1, gcm([5, 6])));
  const [first, second] = workers.all;
  for (let i = 0; i < 600; i++) first.inputs[0].push(from(sourceOf(1)));
  while (first.inputs[0].length > 0) first.pass();
  t.equal(dropsByReason(first.env.counters.drops)[Drop.HandOverFull], 88);
  t.equal(first.env.counters.path[PathCount.HandedOver], 512);
  t.equal(first.imbalance(), null);
  second.pass();
  t.equal(second.env.counters.path[PathCount.TakenOver], 256, 'so many in a pass');
  workers.run();
  t.equal(second.env.counters.path[PathCount.TakenOver], 512);
  t.equal(workers.imbalance(), null);
  t.end();
});

t.test('one sender ID for three workers: one of them seals, the hop is taken once, policy is counted once', (t) => {
  const tables = memberTables(1, gcm([9]), { ports: [{ address: '10.0.1.1', link: LinkKind.Packet }, { address: '172.16.1.2' }] });
  const workers = new Workers(3, tables);
  const [keeper, , third] = workers.all;
  for (const [index, router] of workers.all.entries()) {
    for (let i = 0; i < 4; i++) router.inputs[16].push(from(sourceOf(index, 1, 3), { ttl: 33 }));
  }
  const sealed = workers.run();
  t.strictSame(
    sealed.map((list) => list.length),
    [12, 0, 0],
  );
  t.strictSame(
    sealed[0].map(sequenceOf).sort((a, b) => a - b),
    Array.from({ length: 12 }, (_, i) => i + 1),
    'one sequence',
  );
  t.equal(new Set(sealed[0].map((esp) => hex(esp.subarray(28, 36)))).size, 12, 'IVs differ');
  t.equal(
    workers.all.reduce((sum, { env }) => sum + env.counters.aceHits[0], 0),
    12,
  );
  t.match(third.counters(), { 'path.received_packets': 4, 'path.handed_over_packets': 4 });
  t.match(keeper.counters(), { 'path.taken_over_packets': 8, 'sa[0].sealed_packets': 12 });
  t.equal(workers.imbalance(), null);
  const receiver = new Router(memberTables(2, gcm([50], { window: 64 })));
  const opened = receiver.forward(1, ...sealed[0])[0];
  t.strictSame(
    opened.map((packet) => packet[8]),
    Array(12).fill(32),
    'each router on the way takes one',
  );
  t.end();
});

t.test('who sleeps is woken, once a pass, and nobody else', (t) => {
  const workers = new Workers(3, memberTables(1, gcm([5, 6, 7])));
  const [first, second, third] = workers.all;
  t.equal(second.env.handOver?.fallAsleep(), true);
  for (let i = 0; i < 5; i++) for (const owner of [1, 2]) first.inputs[0].push(from(sourceOf(owner, 1, 3)));
  first.pass();
  t.strictSame(first.wakes, [1], 'not the third, which is awake');
  t.equal(third.env.handOver?.fallAsleep(), false, 'it sees what waits when it is about to sleep');
  first.inputs[0].push(from(sourceOf(1, 1, 3)));
  first.pass();
  t.strictSame(first.wakes, [1], 'who was woken is not woken again');
  first.inputs[0].push(from(sourceOf(0, 1, 3)));
  t.equal(second.env.handOver?.fallAsleep(), false);
  first.pass();
  t.strictSame(first.wakes, [1], 'nothing for it, no signal');
  workers.run();
  t.equal(workers.imbalance(), null);
  t.end();
});

t.test('tables: what waits for a sealer that has older ones waits, what comes too late is dropped', (t) => {
  const workers = new Workers(2, memberTables(1, gcm([9])));
  const [first, second] = workers.all;
  const control = controlWords(first.shared);
  Atomics.store(control, Ctl.Epoch, 1);
  Atomics.store(control, Ctl.Ack + 1, 1); // the second worker has adopted what the first has not
  second.inputs[0].push(from(sourceOf(1)));
  second.pass();
  t.equal(first.pass(), 0, 'left in the ring');
  t.equal(first.env.handOver?.fallAsleep(), false, 'and no reason to sleep');
  first.env.handOver?.wakeUp();
  Atomics.store(control, Ctl.Ack, 1);
  t.equal(first.pass(), 1);
  t.equal(first.take()[1].length, 1);
  second.inputs[0].push(from(sourceOf(1)));
  second.pass();
  first.adopt(memberTables(1, gcm([9], { spi: 0xd002, serial: 99 })));
  first.pass();
  t.match(first.counters(), { 'drop.no_sa': 1 });
  t.equal(workers.imbalance(), null);
  t.end();
});

t.test('without sender IDs an ICMP error of ours is sealed by the owner of its source', (t) => {
  const sa: SaSpec = { spi: 0xd003, transform: 'aes-sha256' };
  const tables = memberTables(1, sa, { ports: [{ address: '10.0.1.1', mtu: 600 }, { address: '172.16.1.2' }] });
  const workers = new Workers(2, tables);
  const owner = ownerOf(ip('10.0.1.1'), 2);
  for (let seq = 1; seq <= 3; seq++) {
    for (const [index, router] of workers.all.entries()) {
      const src = sourceOf(index, 2);
      const inner = ipv4({ src, dst: '10.0.1.10', df: true, payload: udp(1, 2, 900) });
      router.inputs[1].push(sealByHand(sa, { seq, text: textOf(inner, 16), src, dst: '10.0.1.10' }));
    }
  }
  const sealed = workers.run();
  t.equal(sealed[owner].length, 6, 'all by one');
  t.equal(sealed[1 - owner].length, 0);
  t.strictSame(sealed[owner].map(sequenceOf), [1, 2, 3, 4, 5, 6]);
  t.equal(workers.imbalance(), null);
  t.end();
});

t.test('property: random traffic at random workers is accounted for to the last packet, in order within a flow', (t) => {
  const packet = fc.record({
    at: fc.nat(2),
    host: fc.integer({ min: 10, max: 40 }),
    size: fc.constantFrom(0, 200, 1400),
    df: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 200, size: 'max' }), fc.integer({ min: 1, max: 3 }), (packets, ids) => {
      const sids = Array.from({ length: ids }, (_, i) => i + 1);
      const ports = [{ address: '10.0.1.1' }, { address: '172.16.1.2', mtu: 900 }];
      const workers = new Workers(3, memberTables(1, gcm(sids), { ports }));
      // A flow comes in at one worker: as a receive queue gets it.
      packets.forEach(({ at, host, size, df }, i) => {
        const payload = udp(1000 + i, 7, size);
        workers.all[(at + host) % 3].inputs[0].push(ipv4({ src: `10.0.1.${host}`, dst: '10.0.2.10', df, payload }));
      });
      const sealed = workers.run();
      const wrong = workers.imbalance();
      if (wrong) throw new Error(wrong);
      if (workers.sum(PathCount.HandedOver) !== workers.sum(PathCount.TakenOver)) throw new Error('packets are held');
      const seen = new Set<string>();
      for (const list of sealed) {
        for (const esp of list) {
          const key = `${senderOf(esp)} ${sequenceOf(esp)}`;
          if (seen.has(key)) throw new Error(`sender and sequence twice: ${key}`);
          seen.add(key);
        }
      }
    }),
    { numRuns: 60 },
  );
  t.pass('balanced');
  t.end();
});
