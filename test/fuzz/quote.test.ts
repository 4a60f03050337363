import fc from 'fast-check';
import t from 'tap';
import { fuzz, seeds } from './quote.js';

t.test('noise, and a good quote with bytes changed or cut off', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => fuzz(bytes)),
    { numRuns: 2000 },
  );
  const change = fc.tuple(fc.nat(70), fc.nat(255));
  fc.assert(
    fc.property(fc.constantFrom(...seeds), fc.array(change, { maxLength: 3 }), fc.nat(60), (seed, changes, length) => {
      const bytes = seed.slice(0, Math.max(8, length));
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      fuzz(bytes);
    }),
    { numRuns: 2000 },
  );
  t.pass();
  t.end();
});
