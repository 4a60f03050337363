import t from 'tap';
import { counterLimit, writeIv } from '../../../../dataplane/proto/sender-iv.js';

/** The same by BigInt. */
function naive(sid: number, bits: number, worker: number, counter: number): bigint {
  const width = BigInt(64 - bits);
  return (BigInt(sid >>> 0) << width) | (BigInt(worker) << (width - 4n)) | BigInt(counter);
}

t.test('every width, worker and edge of the counter', (t) => {
  const view = new DataView(new ArrayBuffer(8));
  for (let bits = 1; bits <= 32; bits++) {
    const limit = counterLimit(bits);
    const top = bits === 32 ? 0xffffffff : 2 ** bits - 1;
    for (const sid of [0, 1, Math.floor(top / 2), top]) {
      for (const worker of [0, 1, 15]) {
        for (const counter of [0, 1, 2 ** 28 - 1, 2 ** 32 - 1, 2 ** 32, limit - 1]) {
          if (counter >= limit) continue;
          writeIv(view, 0, bits === 32 ? sid | 0 : sid, bits, worker, counter);
          if (view.getBigUint64(0) !== naive(sid, bits, worker, counter)) t.fail(`${bits} bits, ${sid}, ${worker}, ${counter}`);
        }
      }
    }
  }
  t.pass();
  t.end();
});

t.test('room', (t) => {
  t.equal(counterLimit(24), 2 ** 36);
  t.equal(counterLimit(32), 2 ** 28);
  t.equal(counterLimit(1), 2 ** 53, 'what a Float64 counts exactly');
  t.strictSame([counterLimit(0), counterLimit(33)], [0, 0]);
  t.end();
});
