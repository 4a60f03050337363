// TCP segments for tests, without the code under test. The sum leaves the pseudo header out: what changes a segment alone does not touch it.

import { sumOf } from '../path/packets.js';

/** A SYN from port 1000 to 80 with options, padded with end-of-list. @param offset words of the header that it states, else what it has */
export function segment(
  options: readonly number[],
  { offset, flags = 2, data = new Uint8Array(0) }: { offset?: number; flags?: number; data?: Uint8Array } = {},
): Uint8Array {
  const header = 20 + ((options.length + 3) & ~3);
  const bytes = new Uint8Array(header + data.length);
  bytes.set([3, 232, 0, 80, 1, 2, 3, 4, 0, 0, 0, 0, (offset ?? header / 4) << 4, flags, 255, 255, 0, 0, 0, 0, ...options]);
  bytes.set(data, header);
  new DataView(bytes.buffer).setUint16(16, sumOf(bytes));
  return bytes;
}
