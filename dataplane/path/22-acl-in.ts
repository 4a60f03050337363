// 22-acl-in: `ip access-group NAME in`. In: what ip-input has sorted, left in its vectors. Out: the same without what is denied; local for key management. Drops: acl-in, after an
// ICMP 3/13 (RFC 1812 §5.2.7.1) to the source.
//
// It stands before 25-esp-open: what comes encrypted is asked about as the ESP that it is, and what comes out of an SA is not asked about a second time
// (IOS since 12.3(8)T). IKE and GDOI for the router, which come by here only where there is a list, go to the host at once: neither policy nor NAT may keep
// them from it. What programs of this host send has come by no interface. Packets for the host itself are asked about as those in transit.

import { Drop } from '../counters/declare.js';
import type { Env } from '../env.js';
import { isLocal } from '../mem/hash.js';
import { BankCount } from '../mem/shared.js';
import { PacketFlag } from '../mem/slots.js';
import type { Vector } from '../mem/vector.js';
import { IcmpError, UnreachableCode } from '../proto/icmp.js';
import { IpProto } from '../proto/ipv4.js';
import { isKeyManagementPort } from '../proto/l4.js';
import { FilterList } from '../tables/layout.js';

const enum Bits {
  /** How it came: PacketFlag.FromHost | ByTunnel | Decrypted | Decapsulated | Hairpin. */
  How = 14339,
}

export function makeAclIn(env: Env): () => void {
  const { permits } = env;
  const { rxPort, proto, dst, dport, flags, error, reason } = env.slots;
  const { counts, filterLists, localSet } = env.tables;
  const { espOpen, policyIn, punt, refused } = env.vec;

  function isKeyManagement(id: number): boolean {
    return proto[id] === IpProto.Udp && isKeyManagementPort(dport[id]) && isLocal(localSet, dst[id]);
  }

  /** @param withControl IKE and GDOI may be in it */
  function filter(vector: Vector, withControl: boolean): void {
    let kept = 0;
    for (let i = 0; i < vector.length; i++) {
      const id = vector.ids[i];
      const list = filterLists[rxPort[id] * FilterList.Words + FilterList.In];
      const how = flags[id] & Bits.How;
      // Out of a tunnel it is asked about as what came by the tunnel, also when the tunnel's packets come encrypted.
      const isAsked = list >= 0 && (how === 0 || (how & ~PacketFlag.Decrypted) === PacketFlag.Decapsulated);
      if (!isAsked || permits(list, id)) {
        if (isAsked && withControl && isKeyManagement(id)) punt.push(id);
        else vector.ids[kept++] = id;
        continue;
      }
      error[id] = (IcmpError.Unreachable << 24) | (UnreachableCode.AdministrativelyProhibited << 16);
      reason[id] = Drop.AclIn;
      refused.push(id);
    }
    vector.length = kept;
  }

  return function aclIn() {
    if (counts[BankCount.Filters] === 0) return;
    filter(espOpen, false);
    filter(policyIn, true);
  };
}
