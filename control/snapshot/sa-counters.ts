// Counters of an SA, as the dataplane has them.

import { SaCount } from '../../dataplane/counters/declare.js';
import type { SnapshotHead } from '../../dataplane/tables/message.js';
import type { SaCounters } from '../api/snapshot.js';

export const noCounters: SaCounters = {
  sealedPackets: 0,
  sealedBytes: 0,
  openedPackets: 0,
  openedBytes: 0,
  replayDrops: 0,
  integrityDrops: 0,
  sendErrors: 0,
  receiveErrors: 0,
};

/** Zero when the dataplane does not have it. @param serial 0 = none */
export function countersOfSerial(serial: number, dataplane: SnapshotHead | null): SaCounters {
  const counted = dataplane?.sas.find((sa) => sa.serial === serial)?.counters;
  if (!counted) return noCounters;
  return {
    sealedPackets: counted[SaCount.SealedPackets],
    sealedBytes: counted[SaCount.SealedBytes],
    openedPackets: counted[SaCount.OpenedPackets],
    openedBytes: counted[SaCount.OpenedBytes],
    replayDrops: counted[SaCount.ReplayDrops],
    integrityDrops: counted[SaCount.IntegrityDrops],
    sendErrors: counted[SaCount.SendErrors],
    receiveErrors: counted[SaCount.ReceiveErrors],
  };
}
