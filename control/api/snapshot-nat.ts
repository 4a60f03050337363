// NAT in the snapshot, and translations, which are fetched apart from it (GET /nat): there may be many.

import { z } from 'zod';
import { count, seconds } from './snapshot-parts.js';

/** One `ip nat inside source` statement. */
const natMapping = z.object({
  /** In order of the configuration, from 1. */
  id: z.number(),
  source: z.enum(['list', 'route-map']),
  name: z.string(),
  /** Whose primary address is the inside global one. */
  interface: z.string(),
});

export const natState = z.object({
  /** Interfaces. */
  inside: z.array(z.string()),
  outside: z.array(z.string()),
  mappings: z.array(natMapping),
  /** As `ip nat translation` names them; null = never. */
  timeouts: z.record(z.string(), seconds.nullable()),
  /** null = as many as fit. */
  maxEntries: z.number().nullable(),
});

const natTranslation = z.object({
  /** In the words of the configuration: `tcp`, `udp`, `icmp`, `gre`, a number where it has none. */
  protocol: z.string(),
  /** `a.b.c.d:port`, for ICMP queries with the identifier; `a.b.c.d` for protocols without ports. */
  insideGlobal: z.string(),
  insideLocal: z.string(),
  outsideLocal: z.string(),
  outsideGlobal: z.string(),
  createdSecondsAgo: seconds,
  usedSecondsAgo: seconds,
  /** How long it may be idle now; null = forever. */
  timeoutSeconds: seconds.nullable(),
  state: z.enum(['other', 'udp', 'dns', 'icmp', 'syn', 'established', 'finrst']),
  /** Of `ip nat inside source`; null = the router's own traffic, which keeps its address and whose ports are taken. */
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
