// Route-maps in the snapshot, and where they route by policy.

import { z } from 'zod';
import { count } from './snapshot-parts.js';

export const routeMapState = z.object({
  name: z.string(),
  sequence: z.number(),
  action: z.enum(['permit', 'deny']),
  description: z.string().nullable(),
  /** `match ip address`. */
  accessLists: z.array(z.string()),
  /** `match interface`. */
  interfaces: z.array(z.string()),
  /** `match length`, bytes. */
  length: z.tuple([z.number(), z.number()]).optional(),
  /** In the words of the configuration, without `set`. */
  set: z.array(z.string()).optional(),
  /** `continue`; null = with the entry behind it. */
  continueTo: z.number().nullable().optional(),
  /** What policy routing by it has matched, all interfaces together. Absent: it is not used for that. */
  matched: z.object({ packets: count, bytes: count }).optional(),
});

/** `ip policy route-map`; interface null = `ip local policy`. */
export const policyState = z.object({ interface: z.string().nullable(), routeMap: z.string() });

export type RouteMapState = z.infer<typeof routeMapState>;
export type PolicyState = z.infer<typeof policyState>;
