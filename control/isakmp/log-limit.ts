// Logs about messages that anybody can send: a few at once, then one per interval with the number left out, per mnemonic.

import type { Action, Ms, Severity } from '../actions.js';

const Burst = 5;
const IntervalMs = 10_000;

interface Bucket {
  tokens: number;
  filledAt: Ms;
  left: number;
}

export class LogLimit {
  private readonly buckets = new Map<string, Bucket>();

  /** @returns one log action, or none */
  log(severity: Severity, mnemonic: string, text: string, now: Ms): Action[] {
    const bucket = this.buckets.get(mnemonic) ?? { tokens: Burst, filledAt: now, left: 0 };
    this.buckets.set(mnemonic, bucket);
    // A clock that was set back must not silence the log: only forward steps count, and the start moves with it.
    const gained = Math.max(0, Math.floor((now - bucket.filledAt) / IntervalMs));
    if (gained > 0 || now < bucket.filledAt) {
      bucket.tokens = Math.min(Burst, bucket.tokens + gained);
      bucket.filledAt = now;
    }
    if (bucket.tokens === 0) {
      bucket.left++;
      return [];
    }
    bucket.tokens--;
    const suffix = bucket.left > 0 ? ` (${bucket.left} more like this not logged)` : '';
    bucket.left = 0;
    return [{ kind: 'log', facility: 'CRYPTO', severity, mnemonic, text: text + suffix }];
  }
}
