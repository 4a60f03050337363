// Tries to make a member use one IV twice under one key, or one sequence number twice: over batches, sender IDs, rekeys, new tables,
// kill -9 (a second process takes the file over), reboots and damage. A repeated GCM nonce under a group key gives the key away.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { listKnownSenders, SenderKind, SenderState } from '../../../dataplane/mem/sender-state.js';
import { allocateShared } from '../../../dataplane/mem/shared.js';
import { counterLimit } from '../../../dataplane/proto/sender-iv.js';
import { runs } from '../../support/runs.js';
import { branchPacket, hex } from '../packets.js';
import { bootId, memberTables, Router, type SaSpec } from '../router.js';

const otherBoot = '99999999-2222-3333-4444-555555555555';
const packet = branchPacket(1);
const batch = (count: number) => Array.from({ length: count }, () => packet);

class Collector {
  readonly ivs = new Set<string>();
  readonly sequences = new Set<string>();
  repeats = 0;
  add(sealed: Uint8Array[], checkSequence = true): void {
    for (const esp of sealed) {
      const spi = hex(esp.subarray(20, 24));
      const iv = spi + hex(esp.subarray(28, 36));
      const sequence = spi + hex(esp.subarray(24, 28));
      if (this.ivs.has(iv) || (checkSequence && this.sequences.has(sequence))) this.repeats++;
      this.ivs.add(iv);
      this.sequences.add(sequence);
    }
  }
}

const gcm = (spi: number, sids: number[], more: Partial<SaSpec> = {}): SaSpec => ({ spi, transform: 'gcm-256', sids, ...more });
const rowOf = (router: Router, kind: SenderKind, spi: number, sid: number) =>
  SenderState.numberAt(router.env.senders.take(kind, spi, sid, () => true));

t.test('three members, batches, rekeys and restarts: no pair is equal', (t) => {
  const seen = new Collector();
  let total = 0;
  const folders: (string | undefined)[] = [undefined, undefined, undefined];
  for (let round = 0; round < 6; round++) {
    for (let member = 0; member < 3; member++) {
      // Each round is a new process; every second one has a new TEK under the same sender ID.
      const router = new Router(memberTables(1, gcm(0x9000 + (round >> 1), [member + 1])), folders[member]);
      folders[member] = router.folder;
      for (const size of [1, 64, 200]) seen.add(router.forward(0, ...batch(size))[1], false);
      router.adopt(memberTables(1, gcm(0x9000 + (round >> 1), [member + 1])));
      seen.add(router.forward(0, ...batch(10))[1], false);
      total += 275;
    }
  }
  t.equal(seen.ivs.size, total);
  t.equal(seen.repeats, 0);
  t.end();
});

t.test('after kill -9 sequence and IV go on exactly there', (t) => {
  const first = new Router(memberTables(1, gcm(0x9100, [5])));
  const before = first.forward(0, ...batch(3))[1];
  t.strictSame(
    before.map((esp) => hex(esp.subarray(24, 36))),
    ['000000010000050000000000', '000000020000050000000001', '000000030000050000000002'],
  );
  const second = new Router(memberTables(1, gcm(0x9100, [5])), first.folder);
  t.equal(hex(second.forward(0, packet)[1][0].subarray(24, 36)), '000000040000050000000003');
  t.strictSame(listKnownSenders(join(first.folder, 'senders'), bootId, 1), [`${0x9100}:5`]);
  t.end();
});

t.test('what is written down is ahead of what is sent: a crash before the batch leaves costs numbers, never repeats them', (t) => {
  const router = new Router(memberTables(1, gcm(0x9150, [5])));
  router.txErrno = 5;
  router.forward(0, ...batch(4));
  const after = new Router(memberTables(1, gcm(0x9150, [5])), router.folder);
  t.equal(hex(after.forward(0, packet)[1][0].subarray(24, 36)), '000000050000050000000004');
  t.end();
});

t.test('the tables going away and coming back (control restarts) starts nothing anew', (t) => {
  const seen = new Collector();
  const router = new Router(memberTables(1, gcm(0x9200, [5])));
  seen.add(router.forward(0, ...batch(5))[1]);
  router.adopt(memberTables(1, null));
  router.adopt(memberTables(1, gcm(0x9200, [5], { serial: 77 })));
  seen.add(router.forward(0, ...batch(5))[1]);
  t.strictSame([seen.ivs.size, seen.repeats], [10, 0]);
  t.end();
});

t.test('after a reboot old sender IDs are burnt and sequence numbers jump', (t) => {
  const first = new Router(memberTables(1, gcm(0x9300, [5])));
  first.forward(0, ...batch(3));
  t.strictSame(listKnownSenders(join(first.folder, 'senders'), otherBoot, 1), []);
  const router = new Router(memberTables(1, gcm(0x9300, [5])), first.folder, otherBoot);
  t.equal(router.forward(0, packet)[1].length, 0, 'control offers the old sender ID all the same');
  t.match(router.counters(), { 'drop.iv_exhausted': 1, 'sa[0].send_errors': 1 });
  router.adopt(memberTables(1, gcm(0x9300, [5, 6])));
  const esp = router.forward(0, packet)[1][0];
  t.equal(hex(esp.subarray(24, 36)), '001000040000060000000000', '4 + 2^20, and a fresh sender ID from 0');
  t.end();
});

t.test('a lost or damaged file leaves no sender ID known', (t) => {
  const first = new Router(memberTables(1, gcm(0x9400, [5])));
  first.forward(0, packet);
  const path = join(first.folder, 'senders.0');
  const bytes = readFileSync(path);
  bytes[0] ^= 1;
  writeFileSync(path, bytes);
  t.strictSame(listKnownSenders(join(first.folder, 'senders'), bootId, 1), []);
  t.strictSame(listKnownSenders(join(first.folder, 'nothing'), bootId, 1), []);
  t.end();
});

t.test('IV space used up: the next sender ID, then a drop and an event; sequence space used up: the same', (t) => {
  const router = new Router(memberTables(1, gcm(0x9500, [5, 6])));
  const { numbers } = router.env.senders;
  const limit = counterLimit(24);
  numbers[rowOf(router, SenderKind.Iv, 0x9500, 5)] = limit - 2;
  numbers[rowOf(router, SenderKind.Iv, 0x9500, 6)] = limit - 1;
  const ivs = router.forward(0, ...batch(5))[1].map((esp) => hex(esp.subarray(28, 36)));
  t.strictSame(ivs, ['0000050ffffffffe', '0000050fffffffff', '0000060fffffffff']);
  t.match(router.counters(), { 'drop.iv_exhausted': 2, 'sa[0].send_errors': 2, 'sa[0].sealed_packets': 3 });
  router.adopt(memberTables(1, { spi: 0x9501, transform: 'aes-sha1' }));
  numbers[rowOf(router, SenderKind.Sequence, 0x9501, 0)] = 0xffffffff;
  const out = router.forward(0, ...batch(3))[1];
  t.strictSame(
    out.map((esp) => hex(esp.subarray(24, 28))),
    ['ffffffff'],
  );
  t.match(router.counters(), { 'drop.sequence_exhausted': 2 });
  const told: unknown[] = [];
  router.env.events.drain(1e6, (event) => told.push(event));
  t.strictSame(told, [
    { kind: 'sa-exhausted', spi: 0x9500, space: 'iv' },
    { kind: 'sa-exhausted', spi: 0x9501, space: 'sequence' },
  ]);
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('GCM without sender IDs never seals: nobody could keep its IVs apart', (t) => {
  const router = new Router(memberTables(1, gcm(0x9600, [])));
  t.equal(router.forward(0, packet)[1].length, 0);
  router.adopt(memberTables(1, gcm(0x9600, [5], { sidBits: 0 })));
  t.equal(router.forward(0, packet)[1].length, 0);
  t.match(router.counters(), { 'drop.iv_exhausted': 2 });
  t.end();
});

t.test('property: any order of sending, killing, rebooting and rekeying repeats nothing', (t) => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('send' as const), count: fc.integer({ min: 1, max: 70 }) }),
    fc.record({ do: fc.constant('kill' as const), count: fc.constant(0) }),
    fc.record({ do: fc.constant('reboot' as const), count: fc.constant(0) }),
    fc.record({ do: fc.constant('rekey' as const), count: fc.constant(0) }),
  );
  let run = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 3, maxLength: 12 }), (steps) => {
      const seen = new Collector();
      let spi = 0xa0000 + run++ * 16;
      let boot = 0;
      const bootName = () => boot.toString().padStart(36, '0');
      const tables = () => memberTables(1, gcm(spi, [1, 2, 3], { serial: spi }));
      let router = new Router(tables(), undefined, bootName());
      for (const { do: what, count } of steps) {
        if (what === 'send') seen.add(router.forward(0, ...batch(count))[1]);
        else if (what === 'rekey') {
          spi++;
          router.adopt(tables());
        } else {
          if (what === 'reboot') boot++;
          router = new Router(tables(), router.folder, bootName());
        }
      }
      return seen.repeats === 0;
    }),
    { numRuns: runs(10) },
  );
  t.pass('no repeat');
  t.end();
});

t.test('another number of workers makes every sender ID unknown, and none of its IVs comes again', (t) => {
  const shared = [1, 2, 3].map((workers) => allocateShared(workers));
  const start = (workers: number, index: number, folder?: string) =>
    new Router(memberTables(1, gcm(0x9700, [5, 6])), folder, bootId, { index, shared: shared[workers - 1] });
  const { folder } = start(2, 0);
  const known = (workers: number) => listKnownSenders(join(folder, 'senders'), bootId, workers);
  t.strictSame(known(2), [], 'the second worker has not counted yet');
  start(2, 1, folder);
  t.strictSame(known(2), [`${0x9700}:5`, `${0x9700}:6`]);
  t.strictSame([known(1), known(3), known(16)], [[], [], []]);
  // Were they used all the same, sequence numbers would come again, but no IV: workers' bits keep them apart.
  const seen = new Collector();
  for (const workers of [2, 1, 3, 2]) {
    for (let index = 0; index < workers; index++) {
      const router = start(workers, index, folder);
      seen.add(router.forward(0, ...batch(9))[1], false);
      while (router.pass() > 0);
    }
  }
  t.equal(seen.repeats, 0);
  t.ok(seen.ivs.size > 0);
  t.end();
});

t.test(
  'property: any number of workers after another, killed and rebooted: no IV twice, and sequence numbers of a sender ID only rise',
  (t) => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('send' as const), count: fc.integer({ min: 1, max: 40 }) }),
      fc.record({ do: fc.constant('start' as const), count: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ do: fc.constant('reboot' as const), count: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ do: fc.constant('rekey' as const), count: fc.constant(0) }),
    );
    let run = 0;
    let renewals = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 4, maxLength: 14 }), fc.integer({ min: 1, max: 4 }), (steps, given) => {
        let spi = 0xb0000 + run++ * 16;
        let boot = 0;
        let nextSid = 1;
        let sids: number[] = [];
        let workers: Router[] = [];
        let folder: string | undefined;
        const published = new Set<string>();
        const ivs = new Set<string>();
        const last = new Map<string, number>();
        const bootName = () => boot.toString().padStart(36, '0');
        // As control does: what was given once and is not known now is given up, all of it.
        const publish = (count: number) => {
          const known = folder === undefined ? [] : listKnownSenders(join(folder, 'senders'), bootName(), count);
          if (sids.some((sid) => published.has(`${spi}:${sid}`) && !known.includes(`${spi}:${sid}`))) {
            sids = [];
            renewals++;
          }
          if (sids.length === 0) sids = Array.from({ length: Math.min(count, given) }, () => nextSid++);
          for (const sid of sids) published.add(`${spi}:${sid}`);
          return memberTables(1, gcm(spi, sids, { serial: spi }));
        };
        const start = (count: number) => {
          const tables = publish(count);
          const shared = allocateShared(count);
          workers = [];
          for (let index = 0; index < count; index++) {
            workers.push(new Router(tables, folder, bootName(), { index, shared }));
            folder ??= workers[0].folder;
          }
        };
        const send = (count: number) => {
          for (let i = 0; i < count; i++) workers[i % workers.length].inputs[0].push(branchPacket(1, { src: `10.0.1.${10 + (i % 9)}` }));
          while (workers.reduce((sum, router) => sum + router.pass(), 0) > 0);
          for (const esp of workers.flatMap((router) => router.take()[1])) {
            const name = hex(esp.subarray(20, 24));
            const iv = name + hex(esp.subarray(28, 36));
            const sender = name + hex(esp.subarray(28, 31));
            const sequence = Number.parseInt(hex(esp.subarray(24, 28)), 16);
            if (ivs.has(iv)) throw new Error(`IV ${iv} again`);
            if (sequence <= (last.get(sender) ?? 0)) throw new Error(`sender ${sender}: ${sequence} after ${last.get(sender)}`);
            ivs.add(iv);
            last.set(sender, sequence);
          }
        };
        start(2);
        for (const { do: what, count } of steps) {
          if (what === 'send') send(count);
          else if (what === 'rekey') {
            spi++;
            for (const router of workers) router.adopt(publish(workers.length));
          } else {
            if (what === 'reboot') boot++;
            start(count);
          }
        }
        send(20);
      }),
      { numRuns: runs(16) },
    );
    t.ok(renewals > 5, `${renewals} times the sender IDs were given up`);
    t.end();
  },
);
