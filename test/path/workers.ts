// Several workers of one router in one thread, their passes by turns.

import type { PathCount } from '../../dataplane/counters/declare.js';
import { allocateShared } from '../../dataplane/mem/shared.js';
import { bootId, Router, type TablesSpec } from './router.js';

/** Workers that share memory and the folder of sender state. */
export class Workers {
  readonly all: Router[];
  constructor(count: number, tables: TablesSpec) {
    const shared = allocateShared(count);
    this.all = [];
    for (let index = 0; index < count; index++) this.all.push(new Router(tables, this.all[0]?.folder, bootId, { index, shared }));
  }
  /** Passes of all in turn until none has anything to do. @returns what left by a port, by worker */
  run(port = 1): Uint8Array[][] {
    while (this.all.reduce((sum, router) => sum + router.pass(), 0) > 0);
    return this.all.map((router) => router.take()[port]);
  }
  sum(counter: PathCount): number {
    return this.all.reduce((sum, { env }) => sum + env.counters.path[counter], 0);
  }
  imbalance(): string | null {
    for (const [index, router] of this.all.entries()) {
      const wrong = router.imbalance();
      if (wrong) return `worker ${index}: ${wrong}`;
    }
    return null;
  }
}
