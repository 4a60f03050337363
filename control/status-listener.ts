// `--metrics`: /metrics and the status page, with what they need of the router.

import { hostname } from 'node:os';
import type { CounterSet } from './api/counters.js';
import { type MetricsServer, splitAddress, startMetrics } from './api/metrics.js';
import type { Snapshot } from './api/snapshot.js';
import { args, fail } from './arguments.js';
import type { SystemLog } from './log.js';
import type { Router } from './router.js';

export interface StatusMeans {
  router: Router;
  counters: CounterSet;
  log: SystemLog;
  snapshot: () => Promise<Snapshot>;
  /** Something is to be done now. */
  wake: () => void;
}

/** @returns null when it is off, or cannot be */
export async function startStatusListener({ router, counters, log, snapshot, wake }: StatusMeans): Promise<MetricsServer | null> {
  if (args.metrics === 'off') return null;
  const where = splitAddress(args.metrics) ?? fail(`--metrics ${args.metrics}: expected ADDRESS:PORT or off`);
  const names = (): string[] => {
    const { hostname: name, domainName } = router.config;
    return [hostname(), name, ...(domainName === null ? [] : [`${name}.${domainName}`])];
  };
  const looked = (): void => {
    router.watch.look(Date.now());
    wake();
  };
  return startMetrics({ ...where, instance: args.instance, names, snapshot, counters, looked, log });
}
