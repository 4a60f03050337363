// The snapshot's part about phase 1: its SAs, and what bounds their number. No field can hold a key.

import { z } from 'zod';
import { count, seconds } from './snapshot-parts.js';

export const isakmpSaState = z.object({
  /** As IOS prints it: responder, then initiator; of a rekey SA where rekeys go, then where they come from. */
  destination: z.string(),
  source: z.string(),
  /** IOS names: `MM_NO_STATE`, `MM_SA_SETUP`, `MM_KEY_EXCH`, `GDOI_IDLE`, `GDOI_REKEY`, ... */
  state: z.string(),
  connectionId: z.number(),
  /** `ACTIVE`, `ACTIVE (deleted)`. */
  status: z.string(),
  local: z.string(),
  localPort: z.number(),
  remote: z.string(),
  remotePort: z.number(),
  /** null before it is agreed. */
  suite: z
    .object({
      encryption: z.enum(['des', '3des', 'aes-128', 'aes-192', 'aes-256']),
      hash: z.enum(['md5', 'sha', 'sha256', 'sha384', 'sha512']),
      authentication: z.enum(['pre-share', 'rsa-sig']),
      /** 0 of a rekey SA: its key came from the key server. */
      group: z.number(),
    })
    .nullable(),
  /** null before it is up. */
  ageSeconds: seconds.nullable(),
  remainingSeconds: seconds.nullable(),
  /** IOS's letters: D dead peer detection, N NAT traversal. */
  capabilities: z.string(),
  /** Who the peer says it is: an address or a name; null before it is up, and of a rekey SA. */
  phase1Id: z.string().nullable(),
  /** ISAKMP profile that the peer matches; absent = none. */
  profile: z.string().optional(),
});

/** What bounds phase 1, as configured or fixed. What it came to is in `counters.control`. */
export const admissionState = z.object({
  /** `crypto call admission limit ike rate`. */
  ratePerSecond: count,
  /** Exchanges that others began and did not finish. */
  mostNegotiating: count,
  mostNegotiatingPerAddress: count,
});

/** A local number for a KEK, from its SPI, in the range of IOS's. */
export function rekeyConnectionId(spi: string): number {
  return 1000 + (Number.parseInt(spi.slice(0, 8), 16) % 60_000);
}
