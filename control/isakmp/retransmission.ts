// When to repeat the last message of an exchange: after 1, 2, 4, 8 and 16 s, give or take a quarter; five sendings in all (RFC 2408 §5.1
// asks for a retry counter and suggests adapting the interval). The jitter keeps the members of a group apart after a power cut.

import type { Ms, RandomBytes } from '../actions.js';

const FirstMs = 1000;
const Sendings = 5;

export class Retransmission {
  /** When the next repetition, or giving up, is due. */
  due: Ms;
  private sent = 1;

  /** @param now of the first sending */
  constructor(
    private readonly random: RandomBytes,
    now: Ms,
  ) {
    this.due = now + this.delay();
  }

  /** Call when `due` has come. @returns false when it is time to give up */
  again(now: Ms): boolean {
    if (this.sent >= Sendings) return false;
    this.sent++;
    this.due = now + this.delay();
    return true;
  }

  private delay(): Ms {
    const jitter = 0.75 + this.random(1)[0] / 512;
    return Math.round(FirstMs * 2 ** (this.sent - 1) * jitter);
  }
}
