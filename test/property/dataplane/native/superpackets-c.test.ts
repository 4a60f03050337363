// Cutting and gathering of the addon and of the twin, byte for byte, on good, odd and hostile input. The C is built as a filter
// (superpacket-pipe.c), so that it needs neither a device nor root.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import t from 'tap';
import { planMessages } from '../../../../dataplane/native/twin-gro.js';
import { frameHasNext, frameNext, frameStart, makeFrame } from '../../../../dataplane/native/twin-gso.js';
import { runs } from '../../../support/runs.js';
import { batches, buildBatch, superpackets, virtioFrame } from './streams.js';

const root = resolve(fileURLToPath(new URL('.', import.meta.url)), '../../../../..');
const folder = mkdtempSync(join(tmpdir(), 'groupwire-pipe-'));
t.teardown(() => rmSync(folder, { recursive: true }));
const program = join(folder, 'pipe');
const native = join(root, 'dataplane/native');
const sources = [
  join(root, 'test/property/dataplane/native/superpacket-pipe.c'),
  ...['checksum.c', 'gso.c', 'gro.c'].map((name) => join(native, name)),
];
const flags = ['-std=gnu11', '-O1', '-Wall', '-Wextra', '-Werror', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
// Under test-asan the library is preloaded into everything; the program brings its own.
const env = { ...process.env, LD_PRELOAD: '' };
const built = spawnSync('cc', [...flags, '-I', native, '-o', program, ...sources], { encoding: 'utf8', env });
if (built.status !== 0) throw new Error(built.stderr);

function word(...values: number[]): Uint8Array {
  return new Uint8Array(Int32Array.from(values).buffer);
}

/** What the C answers. */
function answers(questions: Uint8Array[]): Buffer {
  const { status, stdout, stderr } = spawnSync(program, { input: Buffer.concat(questions), env, maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(stderr.toString());
  return stdout;
}

/** The question of superpacket-pipe.c, and the twin's answer to it. */
interface Exchange {
  question: Uint8Array;
  answer: Uint8Array;
}

function cut(bytes: Uint8Array, maxLength: number): Exchange {
  const frame = makeFrame(bytes.slice());
  const to = new Uint8Array(maxLength);
  const out: Uint8Array[] = [];
  frameStart(frame, bytes.length - 10);
  while (frameHasNext(frame)) {
    const length = frameNext(frame, to, 0, maxLength);
    out.push(word(length), to.slice(0, Math.min(length, maxLength)));
  }
  return { question: Buffer.concat([word(0, maxLength, bytes.length), bytes]), answer: Buffer.concat([word(out.length / 2), ...out]) };
}

function gather(datagrams: readonly Uint8Array[], coalesce: number): Exchange {
  const lengths = Int32Array.from(datagrams, ({ length }) => length);
  const offsets = new Int32Array(datagrams.length);
  for (let i = 1; i < offsets.length; i++) offsets[i] = offsets[i - 1] + lengths[i - 1];
  const { messages, messageOf } = planMessages(new Uint8Array(Buffer.concat(datagrams)), offsets, lengths, datagrams.length, coalesce);
  const bytes = messages.map((message) => Buffer.concat(message));
  return {
    question: Buffer.concat([word(1, coalesce, datagrams.length), ...datagrams.flatMap((bytes) => [word(bytes.length), bytes])]),
    answer: Buffer.concat([word(bytes.length), ...bytes.flatMap((bytes) => [word(bytes.length), bytes]), word(...messageOf)]),
  };
}

/** One process answers many questions; only what differs is said. */
function agree(exchanges: Exchange[]): void {
  const seen = answers(exchanges.map(({ question }) => question));
  let at = 0;
  for (const { question, answer } of exchanges) {
    const theirs = seen.subarray(at, at + answer.length);
    if (!theirs.equals(answer)) {
      throw new Error(
        `to ${Buffer.from(question).toString('hex')}\nC    ${theirs.toString('hex')}\ntwin ${Buffer.from(answer).toString('hex')}`,
      );
    }
    at += answer.length;
  }
  if (at !== seen.length) throw new Error('the C says more than the twin');
}

const maxLength = fc.oneof({ weight: 5, arbitrary: fc.constant(65535) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 1500 }) });
// Most of a header decides; changes in the payload only change sums.
const change = fc.tuple(fc.oneof({ weight: 5, arbitrary: fc.nat(70) }, { weight: 1, arbitrary: fc.nat(3000) }), fc.nat(255));

t.test('superpackets are cut alike', (t) => {
  fc.assert(
    fc.property(fc.array(fc.tuple(superpackets, maxLength), { minLength: 1, maxLength: 20 }), (cases) =>
      agree(cases.map(([spec, maxLength]) => cut(virtioFrame(spec), maxLength))),
    ),
    { numRuns: runs(8) },
  );
  t.pass();
  t.end();
});

t.test('superpackets with bytes changed or missing are cut alike', (t) => {
  const small = superpackets.map((spec) => ({ ...spec, payload: (spec.payload % 3000) + 1 }));
  const one = fc.tuple(small, maxLength, fc.array(change, { maxLength: 4 }), fc.nat(200));
  fc.assert(
    fc.property(fc.array(one, { minLength: 1, maxLength: 40 }), (cases) => {
      const exchanges = cases.map(([spec, maxLength, changes, missing]) => {
        const whole = virtioFrame(spec);
        const bytes = whole.slice(0, missing > 100 ? whole.length : Math.max(11, whole.length - missing));
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        return cut(bytes, maxLength);
      });
      agree(exchanges);
    }),
    { numRuns: runs(12) },
  );
  t.pass();
  t.end();
});

t.test('noise is cut alike: any virtio header before any bytes', (t) => {
  const header = fc.tuple(fc.nat(3), fc.constantFrom(0, 1, 3, 4, 5, 0x81, 0x85, 7), ...Array.from({ length: 4 }, () => fc.nat(80)));
  const one = fc.tuple(header, fc.uint8Array({ minLength: 1, maxLength: 200 }), maxLength);
  fc.assert(
    fc.property(fc.array(one, { minLength: 1, maxLength: 50 }), (cases) =>
      agree(
        cases.map(([[flags, type, ...fields], bytes, maxLength]) =>
          cut(
            new Uint8Array(Buffer.concat([Uint8Array.of(flags, type), new Uint8Array(Uint16Array.from(fields).buffer), bytes])),
            maxLength,
          ),
        ),
      ),
    ),
    { numRuns: runs(12) },
  );
  t.pass();
  t.end();
});

t.test('batches are gathered alike, with bytes changed too', (t) => {
  const one = fc.tuple(batches(24), fc.nat(3), fc.array(fc.tuple(fc.nat(59), change), { maxLength: 3 }));
  fc.assert(
    fc.property(fc.array(one, { minLength: 1, maxLength: 10 }), (cases) => {
      const exchanges = cases.map(([steps, coalesce, changes]) => {
        const datagrams = buildBatch(steps);
        for (const [number, [at, value]] of changes) {
          const datagram = datagrams[number % datagrams.length];
          datagram[at % datagram.length] = value;
        }
        return gather(datagrams, coalesce);
      });
      agree(exchanges);
    }),
    { numRuns: runs(10) },
  );
  t.pass();
  t.end();
});
