// Seeded randomness for long simulations: sfc32, a small fast generator (public domain, Chris Doty-Humphrey, PractRand). Not for keys that
// matter; test/exchange uses SHA-256 for the same, which a day of a thousand members would feel.

import { createHash } from 'node:crypto';
import type { RandomBytes } from '../../control/actions.js';

export class Random {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;

  constructor(seed: string) {
    const digest = createHash('sha256').update(seed).digest();
    [this.a, this.b, this.c] = [0, 4, 8].map((at) => digest.readInt32LE(at));
    for (let i = 0; i < 12; i++) this.word();
  }

  /** Unsigned, 32 bits. */
  word(): number {
    const sum = (((this.a + this.b) | 0) + this.counter++) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** In [0, 1). */
  fraction(): number {
    return this.word() / 2 ** 32;
  }

  /** Whole, in [from, to). */
  between(from: number, to: number): number {
    return from + Math.floor(this.fraction() * (to - from));
  }

  pick<T>(list: readonly T[]): T {
    return list[this.between(0, list.length)];
  }

  /** As engines want it. */
  readonly bytes: RandomBytes = (length) => {
    const out = new Uint8Array(length);
    for (let at = 0; at < length; at += 4) {
      const word = this.word();
      for (let i = at; i < Math.min(at + 4, length); i++) out[i] = word >>> (8 * (i - at));
    }
    return out;
  };
}
