// The cache of classes against a map: what it knows is what was written last for exactly such a packet; the pair of places is shared by everything
// with their hash.

import fc from 'fast-check';
import t from 'tap';
import { ClassCache } from '../../../../dataplane/mem/qos-class-cache.js';
import { QosKey } from '../../../../dataplane/proto/qos-classes.js';

const word = fc.nat(2);
const packet = fc.record({ key: fc.array(word, { minLength: QosKey.Words, maxLength: QosKey.Words }), use: fc.nat(1), hash: fc.nat(3) });

t.test('it never tells the class of another packet', (t) => {
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 200 }), fc.boolean(), (packets, asksLength) => {
      const cache = new ClassCache();
      cache.asksLength = asksLength;
      const model = new Map<string, number>();
      packets.forEach(({ key: words, use, hash }, n) => {
        const key = Int32Array.from(words);
        const asked = words.map((value, at) => (at === QosKey.Length && !asksLength ? 0 : value));
        const name = `${hash} ${use} ${asked}`;
        const known = cache.find(hash, key, use);
        if (known >= 0 && known !== model.get(name)) throw new Error(`packet ${n}: class ${known}, ${model.get(name)} was written`);
        if (known >= 0) return;
        cache.write(hash, key, use, n);
        model.set(name, n);
        if (cache.find(hash, key, use) !== n) throw new Error(`packet ${n} is not known at once`);
      });
    }),
    { numRuns: 300 },
  );
  t.pass('held for every sequence tried');
  t.end();
});

t.test('two packets of a hash are known side by side, of three the older one goes; forget() knows none', (t) => {
  const cache = new ClassCache();
  const keys = [1, 2, 3].map((port) => new Int32Array(QosKey.Words).fill(port));
  for (const [n, key] of keys.slice(0, 2).entries()) cache.write(7, key, 0, n);
  t.strictSame(
    keys.map((key) => cache.find(7, key, 0)),
    [0, 1, -1],
  );
  cache.write(7, keys[2], 0, 2);
  t.strictSame(
    keys.map((key) => cache.find(7, key, 0)),
    [-1, 1, 2],
  );
  cache.forget();
  t.strictSame(
    keys.map((key) => cache.find(7, key, 0)),
    [-1, -1, -1],
  );
  t.end();
});
