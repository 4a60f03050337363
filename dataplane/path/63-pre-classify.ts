// 63-pre-classify: `qos pre-classify`: what a packet is before GRE or ESP is kept beside it, for the classes of the interface that it leaves by. In: what pmtu has
// for tx and esp-seal, left in the vectors. Out: the same. Drops: none.
//
// As on IOS both have to say so, the tunnel and the crypto map: an encapsulation without it forgets what an inner one has kept. Of what is encapsulated
// twice the innermost packet counts. What is not kept is classified as it leaves: by its outer header, which has the ToS octet of the inner one.

import type { Env } from '../env.js';
import { BankCount } from '../mem/shared.js';
import { QosColumn } from '../mem/slots.js';
import { Tunnel, TunnelMode } from '../tables/layout.js';

export function makePreClassify(env: Env): () => void {
  const { qosPolicy } = env;
  const { txPort, qos } = env.slots;
  const { counts, tunnels } = env.tables;
  const { tx, espSeal } = env.vec;

  function note(id: number, isKept: boolean): void {
    if (!isKept) qos[id] &= ~QosColumn.Known;
    else if ((qos[id] & QosColumn.Known) === 0) qosPolicy.keep(id);
  }

  return function preClassify() {
    if (counts[BankCount.QosClasses] === 0) return;
    if (counts[BankCount.Tunnels] !== 0) {
      for (let i = 0; i < tx.length; i++) {
        const row = txPort[tx.ids[i]] * Tunnel.Words;
        if (tunnels[row + Tunnel.Mode] !== TunnelMode.None) note(tx.ids[i], tunnels[row + Tunnel.PreClassify] !== 0);
      }
    }
    for (let i = 0; i < espSeal.length; i++) note(espSeal.ids[i], (qos[espSeal.ids[i]] & QosColumn.Keep) !== 0);
  };
}
