// Pieces of the snapshot's schema that several parts use.

import { z } from 'zod';

/** Of things that happened. */
export const count = z.number().nonnegative();
export const seconds = z.number();

const portMatch = z.object({ operator: z.enum(['eq', 'neq', 'gt', 'lt', 'range']), ports: z.array(z.number()) });

/** One ACE. `protocol` null = ip. Wildcards as in the configuration: set bits are not compared. */
export const aceState = z.object({
  sequence: z.number().nullable(),
  action: z.enum(['permit', 'deny']),
  protocol: z.number().nullable(),
  source: z.string(),
  sourceWildcard: z.string(),
  destination: z.string(),
  destinationWildcard: z.string(),
  sourcePort: portMatch.nullable(),
  destinationPort: portMatch.nullable(),
  /** null where hits are not counted. */
  hits: count.nullable(),
});
