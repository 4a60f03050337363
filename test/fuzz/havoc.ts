// Mutations for coverage-guided runs: deterministic in their seed, so that a finding can be made again.

/** xorshift32, Marsaglia 2003. */
export class Dice {
  constructor(private state: number) {
    this.state = state | 0 || 1;
  }

  /** @returns an integer below `limit` */
  below(limit: number): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return (this.state >>> 0) % Math.max(1, limit);
  }
}

export const MaxInput = 4096;
const interesting = [0, 1, 2, 4, 8, 16, 27, 28, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

/** @param corpus not empty @returns one input of at most 4096 bytes */
export function havoc(corpus: readonly Uint8Array[], dice: Dice): Uint8Array {
  let bytes: Uint8Array = corpus[dice.below(corpus.length)].slice();
  for (let rounds = 1 << dice.below(5); rounds > 0; rounds--) bytes = mutateOnce(bytes, corpus, dice);
  return bytes.subarray(0, MaxInput);
}

function mutateOnce(bytes: Uint8Array, corpus: readonly Uint8Array[], dice: Dice): Uint8Array {
  const at = dice.below(bytes.length + 1);
  const length = Math.min(1 + dice.below(16), bytes.length - at);
  switch (dice.below(9)) {
    case 0: // one bit
      if (at < bytes.length) bytes[at] ^= 1 << dice.below(8);
      return bytes;
    case 1: // one byte
      if (at < bytes.length) bytes[at] = dice.below(256);
      return bytes;
    case 2: // a little more or less
      if (at < bytes.length) bytes[at] += dice.below(35) - 17;
      return bytes;
    case 3: // a number at the edge, of 1, 2 or 4 bytes, most significant first
      return writeNumber(bytes, at, interesting[dice.below(interesting.length)], 1 << dice.below(3));
    case 4: // a number that says how much follows
      return writeNumber(bytes, at, bytes.length - at, 1 << dice.below(3));
    case 5: // less
      return Uint8Array.of(...bytes.subarray(0, at), ...bytes.subarray(at + length));
    case 6: // the same again
      return Uint8Array.of(...bytes.subarray(0, at), ...bytes.subarray(at, at + length), ...bytes.subarray(at));
    case 7: {
      // a piece of another input
      const other = corpus[dice.below(corpus.length)];
      const from = dice.below(other.length + 1);
      return Uint8Array.of(...bytes.subarray(0, at), ...other.subarray(from, from + 1 + dice.below(64)), ...bytes.subarray(at + length));
    }
    default: // cut
      return dice.below(4) === 0 ? bytes.slice(0, at) : bytes;
  }
}

function writeNumber(bytes: Uint8Array, at: number, value: number, size: number): Uint8Array {
  for (let i = 0; i < size && at + i < bytes.length; i++) bytes[at + i] = value >>> (8 * (size - 1 - i));
  return bytes;
}
