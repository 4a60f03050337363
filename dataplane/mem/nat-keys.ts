// What is around the table of NAT sessions: whom the table tells, which ports are not its.

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
