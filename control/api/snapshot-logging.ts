// The snapshot's part about logging and debugging. Log lines never hold a secret.

import { z } from 'zod';
import { count } from './snapshot-parts.js';

/** null = this place takes nothing. */
const severity = z.string().nullable();

export const loggingState = z.object({
  enabled: z.boolean(),
  /** Messages that a file or a server could not take. */
  dropped: count,
  console: z.object({ severity, messages: count }),
  buffered: z.object({ severity, messages: count, bytes: count }),
  file: z.object({ path: z.string(), severity, messages: count }).nullable(),
  trap: z.object({ severity, messages: count }),
  facility: z.string(),
  hosts: z.array(z.object({ address: z.string(), port: z.number() })),
  /** The buffer, oldest first. */
  lines: z.array(z.string()),
});
export type LoggingState = z.infer<typeof loggingState>;

/** One line of `show debugging` each. */
export const debuggingState = z.array(z.string());
