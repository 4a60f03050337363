// How much work something is, counted instead of timed, so that the count is the same on every machine: blocks of our code that ran (V8's
// precise coverage: a loop over all members counts every turn) and calls of node:crypto. Import it before what is counted: only what is
// compiled after coverage began has counters in its blocks.

import { Session } from 'node:inspector';
import { createRequire, syncBuiltinESMExports } from 'node:module';

export interface Work {
  /** Blocks of control/ that ran, each time counted. */
  blocks: number;
  /** Calls of node:crypto by name. */
  crypto: Record<string, number>;
}

const counted = [
  'createCipheriv',
  'createDecipheriv',
  'createECDH',
  'createHash',
  'createHmac',
  'createPublicKey',
  'createSecretKey',
  'publicDecrypt',
  'sign',
];

export class WorkCounter {
  private readonly session = new Session();
  private work: Work = { blocks: 0, crypto: {} };
  private open = false;
  private counting = false;

  constructor() {
    const crypto = createRequire(import.meta.url)('node:crypto') as Record<string, (...args: unknown[]) => unknown>;
    for (const name of counted) {
      const original = crypto[name];
      crypto[name] = (...args) => {
        if (this.counting) this.work.crypto[name] = (this.work.crypto[name] ?? 0) + 1;
        return original(...args);
      };
    }
    syncBuiltinESMExports();
    this.session.connect();
    this.session.post('Profiler.enable');
    this.session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** Counts what `run` does, between start() and take(). What is done outside is not counted. */
  readonly around = (run: () => void): void => {
    if (!this.open) {
      run();
      return;
    }
    this.blocks();
    this.counting = true;
    run();
    this.counting = false;
    this.work.blocks += this.blocks();
  };

  start(): void {
    this.work = { blocks: 0, crypto: {} };
    this.open = true;
  }

  take(): Work {
    this.open = false;
    return this.work;
  }

  /** Since the last call. */
  private blocks(): number {
    let sum = 0;
    this.session.post('Profiler.takePreciseCoverage', (error, { result }) => {
      if (error) throw error;
      for (const { url, functions } of result) {
        if (!url.includes('/dist/control/')) continue;
        for (const { ranges } of functions) for (const { count } of ranges) sum += count;
      }
    });
    return sum;
  }
}
