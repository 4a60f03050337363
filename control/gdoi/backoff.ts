// When and with whom a member tries to register again. The next key server of the list follows after a second; when none of them answered,
// the round begins anew after 1, 2, 4 .. 60 s. All of it give or take a quarter, so that the members of a group do not march in step.

import type { Ms, RandomBytes } from '../actions.js';
import { spread } from './rekey-timing.js';

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

  /** @param servers length of the list @returns how long to wait before the next server is tried */
  failed(servers: number, random: RandomBytes): Ms {
    this.failures++;
    const rounds = this.failures / Math.max(servers, 1);
    const wait = Number.isInteger(rounds) ? Math.min(FirstMs * 2 ** Math.min(rounds - 1, 10), MaxMs) : FirstMs;
    this.server++;
    return Math.round(wait * 0.75) + spread(wait / 2000, random);
  }
}
