// Class-maps and policy-maps in the snapshot. Lines are in the words of `show`.

import { z } from 'zod';

export const classMapState = z.object({
  name: z.string(),
  match: z.enum(['any', 'all']),
  description: z.string().nullable(),
  /** Behind `Match`; empty: it matches nothing. */
  matches: z.array(z.string()),
});

const policyClassState = z.object({ name: z.string(), /** What is done to its packets. */ actions: z.array(z.string()) });

export const policyMapState = z.object({
  name: z.string(),
  description: z.string().nullable(),
  classes: z.array(policyClassState),
});

/** Both in the order of the configuration. */
export const qosState = z.object({ classMaps: z.array(classMapState), policyMaps: z.array(policyMapState) });

export type ClassMapState = z.infer<typeof classMapState>;
export type PolicyMapState = z.infer<typeof policyMapState>;
export type QosState = z.infer<typeof qosState>;
