// What is around the table of NAT sessions: its hash, whom the table tells, which ports are not its.

/** Mixes a key well enough for a table. @param aFactor, @param bFactor odd; secret where nobody is to choose keys that meet */
export function mix(a: number, b: number, c: number, d: number, aFactor: number, bFactor: number): number {
  let hash = Math.imul(a, aFactor) ^ Math.imul(b, bFactor);
  hash = Math.imul(hash ^ (hash >>> 15) ^ c, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 13) ^ d, 0x27d4eb2f);
  return hash ^ (hash >>> 16);
}

/** Whoever wants to know that a session has ended, before its row is another's. */
export interface SessionWatcher {
  /** @param at word of the row */
  ended(at: number): void;
}

/** What comes for these UDP ports of our own never enters the pipeline (port/rules.ts). */
export const enum ControlPort {
  Ike = 500,
  IkeNatT = 4500,
  Gdoi = 848,
}
