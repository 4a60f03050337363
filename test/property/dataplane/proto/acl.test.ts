// Access lists: the walk against the obvious way of saying it, the compiled list against the walk.
import fc from 'fast-check';
import t from 'tap';
import { AclShape, allocateShared, BankCount, bankOf, pairOf } from '../../../../dataplane/mem/shared.js';
import { matchAcl } from '../../../../dataplane/proto/acl.js';
import { AclList, classify } from '../../../../dataplane/proto/classifier.js';
import { buildClassifier } from '../../../../dataplane/proto/classifier-build.js';
import { Port } from '../../../../dataplane/proto/l4.js';
import { Ace, AclFact, Cap, CryptoEntry, Sa } from '../../../../dataplane/tables/layout.js';

const word = fc.integer({ min: -0x80000000, max: 0x7fffffff });
/** Few values, so that rows and packets meet. */
const address = fc.oneof(fc.constantFrom(0x0a000000, 0x0a000100, 0x0a000101, 0x0a010000, -1, 0, 0x7fffffff), word);

/** What a row asks besides addresses and ports, in words of its own; null = nothing. */
interface Asked {
  tos: { mask: number; value: number } | null;
  later: boolean;
  /** TCP flags: all as they are here, or one of them. */
  flags: { any: boolean; set: number; clear: number } | null;
  icmp: { type: number; code: number | null } | null;
}
const octet = fc.nat(255);
const tosAsked = fc.constantFrom({ mask: 0xfc, value: 0xb8 }, { mask: 0xe0, value: 0xa0 }, { mask: 0x1e, value: 0x10 });
const flagBits = fc.constantFrom(0, 1, 2, 4, 16, 18, 63);
const asked: fc.Arbitrary<Asked> = fc
  .record({
    tos: fc.option(tosAsked, { freq: 1 }),
    kind: fc.constantFrom('none', 'none', 'later', 'flags', 'icmp'),
    flags: fc
      .record({ any: fc.boolean(), set: flagBits, clear: flagBits })
      .filter(({ set, clear }) => (set & clear) === 0 && (set | clear) !== 0),
    icmp: fc.record({ type: fc.constantFrom(0, 3, 8), code: fc.option(fc.constantFrom(0, 1)) }),
  })
  .map(({ tos, kind, flags, icmp }) => ({
    tos,
    later: kind === 'later',
    flags: kind === 'flags' ? flags : null,
    icmp: kind === 'icmp' ? icmp : null,
  }));

/** Ace.Mask, Ace.Value, Ace.AnyOf. */
function factWords({ tos, later, flags, icmp }: Asked): [number, number, number] {
  let [mask, value] = [tos?.mask ?? 0, tos?.value ?? 0];
  if (later) [mask, value] = [mask | AclFact.Later, value | AclFact.Later];
  if (flags || icmp) [mask, value] = [mask | AclFact.Known, value | AclFact.Known];
  if (icmp) [mask, value] = [mask | (255 << AclFact.FirstShift), value | (icmp.type << AclFact.FirstShift)];
  if (icmp && icmp.code !== null) [mask, value] = [mask | (255 << AclFact.SecondShift), value | (icmp.code << AclFact.SecondShift)];
  if (!flags) return [mask, value, 0];
  if (flags.any) return [mask, value, flags.set | flags.clear | (flags.clear << 8)];
  return [mask | ((flags.set | flags.clear) << AclFact.FirstShift), value | (flags.set << AclFact.FirstShift), 0];
}

/** What a packet is besides addresses and ports. `known`: its transport header is there. */
const nature = fc.record({
  tos: octet,
  first: fc.constantFrom(0, 1, 2, 3, 4, 8, 16, 18),
  second: fc.constantFrom(0, 1, 13),
  later: fc.boolean(),
  known: fc.boolean(),
});
type Nature = typeof nature extends fc.Arbitrary<infer Value> ? Value : never;

function factsOf({ tos, first, second, later, known }: Nature): number {
  if (later) return tos | AclFact.Later;
  return known ? tos | AclFact.Known | (first << AclFact.FirstShift) | (second << AclFact.SecondShift) : tos;
}

function agrees(what: Asked, { tos, first, second, later, known }: Nature, permit: boolean): boolean {
  if (what.tos && (tos & what.tos.mask) !== what.tos.value) return false;
  if (what.later && !later) return false;
  if (!what.flags && !what.icmp) return true;
  if (later || !known) return permit;
  if (what.icmp) return first === what.icmp.type && (what.icmp.code === null || second === what.icmp.code);
  const { any, set, clear } = what.flags!;
  const wanted = [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => ((set | clear) >> bit) & 1);
  const right = wanted.filter((bit) => ((first >> bit) & 1) === ((set >> bit) & 1));
  return any ? right.length > 0 : right.length === wanted.length;
}

t.test('row by row: first match', (t) => {
  const range = fc.tuple(fc.nat(65535), fc.nat(65535)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)]);
  const ports = fc.oneof(fc.constant([0, 65535]), range);
  const row = fc
    .tuple(
      fc.nat(1),
      fc.constantFrom(-1, 6, 17, 1),
      address,
      fc.constantFrom(0, -1, -256, 0x00ff00ff),
      address,
      fc.constantFrom(0, -1, -65536),
      ports,
      ports,
      asked,
    )
    .map(([action, protocol, src, srcCare, dst, dstCare, sports, dports, what]) => ({
      what,
      words: [action, protocol, src & srcCare, srcCare, dst & dstCare, dstCare, ...sports, ...dports, ...factWords(what)],
    }));
  const packet = fc.record({
    protocol: fc.constantFrom(1, 6, 17),
    src: address,
    dst: address,
    sport: fc.nat(65535),
    dport: fc.nat(65535),
    cut: fc.boolean(),
    is: nature,
  });
  fc.assert(
    fc.property(
      fc.array(row, { minLength: 1, maxLength: 8 }),
      packet,
      fc.nat(3),
      (rows, { protocol, src, dst, sport, dport, cut, is }, first) => {
        const aces = new Int32Array((rows.length + first) * Ace.Words);
        rows.forEach(({ words: values }, i) => {
          aces.set(values, (first + i) * Ace.Words);
        });
        const port = protocol === 1 ? Port.None : cut ? Port.Unknown : null;
        const wanted = rows.findIndex(({ what, words: [action, proto, rowSrc, srcCare, rowDst, dstCare, sl, sh, dl, dh] }) => {
          if (!agrees(what, is, action === 1)) return false;
          if ((src & srcCare) !== rowSrc || (dst & dstCare) !== rowDst || (proto !== -1 && proto !== protocol)) return false;
          const anyPorts = sl === 0 && sh === 65535 && dl === 0 && dh === 65535;
          if (port === Port.None) return anyPorts;
          if (port === Port.Unknown) return anyPorts || action === 1;
          return sport >= sl && sport <= sh && dport >= dl && dport <= dh;
        });
        const found = matchAcl(aces, first, rows.length, protocol, src, dst, port ?? sport, port ?? dport, factsOf(is));
        return found === (wanted < 0 ? -1 : wanted + first);
      },
    ),
    { numRuns: 2000 },
  );
  t.pass();
  t.end();
});

const shared = allocateShared(1);
const banks = [bankOf(shared, 0), bankOf(shared, 1)];
const words = pairOf(shared, 'aclWords');

type Row = readonly number[];

/** Writes rows as the list of one crypto entry, and the same without the first `skip` as that of an SA. */
function compile(index: number, rows: readonly Row[], first = 0, skip = 0) {
  const bank = banks[index];
  rows.forEach((row, i) => {
    bank.aces.fill(0, (first + i) * Ace.Words, (first + i + 1) * Ace.Words);
    bank.aces.set(row, (first + i) * Ace.Words);
  });
  bank.counts[BankCount.Aces] = first + rows.length;
  bank.counts[BankCount.CryptoEntries] = 1;
  bank.cryptoEntries[CryptoEntry.AclFirst] = first;
  bank.cryptoEntries[CryptoEntry.AclCount] = rows.length;
  bank.counts[BankCount.Sas] = Cap.Sas;
  bank.sas[Sa.Serial] = 1;
  bank.sas[Sa.AclFirst] = first + skip;
  bank.sas[Sa.AclCount] = rows.length - skip;
  buildClassifier(bank);
  return { aces: bank.aces, entryList: bank.entryLists[0], saList: bank.saLists[0] };
}

/** Rows as people write them, and rows that nobody would: networks of one site, scattered wildcards, any; ports all, one, ranges. */
const near = fc.nat(0xffff).map((low) => 0x0a000000 | low);
const care = fc.oneof(fc.constantFrom(0, 0, -1, -1, -256, -4096, -65536, 0x00ff00ff, 0x01010101), word);
const anyPort: [number, number] = [0, 65535];
const portNumber = fc.oneof(fc.constantFrom(0, 22, 53, 80, 443, 1023, 1024, 65535), fc.nat(65535));
const ports = fc.oneof(
  fc.constant(anyPort),
  portNumber.map((port): [number, number] => [port, port]),
  fc.tuple(portNumber, portNumber).map(([a, b]): [number, number] => [Math.min(a, b), Math.max(a, b)]),
);
const aceRow: fc.Arbitrary<Row> = fc
  .tuple(
    fc.nat(1),
    fc.constantFrom(-1, -1, 1, 6, 6, 17, 50, 255),
    fc.oneof(near, word),
    care,
    fc.oneof(near, word),
    care,
    ports,
    ports,
    fc.option(asked, { freq: 1 }),
  )
  .map(([action, protocol, src, srcCare, dst, dstCare, sports, dports, what]) => [
    action,
    protocol,
    src & srcCare,
    srcCare,
    dst & dstCare,
    dstCare,
    ...sports,
    ...dports,
    ...(what === null ? [0, 0, 0] : factWords(what)),
  ]);
const probe = fc.record({
  protocol: fc.constantFrom(1, 6, 6, 17, 50, 255, 0),
  src: fc.oneof(near, address),
  dst: fc.oneof(near, address),
  sport: portNumber,
  dport: portNumber,
  /** Of a row, so that most packets match something. */
  like: fc.nat(),
  mode: fc.constantFrom('ports', 'ports', 'fragment', 'none'),
  is: nature,
});

type Probe = typeof probe extends fc.Arbitrary<infer Value> ? Value : never;

/** @returns the first packet with which the compiled list and the walk disagree */
function firstDifference(made: ReturnType<typeof compile>, rows: readonly Row[], first: number, skip: number, probes: Probe[]) {
  return probes.find(({ protocol, src, dst, sport, dport, like, mode, is }) => {
    const facts = factsOf(is);
    const row = rows[like % rows.length];
    const from = (src & ~row[Ace.SrcCare]) | row[Ace.Src];
    const to = (dst & ~row[Ace.DstCare]) | row[Ace.Dst];
    const proto = like % 3 === 0 && row[Ace.Protocol] !== -1 ? row[Ace.Protocol] : protocol;
    const unknown = mode === 'fragment' ? Port.Unknown : Port.None;
    const s = mode !== 'ports' ? unknown : like % 2 === 0 ? sport : row[Ace.SrcPortLow];
    const d = mode !== 'ports' ? unknown : like % 5 === 0 ? dport : row[Ace.DstPortHigh];
    return (
      classify(made.aces, words, made.entryList, proto, from, to, s, d, facts) !==
        matchAcl(made.aces, first, rows.length, proto, from, to, s, d, facts) ||
      classify(made.aces, words, made.saList, proto, from, to, s, d, facts) !==
        matchAcl(made.aces, first + skip, rows.length - skip, proto, from, to, s, d, facts)
    );
  });
}

for (const [name, maxLength, numRuns] of [
  ['short lists', 30, 600],
  ['long lists', 700, 60],
] as const) {
  t.test(`compiled: ${name}`, (t) => {
    let compiled = 0;
    fc.assert(
      fc.property(
        fc.nat(1),
        fc.array(aceRow, { minLength: 1, maxLength, size: 'max' }),
        fc.array(probe, { minLength: 200, maxLength: 200, size: 'max' }),
        fc.nat(20),
        (index, rows, probes, offset) => {
          const skip = Math.min(offset, rows.length - 1);
          const made = compile(index, rows, offset, skip);
          compiled += 1 - words[made.entryList + AclList.Walk];
          return firstDifference(made, rows, offset, skip, probes) === undefined;
        },
      ),
      { numRuns },
    );
    t.ok(compiled > numRuns / 2, `${compiled} of them have trees`);
    t.end();
  });
}

t.test('an ordinary list has trees, however long', (t) => {
  // Hosts and networks of many sites, servers and ports, in a pattern that repeats.
  const masks = [0, -1, -256, -65536];
  for (const length of [10, 100, 1000, Cap.Aces]) {
    const rows = Array.from({ length }, (_, i): Row => {
      const [srcCare, dstCare] = [masks[i % 4], masks[1 + (i % 3)]];
      const port = i % 2 === 0 ? 443 : i % 60000;
      const src = (0x0a000000 + Math.imul(i, 7919)) & srcCare;
      return [i & 1, i % 5 === 0 ? -1 : 6, src, srcCare, (0xcb000000 + Math.imul(i, 104729)) & dstCare, dstCare, 0, 65535, port, port];
    });
    const made = compile(0, rows);
    t.equal(words[made.entryList + AclList.Walk], 0, `${length} rows`);
    t.equal(firstDifference(made, rows, 0, 0, fc.sample(probe, { numRuns: 500, seed: length })), undefined);
  }
  t.end();
});

t.test('hostile lists stay within their memory and are still right', (t) => {
  const probes = fc.sample(probe, { numRuns: 300, seed: 7 });
  const scattered = (i: number) => Math.imul(i + 1, 0x9e3779b1);
  const hostile: Record<string, (i: number) => Row> = {
    'every row its own masks': (i) => {
      const masks = [scattered(i), scattered(i * 7 + 3)];
      return [i & 1, -1, masks[0] & 0x5a5a5a5a, masks[0], masks[1] & 0x0ff0f00f, masks[1], 0, 65535, 0, 65535];
    },
    'a source or a destination': (i) =>
      i & 1 ? [1, -1, 0, 0, scattered(i), -1, 0, 65535, 0, 65535] : [0, 6, scattered(i), -1, 0, 0, 0, 65535, 0, 65535],
    'ranges that overlap': (i) => [i & 1, 17, 0, 0, 0, 0, i * 7, 65535 - i * 7, i * 5, 65535 - i * 3],
    'all the same': () => [1, 6, 0, 0, 0, 0, 80, 80, 0, 65535],
  };
  for (const [name, row] of Object.entries(hostile)) {
    const rows = Array.from({ length: Cap.Aces }, (_, i) => row(i));
    words.fill(0);
    const made = compile(1, rows, 0, 1);
    t.equal(firstDifference(made, rows, 0, 1, probes), undefined, name);
    t.ok(
      words.subarray(0, AclShape.MaxWords).every((value) => value === 0),
      `${name}: the other bank is not touched`,
    );
  }
  t.end();
});

t.test('every crypto entry and SA with a list of its own', (t) => {
  const bank = banks[0];
  const rows = Array.from({ length: Cap.Aces }, (_, i): Row => [1, 6, 0x0a000000 | i, -1, Math.imul(i, 77773), -1, 0, 65535, i, i]);
  bank.aces.fill(0);
  rows.forEach((row, i) => {
    bank.aces.set(row, i * Ace.Words);
  });
  bank.counts[BankCount.CryptoEntries] = Cap.CryptoEntries;
  bank.counts[BankCount.Sas] = Cap.Sas;
  for (let i = 0; i < Cap.CryptoEntries; i++) {
    bank.cryptoEntries.set([0, i, Cap.Aces - i, 0, 0, 1], i * CryptoEntry.Words);
  }
  for (let i = 0; i < Cap.Sas; i++) {
    bank.sas[i * Sa.Words + Sa.Serial] = 1;
    bank.sas[i * Sa.Words + Sa.AclFirst] = i;
    bank.sas[i * Sa.Words + Sa.AclCount] = Cap.Aces - 100 - i;
  }
  buildClassifier(bank);
  const found = (list: number, i: number) => classify(bank.aces, words, list, 6, rows[i][Ace.Src], rows[i][Ace.Dst], 1, i, 0);
  for (const i of [0, 1, 63, 64, 1000, 3900, 4095]) {
    for (let list = 0; list < Cap.CryptoEntries; list++)
      if (found(bank.entryLists[list], i) !== (i < list ? -1 : i)) t.fail(`entry ${list}`);
    for (let list = 0; list < Cap.Sas; list++) {
      if (found(bank.saLists[list], i) !== (i < list || i >= Cap.Aces - 100 ? -1 : i)) t.fail(`SA ${list}, row ${i}`);
    }
  }
  t.pass();
  t.end();
});
