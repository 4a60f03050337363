// ip tcp adjust-mss against a reading of the options that knows nothing of the code under test, with checksums that are added up anew.
import fc from 'fast-check';
import t from 'tap';
import { isSyn, lowerMss, MssChange } from '../../../../dataplane/proto/tcp-mss.js';
import { fuzz } from '../../../fuzz/tcp-mss.js';
import { sumOf } from '../../../path/packets.js';
import { segment } from '../../../support/tcp-segment.js';

const option: fc.Arbitrary<number[]> = fc.oneof(
  fc.constant<number[]>([1]),
  fc.integer({ min: 0, max: 65535 }).map((mss) => [2, 4, mss >> 8, mss & 255]),
  fc.constant<number[]>([3, 3, 7]),
  fc.constant<number[]>([4, 2]),
  fc.integer({ min: 0, max: 0xffffffff }).map((stamp): number[] => [8, 10, ...new Array<number>(4).fill(stamp & 255), 0, 0, 0, 0]),
);
const options = fc.array(option, { maxLength: 6 }).filter((list) => list.flat().length <= 40);

/** Every MSS of a list of options, at its place. */
function lowered(list: readonly number[][], limit: number): number[][] {
  return list.map((one) => (one[0] === 2 && one[2] * 256 + one[3] > limit ? [2, 4, limit >> 8, limit & 255] : one));
}

t.test('every MSS option that is too large is lowered, nothing else is touched, and the checksum is right', (t) => {
  fc.assert(
    fc.property(options, fc.integer({ min: 1, max: 65535 }), fc.uint8Array({ maxLength: 9 }), fc.nat(3), (list, limit, data, at) => {
      const room = new Uint8Array(120);
      const before = segment(list.flat(), { data });
      room.set(before, at);
      const view = new DataView(room.buffer);
      const change = lowerMss(view, at, at + before.length, limit);
      const after = segment(lowered(list, limit).flat(), { data });
      const isLower = list.some((one, i) => lowered(list, limit)[i].join() !== one.join());
      t.equal(change, isLower ? MssChange.Lowered : MssChange.None);
      t.equal(sumOf(room.subarray(at, at + before.length)), 0, 'checksum');
      // The two zeros of one's complement are the same sum.
      room.fill(0, at + 16, at + 18);
      after.fill(0, 16, 18);
      t.same(room.subarray(at, at + after.length), after);
    }),
  );
  t.end();
});

t.test('any bytes', (t) => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => fuzz(bytes)));
  t.end();
});

t.test('what lies is left alone (bad-input 47)', (t) => {
  const mss = [2, 4, 5, 180];
  const cases: [string, number[], { offset?: number; cut?: number }, MssChange][] = [
    ['length 0', [3, 0, ...mss, 1, 1], {}, MssChange.Malformed],
    ['length 1', [3, 1, ...mss, 1, 1], {}, MssChange.Malformed],
    ['length beyond the header', [8, 10, ...mss, 1, 1], {}, MssChange.Malformed],
    ['a kind without its length', [1, 1, 1, 3], {}, MssChange.Malformed],
    ['MSS of three bytes', [2, 3, 5, 1], {}, MssChange.Malformed],
    ['data offset 4', mss, { offset: 4 }, MssChange.Malformed],
    ['data offset beyond the datagram', mss, { offset: 15 }, MssChange.Malformed],
    ['cut off', mss, { cut: 19 }, MssChange.Malformed],
    ['MSS 0', [2, 4, 0, 0], {}, MssChange.None],
    ['MSS behind the end of the list', [0, 1, 1, 1, ...mss], {}, MssChange.None],
    ['smaller already', [2, 4, 2, 0], {}, MssChange.None],
  ];
  for (const [name, list, { offset, cut }, expected] of cases) {
    const bytes = segment(list, { offset });
    const before = bytes.slice();
    t.equal(lowerMss(new DataView(bytes.buffer), 0, cut ?? bytes.length, 1360), expected, name);
    t.same(bytes, before, name);
  }
  const twice = segment([...mss, ...mss]);
  t.equal(lowerMss(new DataView(twice.buffer), 0, twice.length, 1360), MssChange.Lowered);
  t.same([...twice.subarray(20)], [2, 4, 5, 80, 2, 4, 5, 80], 'both of two');
  const view = new DataView(segment(mss).buffer);
  t.strictSame([isSyn(view, 0, 13), isSyn(view, 0, 14)], [false, true], 'flags that are not there are not read');
  t.end();
});
