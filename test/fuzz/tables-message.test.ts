import fc from 'fast-check';
import t from 'tap';
import { encodeFrame } from '../../dataplane/tables/message.js';
import { joinRows, sampleHead, sampleRows } from '../unit/dataplane/port/tables-sample.js';
import { fuzz } from './tables-message.js';

const { bytes, blobBytes } = joinRows(sampleRows());
const good = encodeFrame(sampleHead(blobBytes), [bytes]);

t.test('random bytes', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (input) => fuzz(input)),
    { numRuns: 2000 },
  );
});

t.test('a good message with bytes changed or cut off', async () => {
  const change = fc.tuple(fc.nat(good.length - 1), fc.nat(255));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), fc.nat(20), (changes, cut) => {
      const input = good.slice(0, good.length - cut);
      for (const [at, value] of changes) if (at < input.length) input[at] = value;
      fuzz(input);
    }),
    { numRuns: 5000 },
  );
});

t.test('a good message with values of other types in its head', async () => {
  const paths = ['generation', 'interfaces', 'staticRoutes', 'controlPorts', 'groups', 'blobs', 'blobBytes', 'type'];
  fc.assert(
    fc.property(fc.constantFrom(...paths), fc.jsonValue(), (path, value) => {
      fuzz(encodeFrame({ ...sampleHead(blobBytes), [path]: value }, [bytes]));
    }),
    { numRuns: 2000 },
  );
});
