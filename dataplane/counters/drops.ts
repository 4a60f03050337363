// The drops block: a cell for each port and reason, so that rows and columns add up to one total. The reason says which of a packet's two ports lost it.
//
//   port 0: Drop.Count cells | port 1: Drop.Count cells | ...

import { Drop } from './declare.js';

/** Dropped where it was to be sent: counted at the port that it would have left by. All others are counted at the port that it came by. */
export function isSendDrop(reason: Drop): boolean {
  return (
    reason === Drop.TxFull ||
    reason === Drop.TxError ||
    reason === Drop.AclOut ||
    (reason >= Drop.PoliceOut && reason <= Drop.QueueNoBuffer)
  );
}

/** @param cells of the block @returns packets by Drop, all ports together */
export function dropsByReason(cells: ArrayLike<number>): number[] {
  const sums = new Array<number>(Drop.Count).fill(0);
  for (let i = 0; i < cells.length; i++) sums[i % Drop.Count] += cells[i];
  return sums;
}
