// 80-queue: `service-policy output`: class, marks, policers, then the queue of the class; what may leave now goes on. In: what is done, in tx's vector; of it
// what leaves by an interface with a policy. Out: the same vector with what the queues let go: strict priority, then deficit round robin, under
// shapers and the interface's rate (mem/queues.ts). Drops: police-out, the queue-* reasons, hand-over-full.
//
// Behind encryption (IOS): what is sealed is seen as ESP, unless `qos pre-classify` kept what it was; its marks are the outer header's. Queues hold slots, not copies. What
// waits is taken up by later passes, for which the worker wakes. Several workers: a port's queues are one worker's, others give it what is for them.

import type { Env } from '../env.js';
import { BankCount } from '../mem/shared.js';

export function makeQueue(env: Env): () => void {
  const { queueOutput } = env;
  const { counts } = env.tables;

  return function queue() {
    if (counts[BankCount.QosClasses] !== 0) queueOutput(false);
  };
}
