// Which parts of our own code inputs reach, from V8's precise coverage by way of node:inspector, in the same thread. Taking it costs
// milliseconds, so it is taken for batches of inputs; only a batch that reached something new is looked at input by input (run.ts).
//
// V8 names a block only where its count differs from that of the block around it. So what ran is kept per character of a function's source:
// the function's range, less the ranges inside it that did not run.

import { Session } from 'node:inspector';

interface Range {
  startOffset: number;
  endOffset: number;
  count: number;
}
interface ScriptCoverage {
  scriptId: string;
  url: string;
  functions: { ranges: Range[] }[];
}
type Reached = Map<string, Uint8Array>;

function charactersOf([outer, ...inner]: Range[]): Uint8Array {
  const characters = new Uint8Array(outer.endOffset - outer.startOffset).fill(outer.count > 0 ? 1 : 0);
  // Ranges inside others come behind them.
  for (const { startOffset, endOffset, count } of inner)
    characters.fill(count > 0 ? 1 : 0, startOffset - outer.startOffset, endOffset - outer.startOffset);
  return characters;
}

export class Coverage {
  private readonly known: Reached = new Map();
  private readonly session = new Session();

  constructor() {
    this.session.connect();
    this.session.post('Profiler.enable');
    this.session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
    this.take();
  }

  /** Characters of source that ran at least once. */
  get size(): number {
    let sum = 0;
    for (const characters of this.known.values()) for (const ran of characters) sum += ran;
    return sum;
  }

  /** What ran since the last call. It counts as known only after add(). */
  take(): Reached {
    const reached: Reached = new Map();
    this.session.post('Profiler.takePreciseCoverage', (error, answer) => {
      if (error) throw error;
      for (const script of (answer as unknown as { result: ScriptCoverage[] }).result) {
        if (!/\/dist\/(control|cli|dataplane)\//.test(script.url)) continue;
        for (const { ranges } of script.functions) {
          if (ranges[0].count > 0) reached.set(`${script.scriptId}:${ranges[0].startOffset}-${ranges[0].endOffset}`, charactersOf(ranges));
        }
      }
    });
    return reached;
  }

  hasNews(reached: Reached): boolean {
    for (const [name, characters] of reached) {
      const known = this.known.get(name);
      if (!known || characters.some((ran, at) => ran === 1 && known[at] === 0)) return true;
    }
    return false;
  }

  add(reached: Reached): void {
    for (const [name, characters] of reached) {
      const known = this.known.get(name);
      if (!known) this.known.set(name, characters);
      else for (let at = 0; at < known.length; at++) known[at] |= characters[at];
    }
  }

  close(): void {
    this.session.disconnect();
  }
}
