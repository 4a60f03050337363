// When ticks come: at the time that the engines ask for, and never much later than the last one, whatever happens meanwhile. Ticks give the signs of life,
// so what happens often must not put them off.

import type { Ms } from './actions.js';

const LongestMs: Ms = 1000;

export class TickTimer {
  private timer: NodeJS.Timeout | null = null;
  /** Of the monotonic clock: when the timer fires, and when the last tick was. */
  private dueAt = Number.POSITIVE_INFINITY;
  private tickedAt = performance.now();

  /** @param nextAt when there is something to do next, Unix ms; Infinity = nothing @param longestMs between two ticks */
  constructor(
    private readonly tick: () => void,
    private readonly nextAt: () => Ms,
    private readonly longestMs = LongestMs,
  ) {}

  /** Something has happened: there may be something to do sooner. What is due is not put off: it fires, at worst with nothing to do. */
  schedule(): void {
    const now = performance.now();
    const dueAt = Math.max(now, Math.min(now + this.nextAt() - Date.now(), this.tickedAt + this.longestMs));
    if (dueAt >= this.dueAt) return;
    this.close();
    this.dueAt = dueAt;
    this.timer = setTimeout(() => this.fire(), dueAt - now); // node's shortest is 1 ms
  }

  close(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.dueAt = Number.POSITIVE_INFINITY;
  }

  private fire(): void {
    this.timer = null;
    this.dueAt = Number.POSITIVE_INFINITY;
    this.tickedAt = performance.now();
    this.tick();
    this.schedule();
  }
}
