// What is around the table of NAT sessions: where the search for a port begins, whom the table tells, which ports are not its.

/** Mixes a key well enough to begin a search at. */
export function mix(a: number, b: number, c: number, d: number): number {
  let hash = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b);
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
