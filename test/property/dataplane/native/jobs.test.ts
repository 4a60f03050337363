// Any batch of jobs over any bytes: addon, with either library, and twin do the same. Either both refuse the batch and touch nothing, or both give the same
// statuses and leave the same bytes. Seal is compared where nothing is random; open everywhere, on forged and on honest packets.

import fc from 'fast-check';
import t from 'tap';
import { Job } from '../../../../dataplane/native/native.js';
import { isCombined } from '../../../../dataplane/proto/esp.js';
import { Cap, EspCipher } from '../../../../dataplane/tables/layout.js';
import { cryptoNatives, jobsOf, keyRow, setSa, toHex, transforms } from '../../../unit/dataplane/native/both.js';

const natives = cryptoNatives();
const poolBytes = 600;
const edges = [-0x80000000, -1, 0, 1, 7, 8, poolBytes - 24, poolBytes - 8, poolBytes, poolBytes + 1, 0x7fffffff];
const offset = fc.oneof({ weight: 8, arbitrary: fc.integer({ min: 0, max: 400 }) }, { weight: 1, arbitrary: fc.constantFrom(...edges) });
const textLen = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 8 }).map((n) => n * 16) },
  { weight: 2, arbitrary: fc.constantFrom(...edges) },
);
// Slots 0..35 are keyed; 40 is empty.
const slot = fc.oneof(
  { weight: 30, arbitrary: fc.integer({ min: 0, max: 35 }) },
  { weight: 1, arbitrary: fc.constantFrom(-1, 40, Cap.Sas - 1, Cap.Sas) },
);
const rows = fc.array(fc.tuple(slot, offset, textLen), { minLength: 1, maxLength: 6 });
const bytes = fc.uint8Array({ minLength: poolBytes, maxLength: poolBytes });

for (const native of natives) {
  for (const [number, transform] of transforms.entries()) setSa(native, number, transform, keyRow(number));
}

/** What a call did: the error's name and text, or every status; then the pool. */
function outcome(call: (pool: Uint8Array, jobs: Int32Array, count: number) => void, bytes: Uint8Array, jobs: Int32Array): string {
  const pool = bytes.slice();
  const ownJobs = jobs.slice();
  let thrown = '';
  try {
    call(pool, ownJobs, jobs.length / Job.Words);
  } catch (error) {
    thrown = (error as Error).name;
    if (toHex(pool) !== toHex(bytes)) thrown += ' after changing the pool';
  }
  return `${thrown} ${ownJobs.join()} ${toHex(pool)}`;
}

const isOne = (outcomes: readonly string[]) => new Set(outcomes).size === 1;

t.test('open: addon and twin agree on any batch', (t) => {
  fc.assert(
    fc.property(bytes, rows, (pool, rows) => {
      return isOne(natives.map((native) => outcome(native.open, pool, jobsOf(...rows))));
    }),
    { numRuns: 1500 },
  );
  t.end();
});

t.test('seal: addon and twin agree on any batch of combined modes and NULL', (t) => {
  const fixed = transforms.flatMap(({ cipher }, number) => (isCombined(cipher) || cipher === EspCipher.Null ? [number] : []));
  const fixedRows = fc.array(fc.tuple(fc.constantFrom(...fixed, 40), offset, textLen), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(bytes, fixedRows, (pool, rows) => {
      return isOne(natives.map((native) => outcome(native.seal, pool, jobsOf(...rows))));
    }),
    { numRuns: 1500 },
  );
  t.end();
});

t.test('what one seals, both open alike, whole or with any bytes changed', (t) => {
  const change = fc.tuple(fc.nat({ max: poolBytes - 1 }), fc.integer({ min: 1, max: 255 }));
  const packet = fc.tuple(
    fc.integer({ min: 0, max: 35 }),
    fc.constant(16),
    fc.integer({ min: 1, max: 30 }).map((n) => n * 16),
  );
  fc.assert(
    fc.property(bytes, packet, fc.array(change, { maxLength: 2 }), fc.constantFrom(...natives), (start, row, changes, sealer) => {
      const pool = start.slice();
      sealer.seal(pool, jobsOf(row), 1);
      for (const [at, bits] of changes) pool[at] ^= bits;
      return isOne(natives.map((native) => outcome(native.open, pool, jobsOf(row))));
    }),
    { numRuns: 1500 },
  );
  t.end();
});
