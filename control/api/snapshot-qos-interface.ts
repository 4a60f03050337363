// Service-policies at work, in the snapshot: what each class of an interface is to do, and what it has counted.

import { z } from 'zod';

const count = z.number().nonnegative();
const pair = z.object({ packets: count, bytes: count });

const policed = z.object({ action: z.string(), counted: pair });
const policeState = z.object({
  cirBps: count,
  bcBytes: count,
  /** null = one rate. */
  pirBps: count.nullable(),
  beBytes: count,
  conformed: policed,
  exceeded: policed,
  /** null = two colours. */
  violated: policed.nullable(),
});

const redRow = z.object({
  /** DSCP or precedence, by name. */
  name: z.string(),
  sent: pair,
  random: pair,
  tail: pair,
  ecnMarked: pair,
  least: count,
  most: count,
  markDenominator: count,
});
const redState = z.object({
  by: z.enum(['dscp', 'precedence']),
  ecn: z.boolean(),
  weight: count,
  meanPackets: count,
  rows: z.array(redRow),
});

/** Time in the queue, microseconds: half, and 99 of 100, of the packets waited less; null when none has. */
const waitState = z.object({
  p50Us: count.nullable(),
  p99Us: count.nullable(),
  /** Packets that waited less than so many microseconds, more and more. */
  buckets: z.array(z.object({ belowUs: count, packets: count })),
});

const queueState = z.object({
  limit: count,
  unit: z.enum(['packets', 'bytes']),
  /** As `show` words it; null = none. */
  bandwidth: z.string().nullable(),
  shape: z.object({ bps: count, bc: count, be: count }).nullable(),
  /** Packets of a flow; null = no fair-queue. */
  flowLimit: count.nullable(),
});

const priorityState = z.object({
  level: z.union([z.literal(1), z.literal(2)]),
  percent: count.nullable(),
  kbps: count.nullable(),
  burstBytes: count.nullable(),
});

const classBase = z.object({
  name: z.string(),
  match: z.enum(['any', 'all']),
  matches: z.array(z.string()),
  /** offered = sent + drops + queued. */
  offered: pair,
  sent: pair,
  queued: pair,
  drops: z.object({ police: pair, tail: pair, random: pair, overRate: pair, noBuffer: pair }),
  marked: count,
  ecnMarked: count,
  /** Five-minute averages, null when not measured yet. */
  rates: z.object({ offeredBps: count, dropBps: count }).nullable(),
  /** null = its packets wait with those of class-default, or nowhere. */
  queue: queueState.nullable(),
  priority: priorityState.nullable(),
  wait: waitState,
  police: policeState.nullable(),
  red: redState.nullable(),
  /** `dscp ef`. */
  set: z.array(z.string()),
});

export type ClassAtWork = z.infer<typeof classBase> & { policy: PolicyAtWork | null };
export interface PolicyAtWork {
  name: string;
  classes: ClassAtWork[];
}

const policyAtWork: z.ZodType<PolicyAtWork> = z.lazy(() =>
  z.object({ name: z.string(), classes: z.array(classBase.extend({ policy: policyAtWork.nullable() })) }),
);

export const policyInterfaceState = z.object({
  interface: z.string(),
  direction: z.enum(['input', 'output']),
  policy: policyAtWork,
});
export type PolicyInterfaceState = z.infer<typeof policyInterfaceState>;
