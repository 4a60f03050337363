// Ranges as prefixes: exactly the addresses of the range, none twice.

import fc from 'fast-check';
import t from 'tap';
import { readIpv4Selectors } from '../../../../control/gdoi/codec/selector.js';
import { concatBytes, u32Bytes } from '../../../../control/isakmp/bytes.js';
import { IdType } from '../../../../control/isakmp/identification.js';

const address = fc.oneof(fc.integer({ min: 0, max: 0xffffffff }), fc.constantFrom(0, 1, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff));

t.test('a range is its prefixes, one behind the other', async () => {
  fc.assert(
    fc.property(address, address, (a, b) => {
      const [first, last] = [Math.min(a, b), Math.max(a, b)];
      const data = concatBytes(u32Bytes(first), u32Bytes(last));
      const prefixes = readIpv4Selectors({ type: IdType.Ipv4Range, port: 0, data }, 'test');
      let next = first;
      for (const { address: start, mask } of prefixes) {
        if (start !== next || (start & ~mask) >>> 0 !== 0) return false;
        next = start + ((~mask >>> 0) + 1);
      }
      return next === last + 1 && prefixes.length <= 62;
    }),
    { numRuns: 2000 },
  );
});
