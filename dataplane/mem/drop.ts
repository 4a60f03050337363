// The one way a packet ends without leaving: its reason is counted, at the port that lost it, and its slot is free.

import { Drop, PathCount, PortCount } from '../counters/declare.js';
import { isSendDrop } from '../counters/drops.js';
import type { Capture } from './capture.js';
import type { CounterBlocks } from './shared.js';
import type { Slots } from './slots.js';

type DropPacket = (id: number, reason: Drop) => void;

/** @param note told of each packet first, while its slot is as it was */
export function makeDrop(
  slots: Slots,
  counters: Pick<CounterBlocks, 'drops' | 'path' | 'ports'>,
  capture: Pick<Capture, 'isOn' | 'noteDrop'>,
  note?: DropPacket,
): DropPacket {
  const { rxPort, txPort } = slots;
  const { drops, path, ports } = counters;

  function drop(id: number, reason: Drop): void {
    if (capture.isOn()) capture.noteDrop(id, reason);
    const isSending = isSendDrop(reason);
    const port = isSending ? txPort[id] : rxPort[id];
    drops[port * Drop.Count + reason]++;
    path[PathCount.Dropped]++;
    ports[port * PortCount.Count + (isSending ? PortCount.TxDrops : PortCount.RxDrops)]++;
    slots.release(id);
  }
  if (!note) return drop;
  return (id, reason) => {
    note(id, reason);
    drop(id, reason);
  };
}
