// Pieces of the snapshot's schema that several parts use.

import { z } from 'zod';
import { tcpFlags } from '../config/model.js';

/** Of things that happened. */
export const count = z.number().nonnegative();
export const seconds = z.number();

/** What entries of extended lists may ask besides, in the configuration's terms; see AclEntry (config/model-acl.ts). */
const aceOptions = {
  serviceGroup: z.string().optional(),
  sourceGroup: z.string().optional(),
  destinationGroup: z.string().optional(),
  icmp: z.object({ type: z.number(), code: z.number().nullable() }).optional(),
  established: z.literal(true).optional(),
  flags: z.object({ mode: z.enum(['any', 'all']), set: z.array(z.enum(tcpFlags)), clear: z.array(z.enum(tcpFlags)) }).optional(),
  dscp: z.number().optional(),
  precedence: z.number().optional(),
  tos: z.number().optional(),
  fragments: z.literal(true).optional(),
  log: z.enum(['log', 'log-input']).optional(),
};

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
  ...aceOptions,
  /** null where hits are not counted. */
  hits: count.nullable(),
});
