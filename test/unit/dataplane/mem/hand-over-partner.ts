// One of two threads that throw a packet to and fro and sleep in between, for hand-over.test.ts: a wake-up that got lost is a wait that ran out.

import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { HandOver } from '../../../../dataplane/mem/hand-over.js';
import type { SharedState } from '../../../../dataplane/mem/shared.js';
import { SlotShape, Slots } from '../../../../dataplane/mem/slots.js';
import { loadNative } from '../../../../dataplane/native/native.js';

export interface Partner {
  shared: SharedState;
  wakeFds: number[];
  index: number;
  rounds: number;
}

const WaitMs = 10_000;

/** @param begins who throws first @returns what went wrong, or null */
export function play({ shared, wakeFds, index, rounds }: Partner, begins: boolean): string | null {
  const native = loadNative();
  const slots = new Slots();
  const handOver = new HandOver(slots, shared, index, wakeFds, (fd) => native.wakeSignal(fd));
  const other = 1 - index;
  const ring = handOver.readers[other];
  const polled = Int32Array.of(wakeFds[index]);
  const ready = new Int32Array(1);
  const id = slots.allocate();
  slots.off[id] = id * SlotShape.Bytes + SlotShape.Headroom;
  slots.sa[id] = -1;

  function give(round: number): void {
    slots.len[id] = 20 + (round % 1837);
    slots.rxPort[id] = round;
    slots.bytes.fill(round, slots.off[id], slots.off[id] + slots.len[id]);
    handOver.give(id, other, 0);
    handOver.announce();
  }

  for (let round = 0; round < rounds; round++) {
    if (begins) give(round);
    let at = ring.peek();
    while (at < 0) {
      const found = native.poll(polled, 1, handOver.fallAsleep() ? WaitMs : 0, ready);
      handOver.wakeUp();
      if (found > 0) native.wakeClear(wakeFds[index]);
      at = ring.peek();
      if (at < 0 && found === 0) return `worker ${index} was not woken in round ${round}`;
    }
    handOver.take(ring, at, id);
    ring.skip();
    ring.release();
    const last = slots.bytes[slots.off[id] + slots.len[id] - 1];
    if (slots.rxPort[id] !== round || slots.len[id] !== 20 + (round % 1837) || last !== (round & 255))
      return `round ${round}: another packet`;
    if (!begins) give(round);
  }
  return null;
}

if (!isMainThread && (workerData as Partial<Partner> | null)?.wakeFds !== undefined)
  parentPort?.postMessage(play(workerData as Partner, false));
