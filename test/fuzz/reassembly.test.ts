import fc from 'fast-check';
import t from 'tap';
import { fuzz } from './reassembly.js';

t.test('any fragments', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 150, size: 'max' }), (bytes) => fuzz(bytes)),
    { numRuns: 400 },
  );
  t.pass();
  t.end();
});
