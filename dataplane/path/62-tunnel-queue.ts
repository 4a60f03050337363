// 62-tunnel-queue: `service-policy output` of tunnel interfaces, before the packet gets its GRE header: see 80-queue, which does the same for other
// interfaces. In: what pmtu has for tx, left in its vector; of it what leaves by a tunnel. Out: the same vector with what may leave now. Drops: police-out, the
// queue-* reasons, hand-over-full.

import type { Env } from '../env.js';
import { BankCount } from '../mem/shared.js';

export function makeTunnelQueue(env: Env): () => void {
  const { queueOutput } = env;
  const { counts } = env.tables;

  return function tunnelQueue() {
    if (counts[BankCount.Tunnels] !== 0 && counts[BankCount.QosClasses] !== 0) queueOutput(true);
  };
}
