// Fast structures against the obvious way of doing the same, on random input.
import fc from 'fast-check';
import t from 'tap';
import { checksum, updateChecksum } from '../../../../dataplane/proto/checksum.js';
import { Mark, ReplayTable } from '../../../../dataplane/proto/replay.js';

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
