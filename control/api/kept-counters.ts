// Control's counters over a restart of control alone. What somebody has seen must not go back, so whoever is about to show them keeps them first: a small file
// in the runtime directory, with the run of the router that it belongs to (run-record.ts). What was counted after that and was never shown may be lost with the process.

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import type { CounterSet } from './counters.js';

const schema = z.object({ run: z.string(), counts: z.record(z.string(), z.number().nonnegative()) });

export class KeptCounters {
  private kept = '';
  private isReported = false;

  constructor(
    private readonly path: string,
    private readonly run: string,
    private readonly counters: CounterSet,
    /** Told once why they cannot be kept: they are shown all the same. */
    private readonly report: (reason: string) => void,
  ) {}

  /** Goes on where the process before stopped, if it was of this run. A file that cannot be read counts as none. */
  restore(): void {
    let text: string;
    try {
      text = readFileSync(this.path, 'utf8');
    } catch {
      return;
    }
    const kept = schema.safeParse(parseJson(text));
    if (kept.success && kept.data.run === this.run) this.counters.restore(kept.data.counts);
  }

  /** Before they are shown. */
  keep(): void {
    const counts = Object.fromEntries(this.counters.values().map(({ name, value }) => [name, value]));
    const text = JSON.stringify({ run: this.run, counts });
    if (text === this.kept) return;
    try {
      writeFileSync(`${this.path}.new`, text, { mode: 0o600 });
      renameSync(`${this.path}.new`, this.path); // one or the other is there, whole, whenever we are killed
      this.kept = text;
    } catch (error) {
      if (!this.isReported) this.report((error as Error).message);
      this.isReported = true;
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
