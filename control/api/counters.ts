// Counters of control, declared once: the engines export lists of names and help texts, control/main.ts builds one set from
// them and adds on `{ kind: 'count' }` actions. Declared means present as 0 in /metrics before the first event.

import type { CounterValue } from './snapshot.js';

export interface CounterDeclaration {
  /** snake_case without prefix or `_total`: `gdoi_rekeys_sent`. */
  name: string;
  help: string;
}

export class CounterSet {
  private readonly counts = new Map<string, { help: string; value: number }>();

  /** @throws RangeError on a name that is no Prometheus name, or is declared twice */
  constructor(...lists: readonly (readonly CounterDeclaration[])[]) {
    for (const { name, help } of lists.flat()) {
      if (!/^[a-z][a-z0-9_]*$/.test(name)) throw new RangeError(`counter name '${name}' is not snake_case`);
      if (this.counts.has(name)) throw new RangeError(`counter '${name}' is declared twice`);
      this.counts.set(name, { help, value: 0 });
    }
  }

  /** @throws RangeError on a counter that nobody declared: a mistake in the program, found by its tests */
  add(name: string, amount = 1): void {
    const counter = this.counts.get(name);
    if (!counter) throw new RangeError(`counter '${name}' is not declared`);
    counter.value += amount;
  }

  /** @returns undefined for a counter that nobody declared */
  helpOf(name: string): string | undefined {
    return this.counts.get(name)?.help;
  }

  /** What was counted before this process began. Names that nobody declares any more are passed over. */
  restore(counts: Readonly<Record<string, number>>): void {
    for (const [name, value] of Object.entries(counts)) {
      const counter = this.counts.get(name);
      if (counter) counter.value += value;
    }
  }

  /** In order of declaration. */
  values(): CounterValue[] {
    return [...this.counts].map(([name, { help, value }]) => ({ name, help, value }));
  }
}
