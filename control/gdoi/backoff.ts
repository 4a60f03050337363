// When and with whom a member tries to register again: 1, 2, 4 .. 60 s, give or take a quarter, over the key servers in order.

import type { Ms, RandomBytes } from '../actions.js';

const FirstMs = 1000;
const MaxMs = 60_000;

export class Backoff {
  private failures = 0;
  private server = 0;

  /** @returns null when the list is empty */
  choose<T>(servers: readonly T[]): T | null {
    return servers.length > 0 ? servers[this.server % servers.length] : null;
  }

  /** A new registration begins with the first server. */
  restart(): void {
    this.server = 0;
  }

  succeeded(): void {
    this.failures = 0;
  }

  /** @returns how long to wait before the next server is tried */
  failed(random: RandomBytes): Ms {
    const wait = Math.min(FirstMs * 2 ** Math.min(this.failures, 10), MaxMs);
    this.failures++;
    this.server++;
    return Math.round(wait * (0.75 + random(1)[0] / 512));
  }
}
