// What ping, traceroute and the MTU doctor tell while they run: one JSON object a line (POST /probe), as the cli renders them.

import { z } from 'zod';

/** The probe session begins: the source is there when the command named one. */
const begin = z.object({ kind: z.literal('begin'), target: z.string(), source: z.string().nullable() });

/** One echo. `mark`: IOS's character. */
const echo = z.object({
  kind: z.literal('echo'),
  size: z.number(),
  mark: z.enum(['!', '.', 'U', 'M', 'Q', '?', '&']),
  /** Of an echo that came back. */
  ms: z.number().nullable(),
  /** Who answered; null = nobody. */
  from: z.string().nullable(),
  /** Next-hop MTU that it told; 0 = none. */
  mtu: z.number(),
});

/** One probe of traceroute. `mark`: '' = a time, else what IOS prints in its place (`*`, `!A`). */
const hop = z.object({
  kind: z.literal('hop'),
  ttl: z.number(),
  from: z.string().nullable(),
  ms: z.number().nullable(),
  mark: z.string(),
  /** The last of its hop. */
  last: z.boolean(),
});

/** What one encapsulation on the way costs at the path MTU that was found. All in bytes. */
const encapsulation = z.object({
  /** `Tunnel0`, `crypto map GETVPN on GigabitEthernet0/0`. */
  name: z.string(),
  /** What is taken off, in order: `GRE with its IPv4 header` 24, ... */
  costs: z.array(z.object({ what: z.string(), bytes: z.number() })),
  /** Largest packet that goes in and fits the path. */
  largest: z.number(),
  /** In words and numbers. */
  arithmetic: z.string(),
  /** `ip mtu` by the rule of thumb 24 + 56; null where it says nothing. */
  ruleOfThumb: z.number().nullable(),
  /** Where the lines belong. */
  interface: z.string(),
  lines: z.array(z.string()),
});

const path = z.object({
  kind: z.literal('path'),
  target: z.string(),
  /** null = the target answers nothing. */
  pathMtu: z.number().nullable(),
  /** Largest datagram that the way out of this router takes. */
  localMtu: z.number().nullable(),
  /** Was ICMP 3/4 heard about what was too long? null = nothing was. */
  icmp: z.enum(['heard', 'blocked']).nullable(),
  /** Who told that it must be smaller, and the MTU it told. */
  told: z.object({ from: z.string(), mtu: z.number() }).nullable(),
  /** The hop behind which it shrinks; null = unknown, or it does not. */
  shrinksBehind: z.object({ ttl: z.number(), address: z.string() }).nullable(),
  hops: z.array(z.object({ ttl: z.number(), address: z.string().nullable(), large: z.boolean() })),
  probes: z.number(),
  encapsulations: z.array(encapsulation),
  /** Crypto map and interface when this router encrypts what it sends there. */
  encryptedBy: z.string().nullable(),
});

const failed = z.object({ kind: z.literal('failed'), text: z.string() });

export const probeEventSchema = z.discriminatedUnion('kind', [begin, echo, hop, path, failed]);

export type ProbeEvent = z.infer<typeof probeEventSchema>;
export type EchoEvent = z.infer<typeof echo>;
export type HopEvent = z.infer<typeof hop>;
export type PathEvent = z.infer<typeof path>;
export type Encapsulation = z.infer<typeof encapsulation>;
