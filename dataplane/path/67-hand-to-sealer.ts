// 67-hand-to-sealer: what another worker is to seal is put into the ring to it and freed here. In: what pmtu has for esp-seal, left in its
// vector. Out: the same vector without what is others'. Drops: hand-over-full.
// Two cases (mem/hand-over.ts): the key server gave fewer sender IDs than there are workers; or an ICMP error made here has a source, one of
// our own addresses, that another worker owns. Behind pmtu everything is decided and counted: the taker only seals and sends. The hop
// that is owed travels in the flags and is paid there. Does nothing when there is one worker.

import type { Env } from '../env.js';
import { makeHandTo } from '../mem/hand-over.js';
import { Sa } from '../tables/layout.js';

export function makeHandToSealer(env: Env): () => void {
  const { handOver, workerIndex, slots } = env;
  if (handOver === null) return () => undefined;
  const { src, sa } = slots;
  const { sas } = env.tables;
  const handTo = makeHandTo(env);
  const { espSeal } = env.vec;

  return function handToSealer() {
    let kept = 0;
    for (let i = 0; i < espSeal.length; i++) {
      const id = espSeal.ids[i];
      const sealer = handOver.sealerOf(sa[id], src[id]);
      if (sealer === workerIndex) {
        espSeal.ids[kept++] = id;
      } else {
        handTo(id, sealer, sas[sa[id] * Sa.Words + Sa.Serial]);
      }
    }
    espSeal.length = kept;
  };
}
