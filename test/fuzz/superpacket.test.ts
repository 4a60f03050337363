import fc from 'fast-check';
import t from 'tap';
import { superpackets, virtioFrame } from '../property/dataplane/native/streams.js';
import { fuzz } from './superpacket.js';

const room = fc.oneof(fc.constant([0xff, 0xff]), fc.tuple(fc.nat(8), fc.nat(255)));

t.test('noise', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300, size: 'max' }), (bytes) => fuzz(bytes)),
    { numRuns: 5000 },
  );
  t.pass();
  t.end();
});

t.test('a good superpacket with bytes changed or cut off', (t) => {
  const small = superpackets.map((spec) => ({ ...spec, payload: (spec.payload % 3000) + 1 }));
  // Small values are lengths and offsets that nearly fit.
  const change = fc.tuple(fc.nat(80), fc.oneof(fc.nat(255), fc.nat(40)));
  fc.assert(
    fc.property(small, room, fc.array(change, { maxLength: 4 }), fc.nat(150), (spec, room, changes, missing) => {
      const frame = virtioFrame(spec);
      for (const [at, value] of changes) frame[at % frame.length] = value;
      fuzz(Uint8Array.of(...room, ...frame.subarray(0, missing > 100 ? frame.length : Math.max(11, frame.length - missing))));
    }),
    { numRuns: 5000 },
  );
  t.pass();
  t.end();
});
