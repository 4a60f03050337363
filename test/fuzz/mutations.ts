// Inputs for the fuzz targets of the ISAKMP codec and engine: random bytes, and known good messages with a few bytes changed.

import { randomBytes, randomInt } from 'node:crypto';

/** @param seeds good inputs @returns one input */
export function mutate(seeds: readonly Uint8Array[]): Uint8Array {
  if (randomInt(4) === 0) return new Uint8Array(randomBytes(randomInt(200)));
  const out = seeds[randomInt(seeds.length)].slice();
  for (let i = randomInt(1, 6); i > 0 && out.length > 0; i--) {
    const at = randomInt(out.length);
    out[at] = [0, 1, 0x7f, 0x80, 0xff, out[at] + 1, out[at] - 1, randomInt(256)][randomInt(8)];
  }
  const cut = randomInt(6);
  if (cut === 0) return out.slice(0, randomInt(out.length + 1));
  return cut === 1 ? new Uint8Array([...out, ...randomBytes(randomInt(40))]) : out;
}

/** Runs a target; a failure names its input. */
export function run(fuzz: (bytes: Uint8Array) => void, seeds: readonly Uint8Array[], rounds: number): string | null {
  for (let i = 0; i < rounds; i++) {
    const bytes = mutate(seeds);
    try {
      fuzz(bytes);
    } catch (error) {
      return `${Buffer.from(bytes).toString('hex')}: ${error instanceof Error ? error.stack : error}`;
    }
  }
  return null;
}
