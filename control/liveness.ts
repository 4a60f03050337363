// Says to the supervisor that control works, and how the router is. beat() is called by the very tick that the engines live by: when ticks
// stop, so do the signs of life.

import type { Ms } from './actions.js';

const BeatMs: Ms = 2000;

/** One line of what is missing, for an operator's status line. */
export function describeMissing(missing: readonly string[]): string {
  if (missing.length === 0) return 'ready';
  return missing.length === 1 ? `waiting: ${missing[0]}` : `waiting: ${missing[0]} (and ${missing.length - 1} more)`;
}

export class Liveness {
  private saidAt = Number.NEGATIVE_INFINITY;
  private isReady = false;

  /** Call with every tick. @param missing tells what keeps the router from being ready */
  beat(missing: () => string[], now: Ms = performance.now()): void {
    if (now - this.saidAt < BeatMs) return;
    this.saidAt = now;
    tell({ state: 'alive', status: describeMissing(missing()) });
  }

  /** The first tables are in force. */
  ready(): void {
    if (this.isReady) return;
    this.isReady = true;
    tell({ state: 'ready' });
  }

  reloaded(): void {
    tell({ state: 'reloaded' });
  }
}

function tell(message: object): void {
  if (process.send && process.connected) process.send(message, () => undefined); // a supervisor that is gone is told by the end of stdin
}
