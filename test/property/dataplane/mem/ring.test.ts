// The ring between workers against a naive queue: on random steps in one thread, and between two threads, where order, content and
// number of what comes out must be those of what went in.
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import t from 'tap';
import { RingReader, RingShape, RingWriter } from '../../../../dataplane/mem/ring.js';
import { fillEntry, isFilled, type StressStart } from './ring-writer.js';

const step = fc.oneof(
  fc.record({ do: fc.constant('claim' as const), count: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 400, max: 600 })) }),
  fc.record({ do: fc.constant('publish' as const), count: fc.constant(0) }),
  fc.record({ do: fc.constant('read' as const), count: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 400, max: 600 })) }),
  fc.record({ do: fc.constant('release' as const), count: fc.constant(0) }),
);

t.test('one thread: what was published comes out in order, and no more fits than there is room for', (t) => {
  let wasFull = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const memory = new SharedArrayBuffer(RingShape.Bytes + 64);
      const writer = new RingWriter(memory, 64);
      const reader = new RingReader(memory, 64);
      const visible: number[] = [];
      const claimed: number[] = [];
      let next = 0;
      let skipped = 0;
      let inUse = 0;
      for (const { do: what, count } of steps) {
        for (let i = 0; what === 'claim' && i < count; i++) {
          const at = writer.claim();
          if (at < 0 !== (inUse === RingShape.Entries)) throw new Error(`claim: ${at} with ${inUse} in use`);
          if (at < 0) {
            wasFull++;
            break;
          }
          fillEntry(writer.words, at, next);
          claimed.push(next++);
          inUse++;
        }
        if (what === 'publish') {
          if (writer.publish() !== claimed.length > 0) throw new Error('publish: something new or not');
          visible.push(...claimed.splice(0));
        }
        for (let i = 0; what === 'read' && i < count; i++) {
          const at = reader.peek();
          if (at < 0 !== (visible.length === 0)) throw new Error(`peek: ${at} with ${visible.length} waiting`);
          if (at < 0) break;
          if (!isFilled(reader.words, at, visible[0])) throw new Error(`entry ${visible[0]} is another`);
          visible.shift();
          reader.skip();
          skipped++;
        }
        if (what === 'release') {
          reader.release();
          inUse -= skipped;
          skipped = 0;
        }
      }
    }),
    { numRuns: 200 },
  );
  t.ok(wasFull > 10, `the ring was full ${wasFull} times`);
  t.end();
});

t.test('positions pass 2^31 and 2^32', (t) => {
  const memory = new SharedArrayBuffer(RingShape.Bytes);
  const writer = new RingWriter(memory, 0);
  const reader = new RingReader(memory, 0);
  for (const start of [0x7fffff00, 0xffffff00 | 0]) {
    // The positions of both sides, as after so many entries.
    Object.assign(writer, { claimed: start, published: start, taken: start });
    Object.assign(reader, { next: start, released: start, written: start });
    new Int32Array(memory, 0, 1)[0] = start;
    new Int32Array(memory, 64, 1)[0] = start;
    for (let i = 0; i < 1024; i++) {
      const at = writer.claim();
      fillEntry(writer.words, at, i);
      writer.publish();
      if (reader.peek() !== at || !isFilled(reader.words, at, i)) t.fail(`entry ${i} from ${start}`);
      reader.skip();
      reader.release();
    }
    for (let i = 0; i < RingShape.Entries; i++) if (writer.claim() < 0) t.fail(`full after ${i}`);
    t.equal(writer.claim(), -1);
  }
  t.end();
});

t.test('two threads: order, content and number', async (t) => {
  const memory = new SharedArrayBuffer(RingShape.Bytes);
  const reader = new RingReader(memory, 0);
  const total = 300_000;
  const workerData: StressStart = { memory, total };
  const worker = new Worker(new URL('./ring-writer.js', import.meta.url), { workerData });
  const failed = new Promise<never>((_, reject) => worker.once('error', reject));
  const exited = new Promise((resolve) => worker.once('exit', resolve));
  let read = 0;
  let wrong = 0;
  while (read < total && wrong === 0) {
    for (let pass = 0; pass < 1000 && read < total; pass++) {
      for (let i = 0; i < 256; i++) {
        const at = reader.peek();
        if (at < 0) break;
        if (!isFilled(reader.words, at, read)) wrong++;
        read++;
        reader.skip();
      }
      reader.release();
    }
    await Promise.race([failed, new Promise((resolve) => setImmediate(resolve))]);
  }
  t.equal(wrong, 0);
  t.equal(read, total);
  await Promise.race([failed, exited]);
  t.equal(reader.peek(), -1, 'and nothing more');
});
