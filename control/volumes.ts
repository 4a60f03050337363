// What has passed under pairs of SAs, for lifetimes by volume and sequence numbers that come to an end: the packet path counts, this looks now and then.

import type { SnapshotHead } from '../dataplane/tables/message.js';
import type { Ms } from './actions.js';
import type { Router } from './router.js';
import { sequenceOf, volumeOf } from './snapshot/ipsec-pairs.js';

/** @param dataplane null = it does not answer: nothing is known */
export function noteVolumes(router: Router, dataplane: SnapshotHead | null, now: Ms): void {
  if (dataplane === null) return;
  for (const pair of [...router.ipsec.pairs]) {
    router.perform(router.ipsec.noteVolume(pair.inboundSpi, volumeOf(pair, { dataplane }), now), now);
    router.perform(router.ipsec.noteSequence(pair.outboundSpi, sequenceOf(pair, dataplane), now), now);
  }
}
