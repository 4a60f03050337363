// ip tcp adjust-mss as a fuzz target: whatever the segment is, nothing throws, nothing but MSS options and the checksum changes, and a checksum that was right stays so.
import { isSyn, lowerMss, MssChange } from '../../dataplane/proto/tcp-mss.js';
import { sumOf } from '../path/packets.js';
import { segment } from '../support/tcp-segment.js';

const Limit = 1360;

/** A datagram's TCP part as it is, and once more with a checksum that is right. */
export function fuzz(bytes: Uint8Array): void {
  run(bytes.slice(), false);
  if (bytes.length < 20) return;
  const right = bytes.slice();
  right.fill(0, 16, 18);
  new DataView(right.buffer).setUint16(16, sumOf(right));
  run(right, true);
}

function run(after: Uint8Array, isRight: boolean): void {
  const before = after.slice();
  const view = new DataView(after.buffer);
  isSyn(view, 0, after.length);
  const change = lowerMss(view, 0, after.length, Limit);
  const differs = after.some((byte, at) => at !== 16 && at !== 17 && byte !== before[at]);
  if (differs && change === MssChange.None) throw new Error('changed, and not told');
  if (after.some((byte, at) => byte !== before[at] && (at < 16 || (at > 17 && at < 20)))) throw new Error('the header changed');
  if (isRight && sumOf(after) !== 0) throw new Error('the checksum is wrong');
}

export const seeds: readonly Uint8Array[] = [
  segment([2, 4, 5, 180]),
  segment([1, 2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 3, 3, 7]),
  segment([2, 4, 5, 180, 2, 4, 35, 40]),
  segment([3, 0, 2, 4, 5, 180]),
];
