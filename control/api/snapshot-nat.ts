// NAT in the snapshot, and translations, which are fetched apart from it (GET /nat): there may be many.

import { z } from 'zod';
import { count, seconds } from './snapshot-parts.js';

/** One dynamic statement. */
const natMapping = z.object({
  /** In order of the configuration, from 1 for inside source; other kinds have numbers of their own. */
  id: z.number(),
  use: z.enum(['inside source', 'outside source', 'inside destination']),
  source: z.enum(['list', 'route-map']),
  name: z.string(),
  /** Whose primary address is the inside global one; null = the pool's. */
  interface: z.string().nullable(),
  pool: z.string().nullable(),
  overload: z.boolean(),
});

const natPool = z.object({
  name: z.string(),
  first: z.string(),
  last: z.string(),
  netmask: z.string(),
  type: z.enum(['generic', 'rotary', 'match-host']),
  addresses: count,
});

export const natState = z.object({
  /** Interfaces. */
  inside: z.array(z.string()),
  outside: z.array(z.string()),
  mappings: z.array(natMapping),
  pools: z.array(natPool),
  /** How many static translations there are. */
  statics: count,
  /** As `ip nat translation` names them; null = never. */
  timeouts: z.record(z.string(), seconds.nullable()),
  /** null = as many as fit. */
  maxEntries: z.number().nullable(),
});

const natTranslation = z.object({
  /** In the words of the configuration: `tcp`, `udp`, `icmp`, `gre`, a number where it has none; `---` = all. */
  protocol: z.string(),
  /** `a.b.c.d:port`, for ICMP queries with the identifier; `a.b.c.d` for protocols without ports, `---` = any, `a.b.c.d/n` a network. */
  insideGlobal: z.string(),
  insideLocal: z.string(),
  outsideLocal: z.string(),
  outsideGlobal: z.string(),
  createdSecondsAgo: seconds,
  usedSecondsAgo: seconds,
  /** How long it may be idle now; null = forever. */
  timeoutSeconds: seconds.nullable(),
  /** `static`: as configured, no flow; `simple`: an address that a host has for itself, no flow. */
  state: z.enum(['other', 'udp', 'dns', 'icmp', 'syn', 'established', 'finrst', 'static', 'simple']),
  /** The statement's number; null = the router's own traffic, which keeps its address and whose ports are taken. */
  mapping: z.number().nullable(),
  /** The inside interface whose network the local address is of; null when there is none. */
  interface: z.string().nullable(),
  packetsOut: count,
  packetsIn: count,
  /** Another for each translation of a worker. */
  id: z.number(),
});

export const natTranslationsSchema = z.object({
  /** Unix ms. */
  takenAt: z.number(),
  /** How many there are: `translations` may hold fewer. */
  total: count,
  translations: z.array(natTranslation),
});

export type NatState = z.infer<typeof natState>;
export type NatTranslation = z.infer<typeof natTranslation>;
export type NatTranslations = z.infer<typeof natTranslationsSchema>;
