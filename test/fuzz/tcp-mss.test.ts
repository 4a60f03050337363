import fc from 'fast-check';
import t from 'tap';
import { segment } from '../support/tcp-segment.js';
import { fuzz } from './tcp-mss.js';

t.test('noise, and a good SYN with bytes changed or cut off', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 90 }), (bytes) => fuzz(bytes)),
    { numRuns: 3000 },
  );
  const good = segment([1, 2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 3, 3, 7]);
  const changes = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 4 });
  fc.assert(
    fc.property(changes, fc.nat(good.length), (list, length) => {
      const bytes = good.slice(0, length);
      for (const [at, value] of list) if (at < length) bytes[at] = value;
      fuzz(bytes);
    }),
    { numRuns: 3000 },
  );
  t.pass();
  t.end();
});
