// traceroute as IOS prints it, while it runs: a line per hop, another one where a second router answers for the same hop.

import type { HopEvent, ProbeEvent } from '../control/api/probe-events.js';

export class TracerouteView {
  /** Who answered last in this line; null = nobody yet. */
  private from: string | null = null;
  /** What parts the next mark from what is there; null = a line begins. */
  private gap: string | null = null;

  /** @returns what is printed now */
  take(event: ProbeEvent): string {
    if (event.kind === 'begin') return `Type escape sequence to abort.\nTracing the route to ${event.target}\n\n`;
    return event.kind === 'hop' ? this.hop(event) : '';
  }

  /** @returns what is printed when it has ended, or was ended */
  end(): string {
    return this.gap === null ? '' : '\n';
  }

  private hop({ ttl, from, ms, mark, last }: HopEvent): string {
    const isOther = from !== null && this.from !== null && from !== this.from;
    const start = isOther ? '\n    ' : (this.gap ?? `${String(ttl).padStart(3)} `);
    const text = start + this.address(from) + this.mark(mark, ms);
    this.gap = last ? null : mark === '*' ? '  ' : ' ';
    if (last) this.from = null;
    return last ? `${text}\n` : text;
  }

  private mark(mark: string, ms: number | null): string {
    if (mark === '') return `${Math.round(ms ?? 0)} msec`;
    return this.gap === null && mark === '*' ? ' *' : mark;
  }

  private address(from: string | null): string {
    if (from === null || from === this.from) return '';
    this.from = from;
    return `${from} `;
  }
}
