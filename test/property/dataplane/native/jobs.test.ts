// Any batch of jobs over any bytes: addon, with either library, and twin do the same. Either both refuse the batch and touch nothing, or both give the same
// statuses and leave the same bytes. Seal is compared where nothing is random; open everywhere, on forged and on honest packets.

import fc from 'fast-check';
import t from 'tap';
import { Job, JobStatus } from '../../../../dataplane/native/native.js';
import { isCombined } from '../../../../dataplane/proto/esp.js';
import { Cap, EspCipher } from '../../../../dataplane/tables/layout.js';
import { cryptoNatives, jobsOf, keyRow, setSa, statusesOf, toHex, transforms } from '../../../unit/dataplane/native/both.js';

const natives = cryptoNatives();
/** Each job of a batch has a place of its own: packets that overlap are nobody's. */
const placeBytes = 600;
const mostJobs = 12;
const poolBytes = mostJobs * placeBytes;
const edges = [-0x80000000, -1, poolBytes - 24, poolBytes - 8, poolBytes, poolBytes + 1, 0x7fffffff];
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
type Row = [slot: number, offset: number, textLen: number];

/** Jobs of any slots, or so many of one that they are done side by side (native/mb.c). */
function rowsOf(slots: fc.Arbitrary<number>): fc.Arbitrary<Row[]> {
  const mixed = fc.array(fc.tuple(slots, offset, textLen), { minLength: 1, maxLength: 6 });
  const shape = fc.array(fc.tuple(offset, textLen), { minLength: 4, maxLength: mostJobs });
  const ofOne = fc.tuple(slots, shape).map(([slot, shapes]) => shapes.map(([at, length]): Row => [slot, at, length]));
  return fc
    .oneof(mixed, ofOne)
    .map((rows) => rows.map(([slot, at, length], i): Row => [slot, edges.includes(at) ? at : at + i * placeBytes, length]));
}

const bytes = fc.uint8Array({ minLength: placeBytes, maxLength: placeBytes }).map((place) => {
  const pool = new Uint8Array(poolBytes);
  for (let i = 0; i < mostJobs; i++) pool.set(place, i * placeBytes);
  return pool;
});

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
    fc.property(bytes, rowsOf(slot), (pool, rows) => {
      return isOne(natives.map((native) => outcome(native.open, pool, jobsOf(...rows))));
    }),
    { numRuns: 1500 },
  );
  t.end();
});

t.test('seal: addon and twin agree on any batch of combined modes and NULL', (t) => {
  const fixed = transforms.flatMap(({ cipher }, number) => (isCombined(cipher) || cipher === EspCipher.Null ? [number] : []));
  fc.assert(
    fc.property(bytes, rowsOf(fc.constantFrom(...fixed, 40)), (pool, rows) => {
      return isOne(natives.map((native) => outcome(native.seal, pool, jobsOf(...rows))));
    }),
    { numRuns: 1500 },
  );
  t.end();
});

t.test('what one seals, all open alike, whole or with any bytes changed', (t) => {
  const change = fc.tuple(fc.nat({ max: poolBytes - 1 }), fc.integer({ min: 1, max: 255 }));
  const batch = fc.tuple(
    fc.integer({ min: 0, max: 35 }),
    // As in Job.Extended: 0, or the upper half of the sequence number and one.
    fc.constantFrom(0, 1, 2, 0x7fffffff),
    fc.array(
      fc.integer({ min: 1, max: 30 }).map((n) => n * 16),
      { minLength: 1, maxLength: mostJobs },
    ),
  );
  fc.assert(
    fc.property(
      bytes,
      batch,
      fc.array(change, { maxLength: 4 }),
      fc.constantFrom(...natives),
      (start, [slot, extended, lengths], changes, sealer) => {
        const pool = start.slice();
        const jobs = jobsOf(...lengths.map((length, i): Row => [slot, i * placeBytes + 16, length]));
        for (let i = 0; i < lengths.length; i++) jobs[i * Job.Words + Job.Extended] = extended;
        sealer.seal(pool, jobs, lengths.length);
        for (const [at, bits] of changes) pool[at] ^= bits;
        const outcomes = natives.map((native) => outcome(native.open, pool, jobs));
        return isOne(outcomes) && (changes.length > 0 || statusesOf(jobs).every((status) => status === JobStatus.Ok));
      },
    ),
    { numRuns: 1500 },
  );
  t.end();
});
