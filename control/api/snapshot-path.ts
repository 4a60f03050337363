// Parts of the snapshot: path MTUs, searches for them, and fragments.

import { z } from 'zod';
import { count, seconds } from './snapshot-parts.js';

export const pathMtuState = z.object({
  /** Of the outer header. */
  destination: z.string(),
  /** null: for what is encrypted to that destination. */
  tunnel: z.string().nullable(),
  mtu: z.number(),
  /** Who told; null = this router itself. */
  router: z.string().nullable(),
  ageSeconds: count,
  /** null = it does not expire. */
  remainingSeconds: count.nullable(),
  /** Since it was last asked; null = never. */
  usedAgoSeconds: count.nullable().optional(),
});

/** Bounds of virtual reassembly on an interface, by worker. */
export const reassemblyState = z.object({
  interface: z.string(),
  datagrams: count,
  /** Of a datagram; null = any. */
  fragments: count.nullable(),
  timeoutSeconds: seconds,
  dropFragments: z.boolean(),
});

/** One search for a path MTU (control/probe/path-search.ts). */
export const pathSearchState = z.object({
  destination: z.string(),
  interface: z.string(),
  state: z.enum(['disabled', 'base', 'searching', 'search-complete', 'error']),
  /** Confirmed; null = nothing yet. */
  mtu: z.number().nullable(),
  /** Probes. */
  sent: count,
  answered: count,
  lost: count,
  blackHoles: count,
});

export type PathMtuState = z.infer<typeof pathMtuState>;
export type PathSearchState = z.infer<typeof pathSearchState>;
export type ReassemblyState = z.infer<typeof reassemblyState>;
