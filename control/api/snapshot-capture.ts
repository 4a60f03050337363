// The snapshot's part about `monitor capture`.

import { z } from 'zod';
import { count } from './snapshot-parts.js';

export const captureState = z.object({
  name: z.string(),
  /** An interface, or `inner`, `outer`, `both`. */
  target: z.string(),
  accessList: z.string().nullable(),
  file: z.string(),
  limits: z.object({ packets: count, bytes: count, seconds: count }),
  active: z.boolean(),
  /** Why it has ended, null while it is active. */
  ended: z.string().nullable(),
  /** Unix ms. */
  startedAt: z.number(),
  endedAt: z.number().nullable(),
  /** In the file. */
  packets: count,
  bytes: count,
  /** Of them, those that were dropped. */
  dropped: count,
  /** Packets that were seen, but for which the dataplane's ring had no room. */
  lost: count,
});
export type CaptureState = z.infer<typeof captureState>;
