// What `GET /ready` answers.

import { z } from 'zod';

/** `missing` says in words what is not there yet, one thing per entry. */
export const readySchema = z.object({ ready: z.boolean(), missing: z.array(z.string()) });
export type Ready = z.infer<typeof readySchema>;
