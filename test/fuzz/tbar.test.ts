import fc from 'fast-check';
import t from 'tap';
import { fuzz } from './tbar.js';

t.test('noise, and noise behind a good beginning', (t) => {
  const noise = fc.uint8Array({ maxLength: 40 });
  fc.assert(
    fc.property(noise, fc.boolean(), (bytes, good) => fuzz(good ? Uint8Array.of(4, 1, 0, 0, 0, ...bytes) : bytes)),
    { numRuns: 5000 },
  );
  t.pass();
  t.end();
});
