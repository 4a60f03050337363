// The snapshot's part about packets that were followed (`debug platform packet-trace`).

import { z } from 'zod';
import { shownPacket } from './packet-trace.js';
import { count } from './snapshot-parts.js';

const step = z.object({
  /** As packet-tracer names phases; `INPUT`, `OUTPUT`, `TUNNEL` where it has none. */
  type: z.string(),
  subtype: z.string(),
  interface: z.string(),
  packet: shownPacket,
  information: z.array(z.string()),
});

const followed = z.object({
  /** Where it was seen first and last. */
  input: z.string(),
  output: z.string().nullable(),
  state: z.enum(['FWD', 'DROP', 'PUNT', 'HELD']),
  /** Name of the drop counter and its help. */
  reason: z.object({ name: z.string(), text: z.string() }).nullable(),
  /** Unix microseconds. */
  begin: z.number(),
  end: z.number(),
  steps: z.array(step),
});

export const packetTraceState = z.object({
  active: z.boolean(),
  wanted: count,
  accessList: z.string().nullable(),
  packets: z.array(followed),
});
export type PacketTraceState = z.infer<typeof packetTraceState>;
export type FollowedPacket = z.infer<typeof followed>;
export type FollowedStep = z.infer<typeof step>;
