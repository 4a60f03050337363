// When is a router ready? Interfaces applied, UDP 848 bound, every member group registered, every local key server serving.

import type { Ms } from './actions.js';
import type { Router } from './router.js';

export interface DataplaneState {
  connected: boolean;
  /** Of the last applied tables, 0 = none. */
  generation: number;
  errors: readonly string[];
  /** Local addresses on which UDP 848 is not bound yet. */
  unboundAddresses: readonly string[];
  /** Multicast groups of rekeys that are not joined yet. */
  unjoinedGroups: readonly string[];
}

/** @returns one line per thing that is missing; empty = ready */
export function findMissing(router: Router, dataplane: DataplaneState, now: Ms): string[] {
  const missing: string[] = [];
  if (!dataplane.connected) missing.push('the dataplane is not running');
  missing.push(...dataplane.errors);
  if (router.tables !== null && dataplane.generation < router.tables.head.generation)
    missing.push('the newest tables are not in force yet');
  const usesIke = router.config.gdoiGroups.size > 0;
  if (usesIke) for (const address of dataplane.unboundAddresses) missing.push(`UDP 848 is not bound on ${address}`);
  for (const group of dataplane.unjoinedGroups) missing.push(`rekeys are not received yet: multicast group ${group} is not joined`);
  for (const group of router.gdoi.memberGroups()) {
    if (!router.gdoi.policyOf(group.name).teks.some((tek) => tek.expiresAt > now)) missing.push(`group ${group.name} is not registered`);
  }
  for (const group of router.gdoi.serverGroups()) if (!group.serving) missing.push(`group ${group.name} is not serving`);
  return missing;
}
