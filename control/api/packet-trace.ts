// The answer of packet-tracer (POST /packet-tracer), as the cli renders it and `json` prints it.

import { z } from 'zod';

/** A line of the configuration. @param line 0 = none: what a key server sent, or a default */
const configLine = z.object({ line: z.number(), text: z.string() });

/** A packet as it stood somewhere. */
export const shownPacket = z.object({
  source: z.string(),
  destination: z.string(),
  protocol: z.string(),
  /** null where there is none. */
  sourcePort: z.number().nullable(),
  destinationPort: z.number().nullable(),
  tos: z.number(),
  ttl: z.number(),
  bytes: z.number(),
  dontFragment: z.boolean(),
});

const phase = z.object({
  number: z.number(),
  /** `ROUTE-LOOKUP`, `NAT`, `ACCESS-LIST`, ... as ASA names them. */
  type: z.string(),
  subtype: z.string(),
  result: z.enum(['ALLOW', 'DROP']),
  config: z.array(configLine),
  information: z.array(z.string()),
  /** The stage's file, and the packet in front of it and behind it. */
  stage: z.string(),
  before: shownPacket,
  after: shownPacket,
  /** Rows of the tables that matched. */
  rows: z.object({ accessList: z.array(z.number()), nat: z.array(z.number()), policy: z.array(z.number()) }),
});

const end = z.object({ interface: z.string(), status: z.enum(['up', 'down']) });

export const packetTraceSchema = z.object({
  phases: z.array(phase),
  result: z.object({
    input: end,
    /** null: it does not leave, or is for the router itself. */
    output: end.nullable(),
    action: z.enum(['allow', 'drop']),
    /** Name of the drop counter and its help. */
    dropReason: z.object({ name: z.string(), text: z.string() }).nullable(),
    /** What leaves: the packet or its fragments and copies, and ICMP errors about it. */
    sent: z.array(z.object({ interface: z.string(), link: z.string(), packet: shownPacket, made: z.boolean() })),
  }),
  generation: z.number(),
  worker: z.number(),
});

export type ConfigLine = z.infer<typeof configLine>;
export type TracePhase = z.infer<typeof phase>;
export type ShownPacket = z.infer<typeof shownPacket>;
export type PacketTrace = z.infer<typeof packetTraceSchema>;
