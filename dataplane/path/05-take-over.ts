// 05-take-over: packets that other workers have given to this one (mem/hand-over.ts). In: the rings. Out: ip-input for what was just received,
// esp-seal for what is routed and wants this worker's sender ID, tx for what this worker's queues are to have. Drops: no-sa (the SA is gone meanwhile).
// Before rx: what other workers have read is older than what the devices hold. What came by a ring is not handed on again: the owner of a source is
// the same everywhere, and what is to be sealed is taken only when it is this worker that seals it by its own tables.

import { Drop, PathCount } from '../counters/declare.js';
import type { Env } from '../env.js';
import { HandOverSerial } from '../mem/hand-over.js';
import type { RingReader } from '../mem/ring.js';
import { Ip4 } from '../proto/ipv4.js';
import { Sa } from '../tables/layout.js';

const enum Batch {
  /** From one worker in one pass, as from one link. */
  Most = 256,
}

/** @returns a function that tells how many packets it took over */
export function makeTakeOver(env: Env): () => number {
  if (env.handOver === null) return () => 0;
  const { workerIndex, slots, drop, parse } = env;
  const handOver = env.handOver;
  const { view, off, src, dst } = slots;
  const { sas } = env.tables;
  const { path } = env.counters;
  const { ipInput, espSeal, tx } = env.vec;
  const { readers } = handOver;

  function takeFrom(ring: RingReader): number {
    let taken = 0;
    for (; taken < Batch.Most; taken++) {
      const at = ring.peek();
      if (at < 0) break;
      const slot = handOver.saOf(ring, at);
      const serial = handOver.serialOf(ring, at);
      const isForQueue = serial === HandOverSerial.ToQueue;
      // Whoever gave it may have newer tables: then it waits in the ring, and they are adopted before the next pass.
      if ((slot >= 0 || isForQueue) && !handOver.hasNewestTables()) break;
      const id = slots.allocate();
      if (id < 0) break;
      handOver.take(ring, at, id);
      ring.skip();
      if (isForQueue) {
        parse(id); // this router's own work: it is well formed
        tx.push(id);
        continue;
      }
      if (slot < 0) {
        ipInput.push(id);
        continue;
      }
      src[id] = view.getInt32(off[id] + Ip4.Src);
      dst[id] = view.getInt32(off[id] + Ip4.Dst);
      const isOurs = sas[slot * Sa.Words + Sa.Serial] === serial && handOver.sealerOf(slot, src[id]) === workerIndex;
      if (isOurs) espSeal.push(id);
      else drop(id, Drop.NoSa);
    }
    ring.release();
    return taken;
  }

  return function takeOver() {
    let total = 0;
    for (let from = 0; from < readers.length; from++) total += takeFrom(readers[from]);
    path[PathCount.TakenOver] += total;
    return total;
  };
}
