// What a member does about ESP under an SPI that it does not have: the key server may have rekeyed without it, so it registers again. But
// anybody can send such packets (bad-input 37), so: a moment later, in case the rekey is on its way; spread, because all members may see the
// same sender; at most once a minute, and half as often each time it was in vain.

import type { Ms, RandomBytes } from '../actions.js';
import type { Ipv4 } from '../config/model.js';
import type { Tek } from './group-policy.js';
import { spread } from './rekey-timing.js';

const SpreadSeconds = 5;
const FirstQuietMs = 60_000;
const MaxQuietMs = 3_600_000;
/** SPIs of our own past: senders that switch late are no reason to register. */
const Remembered = 16;

/** Whether the group's policy protects packets between these hosts: with preserved addresses the outer header names them. */
export function covers(teks: readonly Tek[], source: Ipv4, destination: Ipv4): boolean {
  return teks.some(({ entries }) =>
    entries.some(
      (entry) =>
        entry.action === 'permit' &&
        ((source ^ entry.source) & ~entry.sourceWildcard) === 0 &&
        ((destination ^ entry.destination) & ~entry.destinationWildcard) === 0,
    ),
  );
}

export class InvalidSpi {
  /** When to register; Infinity = no reason to. */
  due: Ms = Number.POSITIVE_INFINITY;
  private spi = 0;
  private quietMs = FirstQuietMs;
  private quietUntil: Ms = 0;
  private held: number[] = [];
  private retired: number[] = [];

  /** A packet came under `spi`, which is none of ours. */
  report(spi: number, random: RandomBytes, now: Ms): void {
    if (Number.isFinite(this.due) || now < this.quietUntil || this.retired.includes(spi)) return;
    this.spi = spi;
    this.due = now + spread(SpreadSeconds, random);
  }

  /** Whenever the keys have changed: the SPI may have come by itself. */
  keysChanged(teks: readonly Tek[]): void {
    const now = teks.map(({ spi }) => spi);
    const gone = this.held.filter((spi) => !now.includes(spi));
    this.retired = [...gone, ...this.retired].slice(0, Remembered);
    this.held = now;
    if (!now.includes(this.spi)) return;
    this.due = Number.POSITIVE_INFINITY;
    this.quietMs = FirstQuietMs;
  }

  /** @returns whether to register now; the next reason is heard after the quiet time */
  take(now: Ms): boolean {
    if (this.due > now) return false;
    this.due = Number.POSITIVE_INFINITY;
    this.quietUntil = now + this.quietMs;
    this.quietMs = Math.min(this.quietMs * 2, MaxQuietMs);
    return true;
  }
}
