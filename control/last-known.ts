// What /metrics and `show` go by when the dataplane is late.

import type { SnapshotHead } from '../dataplane/tables/message.js';
import type { DataplaneLink } from './dataplane-link.js';

/**
 * @returns asks for the dataplane's counters; while one that is there does not answer in time, what it said last: its counters have not begun anew, and a
 * reader that takes differences must not see them at 0. null = none is there
 */
export function lastKnown(link: Pick<DataplaneLink, 'snapshot' | 'connected'>): () => Promise<SnapshotHead | null> {
  let last: SnapshotHead | null = null;
  return async () => {
    const head = await link.snapshot();
    if (head !== null || !link.connected) last = head;
    return last;
  };
}
