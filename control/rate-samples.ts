// What is averaged over five minutes, taken every few seconds: interfaces and classes of service policies.

import type { SnapshotHead } from '../dataplane/tables/message.js';
import type { RateMeter } from './api/rates.js';
import type { Router } from './router.js';
import { interfaceStates } from './snapshot/interfaces.js';
import { sampleQosRates } from './snapshot/qos-interfaces.js';

/** @param dataplane null = it did not answer in time: nothing is known, which is not the same as nothing counted @param now Unix ms */
export function sampleRates(rates: RateMeter, router: Router, dataplane: SnapshotHead | null, now: number): void {
  if (dataplane === null) return;
  for (const { name, counters } of interfaceStates(router.config, router.allocation, dataplane)) rates.sample(name, now, counters);
  if (router.tables) sampleQosRates(rates, router.tables.qosOrigins, dataplane.qos, now);
}
