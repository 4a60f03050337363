import fc from 'fast-check';
import t from 'tap';
import { readAnswer } from '../../control/probe/answer.js';
import { buildEcho } from '../../control/probe/echo.js';
import { icmp } from '../exchange/control/probe/network.js';
import { fuzz, seeds } from './probe-answers.js';

t.test('noise, cut and changed answers', async (t) => {
  const changed = fc.tuple(fc.constantFrom(...seeds), fc.array(fc.tuple(fc.nat(99), fc.nat(255)), { maxLength: 4 }), fc.nat(120));
  const datagram = fc.oneof(
    fc.uint8Array({ maxLength: 80 }),
    changed.map(([seed, edits, length]) => {
      const bytes = seed.slice(0, length);
      for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value;
      return bytes;
    }),
  );
  fc.assert(fc.property(datagram, fuzz), { numRuns: 5000 });
  t.pass();
});

t.test('the seeds are answers', async (t) => {
  for (const seed of seeds) t.ok(readAnswer(seed));
});

t.test('an echo that comes back is read as it was sent', async (t) => {
  const half = fc.nat(0xffff);
  fc.assert(
    fc.property(half, half, half, fc.integer({ min: 28, max: 2000 }), (identifier, sequence, pattern, size) => {
      const echo = buildEcho(identifier, sequence, size, pattern);
      const reply = icmp(0x0a000301, 0, 0, identifier * 0x10000 + sequence, echo.subarray(8));
      const answer = readAnswer(reply);
      if (answer?.kind !== 'reply' || answer.identifier !== identifier || answer.sequence !== sequence) throw new Error('not the same');
      if (Buffer.compare(answer.data, echo.subarray(8)) !== 0) throw new Error('other data');
    }),
    { numRuns: 300 },
  );
  t.pass();
});
