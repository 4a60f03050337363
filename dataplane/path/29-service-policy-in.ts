// 29-service-policy-in: `service-policy input`: class, marks, qos-group, policers. In: what policy-in lets pass, left in route's vector. Out: the same, without
// what policers drop. Drops: police-in.
//
// Behind decryption, before NAT and the route (IOS: rate limit behind decrypt). What came out of an SA is asked about as it was inside, what came out of a tunnel as
// what came by the tunnel; ESP that is opened here is not asked about. What this host sends has come by no interface. Policers are shared by all workers.

import { Drop, QosCount } from '../counters/declare.js';
import type { Env } from '../env.js';
import { Passes } from '../mem/qos-policy.js';
import { BankCount } from '../mem/shared.js';
import { QosDirection, QosUse } from '../tables/layout.js';

const enum Bits {
  /** PacketFlag.FromHost | Made | ByTunnel; Hairpin: received before, by another worker or in an earlier turn. */
  NotReceived = 10273,
}

export function makeServicePolicyIn(env: Env): () => void {
  const { drop, qosPolicy } = env;
  const { rxPort, len, flags } = env.slots;
  const { counts, qosUses } = env.tables;
  const { route } = env.vec;

  return function servicePolicyIn() {
    if (counts[BankCount.QosClasses] === 0) return;
    let kept = 0;
    for (let i = 0; i < route.length; i++) {
      const id = route.ids[i];
      const use = (rxPort[id] * 2 + QosDirection.Input) * QosUse.Words;
      if (qosUses[use + QosUse.ClassCount] === 0 || (flags[id] & Bits.NotReceived) !== 0) {
        route.ids[kept++] = id;
        continue;
      }
      const leaf = qosPolicy.classify(id, use);
      const reason = qosPolicy.treat(id, leaf, Drop.PoliceIn);
      if (reason === Passes) {
        qosPolicy.count(leaf, QosCount.SentPackets, 1, len[id]);
        route.ids[kept++] = id;
      } else {
        drop(id, reason);
      }
    }
    route.length = kept;
  };
}
