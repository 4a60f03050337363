// Fast structures against the obvious way of doing the same, on random input.
import fc from 'fast-check';
import t from 'tap';
import { matchAcl } from '../../../../dataplane/proto/acl.js';
import { checksum, updateChecksum } from '../../../../dataplane/proto/checksum.js';
import { Port } from '../../../../dataplane/proto/l4.js';
import { Mark, ReplayTable } from '../../../../dataplane/proto/replay.js';
import { Ace } from '../../../../dataplane/tables/layout.js';

const word = fc.integer({ min: -0x80000000, max: 0x7fffffff });
/** Few values, so that prefixes and packets meet. */
const address = fc.oneof(fc.constantFrom(0x0a000000, 0x0a000100, 0x0a000101, 0x0a010000, -1, 0, 0x7fffffff), word);

t.test('replay: a window per sender, as a set of numbers would do it', (t) => {
  const packet = fc.tuple(
    fc.nat(2),
    fc.nat(1),
    fc.oneof(
      fc.integer({ min: 0, max: 300 }),
      fc.integer({ min: 0xfffffe00, max: 0xffffffff }),
      fc.integer({ min: 0x7fffff00, max: 0x80000100 }),
    ),
  );
  fc.assert(
    fc.property(fc.constantFrom(64, 65, 128, 500, 1024), fc.array(packet, { maxLength: 400, size: 'max' }), (size, packets) => {
      const table = new ReplayTable();
      const naive = new Map<string, { top: number; seen: Set<number> }>();
      for (const [sender, sa, sequence] of packets) {
        const key = `${sa}/${sender}`;
        const known = naive.get(key) ?? { top: 0, seen: new Set<number>() };
        const wanted = sequence > 0 && sequence > known.top - size && !known.seen.has(sequence);
        if (table.mayBeFresh(sa, sender, sequence, size) !== wanted) return false;
        if ((table.mark(sa, sender, sequence, size) === Mark.Fresh) !== wanted) return false;
        if (!wanted) continue;
        known.seen.add(sequence);
        known.top = Math.max(known.top, sequence);
        naive.set(key, known);
      }
      table.clearSa(0);
      for (const [key, { seen }] of naive) {
        const [sa, sender] = key.split('/').map(Number);
        for (const sequence of seen) if (table.mayBeFresh(sa, sender, sequence, size) !== (sa === 0)) return false;
      }
      return table.length === [...naive.keys()].filter((key) => key.startsWith('1/')).length;
    }),
    { numRuns: 150 },
  );
  t.pass();
  t.end();
});

t.test('acl: first match', (t) => {
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
    )
    .map(([action, protocol, src, srcCare, dst, dstCare, sports, dports]) => [
      action,
      protocol,
      src & srcCare,
      srcCare,
      dst & dstCare,
      dstCare,
      ...sports,
      ...dports,
    ]);
  const packet = fc.record({
    protocol: fc.constantFrom(1, 6, 17),
    src: address,
    dst: address,
    sport: fc.nat(65535),
    dport: fc.nat(65535),
    cut: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(row, { minLength: 1, maxLength: 8 }),
      packet,
      fc.nat(3),
      (rows, { protocol, src, dst, sport, dport, cut }, first) => {
        const aces = new Int32Array((rows.length + first) * Ace.Words);
        rows.forEach((values, i) => {
          aces.set(values, (first + i) * Ace.Words);
        });
        const port = protocol === 1 ? Port.None : cut ? Port.Unknown : null;
        const wanted = rows.findIndex(([action, proto, rowSrc, srcCare, rowDst, dstCare, sl, sh, dl, dh]) => {
          if ((src & srcCare) !== rowSrc || (dst & dstCare) !== rowDst || (proto !== -1 && proto !== protocol)) return false;
          const anyPorts = sl === 0 && sh === 65535 && dl === 0 && dh === 65535;
          if (port === Port.None) return anyPorts;
          if (port === Port.Unknown) return anyPorts || action === 1;
          return sport >= sl && sport <= sh && dport >= dl && dport <= dh;
        });
        return matchAcl(aces, first, rows.length, protocol, src, dst, port ?? sport, port ?? dport) === (wanted < 0 ? -1 : wanted + first);
      },
    ),
    { numRuns: 2000 },
  );
  t.pass();
  t.end();
});

t.test('checksum: whole and incremental', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 12, maxLength: 100 }), fc.nat(40), fc.nat(65535), (bytes, at, value) => {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      let sum = 0;
      for (let i = 0; i < bytes.length; i++) sum += i % 2 === 0 ? bytes[i] * 256 : bytes[i];
      while (sum > 65535) sum = Math.floor(sum / 65536) + (sum % 65536);
      if (checksum(view, 0, bytes.length) !== 65535 - sum) return false;
      // A datagram with its checksum in bytes 0..1, one word changed.
      view.setUint16(0, 0);
      view.setUint16(0, checksum(view, 0, bytes.length));
      const word = 2 + 2 * (at % ((bytes.length >> 1) - 1));
      const before = view.getUint16(word);
      view.setUint16(word, value);
      view.setUint16(0, updateChecksum(view.getUint16(0), before, value));
      return checksum(view, 0, bytes.length) === 0;
    }),
    { numRuns: 1000 },
  );
  t.pass();
  t.end();
});
