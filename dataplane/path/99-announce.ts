// 99-announce: at the end of the pass the other workers see what it put into their rings, and those that sleep are woken: a store and at the most
// one signal per worker, not per packet. In: rings. Out: nothing. Does nothing when there is one worker.

import type { Env } from '../env.js';

export function makeAnnounce(env: Env): () => void {
  const { handOver } = env;
  return handOver === null ? () => undefined : () => handOver.announce();
}
