// The one way a packet ends without leaving: its reason is counted, with the port that lost it, and its slot is free.

import { Drop, PathCount, PortCount } from '../counters/declare.js';
import type { CounterBlocks } from './shared.js';
import type { Slots } from './slots.js';

type DropPacket = (id: number, reason: Drop) => void;

function isOfQueue(reason: Drop): boolean {
  return reason >= Drop.PoliceOut && reason <= Drop.QueueNoBuffer;
}

/** @param note told of each packet first, while its slot is as it was */
export function makeDrop(slots: Slots, counters: Pick<CounterBlocks, 'drops' | 'path' | 'ports'>, note?: DropPacket): DropPacket {
  const { rxPort, txPort } = slots;
  const { drops, path, ports } = counters;

  function drop(id: number, reason: Drop): void {
    drops[reason]++;
    path[PathCount.Dropped]++;
    if (reason === Drop.TxFull || reason === Drop.TxError || reason === Drop.AclOut || isOfQueue(reason))
      ports[txPort[id] * PortCount.Count + PortCount.TxDrops]++;
    else ports[rxPort[id] * PortCount.Count + PortCount.RxDrops]++;
    slots.release(id);
  }
  if (!note) return drop;
  return (id, reason) => {
    note(id, reason);
    drop(id, reason);
  };
}
