// 17-hand-over: each worker goes on with what it owns; what another owns (mem/owner.ts) is put into the ring to it and freed here. In: what
// ip-input has sorted, left in its vectors. Out: the same vectors without what is others'. Drops: hand-over-full.
// Devices are steered, so that nearly everything comes to its owner: this is for receive queues that cannot be (port-driver xdp) and for
// kernels that refuse the steering program. A decrypted packet has the source of what it came in, so its owner stays.
// Does nothing when there is one worker.

import type { Env } from '../env.js';
import { HandOverSerial, makeHandTo } from '../mem/hand-over.js';
import { ownerOfPacket } from '../mem/owner.js';
import type { Vector } from '../mem/vector.js';

export function makeHandOver(env: Env): () => void {
  if (env.handOver === null) return () => undefined;
  const { workerIndex, workers } = env;
  const handTo = makeHandTo(env);
  const { espOpen, policyIn } = env.vec;

  function keepOwn(vector: Vector): void {
    let kept = 0;
    for (let i = 0; i < vector.length; i++) {
      const id = vector.ids[i];
      const owner = ownerOfPacket(env, id, workers);
      if (owner === workerIndex) {
        vector.ids[kept++] = id;
      } else {
        handTo(id, owner, HandOverSerial.Received);
      }
    }
    vector.length = kept;
  }

  return function handOver() {
    keepOwn(espOpen);
    keepOwn(policyIn);
  };
}
