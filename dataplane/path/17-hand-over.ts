// 17-hand-over: each worker goes on with what it owns; what another owns (mem/hand-over.ts) is put into the ring to it and freed here. In: what
// ip-input has sorted, left in its vectors. Out: the same vectors without what is others'. Drops: hand-over-full.
// Devices are steered, so that nearly everything comes to its owner: this is for receive queues that cannot be (port-driver xdp) and for
// kernels that refuse the steering program. A decrypted packet has the source of what it came in, so its owner stays.
// Does nothing when there is one worker.

import { Drop, PathCount } from '../counters/declare.js';
import type { Env } from '../env.js';
import { isLocal } from '../mem/hash.js';
import { NatSide, PortRow } from '../mem/shared.js';
import { PacketFlag } from '../mem/slots.js';
import type { Vector } from '../mem/vector.js';
import { ownerOf } from '../native/native.js';
import { End } from '../proto/nat.js';

export function makeHandOver(env: Env): () => void {
  if (env.handOver === null) return () => undefined;
  const { workerIndex, workers, slots, drop, nat, natRules } = env;
  const rings = env.handOver;
  const { src, dst, rxPort, flags } = slots;
  const { ports, localSet } = env.tables;
  const { path } = env.counters;
  const { espOpen, policyIn } = env.vec;

  /**
   * NAT: who has the session has the port (45-nat-inside) or the address (mem/nat-rules.ts), so what comes from outside for one of our addresses
   * belongs to that worker, and so do flows of our own programs. Where it cannot be told, fragments among them, it is the source's as ever.
   * What `ip nat outside source` alone translates is the inside host's.
   */
  function ownerOfPacket(id: number): number {
    if (natRules.isEmpty || ports[rxPort[id] * PortRow.Words + PortRow.Nat] !== NatSide.Outside) return ownerOf(src[id], workers);
    let owner = -1;
    if ((flags[id] & PacketFlag.FromHost) !== 0) {
      const port = nat.portOf(id, End.Source);
      if (port >= 0) owner = port % workers;
    } else if (isLocal(localSet, dst[id]) || natRules.isGlobal(dst[id])) {
      const port = nat.portOf(id, End.Destination);
      owner = natRules.ownerOf(nat.portProtocol, dst[id], port, workers);
    } else if (natRules.translatesOutside) {
      owner = ownerOf(dst[id], workers);
    }
    return owner < 0 ? ownerOf(src[id], workers) : owner;
  }

  function keepOwn(vector: Vector): void {
    let kept = 0;
    for (let i = 0; i < vector.length; i++) {
      const id = vector.ids[i];
      const owner = ownerOfPacket(id);
      if (owner === workerIndex) {
        vector.ids[kept++] = id;
      } else if (rings.give(id, owner, 0)) {
        path[PathCount.HandedOver]++;
        slots.release(id);
      } else {
        drop(id, Drop.HandOverFull);
      }
    }
    vector.length = kept;
  }

  return function handOver() {
    keepOwn(espOpen);
    keepOwn(policyIn);
  };
}
