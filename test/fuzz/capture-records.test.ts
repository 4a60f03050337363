import fc from 'fast-check';
import t from 'tap';
import { fuzz, seeds } from './capture-records.js';

t.test('noise, and noise behind good records', (t) => {
  const noise = fc.uint8Array({ maxLength: 80 });
  fc.assert(
    fc.property(noise, fc.constantFrom(new Uint8Array(0), ...seeds), (bytes, good) => fuzz(Uint8Array.of(...good, ...bytes))),
    { numRuns: 3000 },
  );
  t.pass();
  t.end();
});
