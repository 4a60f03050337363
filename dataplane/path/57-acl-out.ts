// 57-acl-out: `ip access-group NAME out`. In: packets that the crypto map has decided about, left in the vector of pmtu. Out: the same without what is
// denied. Drops: acl-out, after an ICMP 3/13 to the source.
//
// As on IOS since 12.3(8)T (crypto access check on clear-text packets): what leaves in the clear is asked about as it is, translated if NAT did; what
// will be sealed is asked about as the ESP packet that leaves, which has the same addresses, or those of the two gateways, the same ToS (70-esp-seal) and is never a fragment. That is known
// before it is sealed, so nothing is sealed in vain. What the router itself sends is not asked about.

import { Drop } from '../counters/declare.js';
import type { Env } from '../env.js';
import { BankCount } from '../mem/shared.js';
import { PacketFlag } from '../mem/slots.js';
import { EspUdp } from '../proto/esp-in-udp.js';
import { IcmpError, UnreachableCode } from '../proto/icmp.js';
import { IpProto } from '../proto/ipv4.js';
import { Port } from '../proto/l4.js';
import { FilterList, Sa, SaFlag } from '../tables/layout.js';

export function makeAclOut(env: Env): () => void {
  const { permits } = env;
  const { txPort, proto, src, dst, sport, dport, flags, sa, error, reason } = env.slots;
  const { counts, filterLists, sas } = env.tables;
  const { pmtu, refused } = env.vec;

  /** As the packet that leaves: ESP, or UDP from port 4500. */
  function permitsSealed(list: number, id: number): boolean {
    const protocol = proto[id];
    const from = sport[id];
    const to = dport[id];
    const bits = flags[id];
    const source = src[id];
    const destination = dst[id];
    const row = sa[id] * Sa.Words;
    if ((sas[row + Sa.Flags] & SaFlag.Pairwise) !== 0) {
      src[id] = sas[row + Sa.Local];
      dst[id] = sas[row + Sa.Peer];
    }
    const peerPort = sas[row + Sa.PeerPort];
    proto[id] = peerPort !== 0 ? IpProto.Udp : IpProto.Esp;
    sport[id] = peerPort !== 0 ? EspUdp.Port : Port.None;
    dport[id] = peerPort || Port.None;
    flags[id] = bits & ~(PacketFlag.LaterFragment | PacketFlag.MoreFragments);
    const permitted = permits(list, id);
    proto[id] = protocol;
    sport[id] = from;
    dport[id] = to;
    flags[id] = bits;
    src[id] = source;
    dst[id] = destination;
    return permitted;
  }

  return function aclOut() {
    if (counts[BankCount.Filters] === 0) return;
    let kept = 0;
    for (let i = 0; i < pmtu.length; i++) {
      const id = pmtu.ids[i];
      const list = filterLists[txPort[id] * FilterList.Words + FilterList.Out];
      const isOwn = (flags[id] & (PacketFlag.FromHost | PacketFlag.Made)) !== 0;
      if (list < 0 || isOwn || (sa[id] < 0 ? permits(list, id) : permitsSealed(list, id))) {
        pmtu.ids[kept++] = id;
        continue;
      }
      error[id] = (IcmpError.Unreachable << 24) | (UnreachableCode.AdministrativelyProhibited << 16);
      reason[id] = Drop.AclOut;
      refused.push(id);
    }
    pmtu.length = kept;
  };
}
