import fc from 'fast-check';
import t from 'tap';
import { fuzz, seeds } from './mtu-probe.js';

t.test('noise and changed probes', async (t) => {
  const changed = fc.tuple(fc.constantFrom(...seeds), fc.array(fc.tuple(fc.nat(16), fc.nat(255)), { maxLength: 3 }), fc.nat(20));
  const payload = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    changed.map(([seed, edits, length]) => {
      const bytes = seed.slice(0, length);
      for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value;
      return bytes;
    }),
  );
  fc.assert(fc.property(payload, fuzz), { numRuns: 3000 });
  t.pass();
});
