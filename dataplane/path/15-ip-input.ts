// 15-ip-input: validate the IPv4 header (RFC 1812 §5.2.2) and parse it once into columns. In: what was received, and what
// 25-esp-open and 30-gre-decap made of it in the turn before. Out: esp-open for ESP, in UDP too, policy-in for the rest. Drops: ip-malformed, ip-header-checksum,
// not-ipv4, ip-martian. Options are checked and carried along. The TTL is 40-route's.
// Of UDP for others only what has the SPI of a group is ESP: the rest of port 4500 is the NAT traversal of hosts behind us.

import { Drop } from '../counters/declare.js';
import type { Env } from '../env.js';
import { isLocal } from '../mem/hash.js';
import { PacketFlag } from '../mem/slots.js';
import { EspUdp, isEspInUdp } from '../proto/esp-in-udp.js';
import { IpProto, Ipv4Fault } from '../proto/ipv4.js';

export function makeIpInput(env: Env): () => void {
  const { parse, drop, groupUdp } = env;
  const { view, off, len, l4Off, proto, src, dst, sport, dport, flags } = env.slots;
  const { localSet } = env.tables;
  const { ipInput: input, espOpen, policyIn } = env.vec;

  /**
   * To our port 4500, not from there: for a translator in front of us the destination is an address of ours. To others' from theirs, under an SPI of a group. Fragments where ESP comes
   * in UDP too, so that they keep their place among the whole ones: 23-assemble says which they are.
   */
  function isEsp(id: number): boolean {
    if (proto[id] !== IpProto.Udp) return proto[id] === IpProto.Esp;
    const isFragment = (flags[id] & (PacketFlag.LaterFragment | PacketFlag.MoreFragments)) !== 0;
    if (isFragment) return groupUdp.mayBeEsp(id);
    if (dport[id] !== EspUdp.Port || !isEspInUdp(view, l4Off[id], off[id] + len[id] - l4Off[id])) return false;
    return isLocal(localSet, dst[id]) || (sport[id] === EspUdp.Port && groupUdp.opens(view.getInt32(l4Off[id] + EspUdp.HeaderLen)));
  }

  return function ipInput() {
    for (let i = 0; i < input.length; i++) {
      const id = input.ids[i];
      const fault = parse(id);
      if (fault !== Ipv4Fault.None) {
        drop(id, reasonOf(fault));
        continue;
      }
      // The kernel refuses packets from outside that claim one of our addresses, so such a source on a TUN means this host's own
      // programs; on a link past the kernel, and out of a tunnel, the refusal is ours. What came out of an SA has another member as its sender,
      // and NAT may have given it to what another worker turns round.
      const isAnothers =
        (flags[id] & (PacketFlag.Decrypted | PacketFlag.Decapsulated)) === PacketFlag.Decrypted || (flags[id] & PacketFlag.Hairpin) !== 0;
      if (!isAnothers && isLocal(localSet, src[id])) {
        if ((flags[id] & PacketFlag.OwesHop) !== 0) {
          drop(id, Drop.IpMartian);
          continue;
        }
        flags[id] |= PacketFlag.FromHost;
      }
      if (isEsp(id)) espOpen.push(id);
      else policyIn.push(id);
    }
    input.clear();
  };
}

function reasonOf(fault: Ipv4Fault): Drop {
  switch (fault) {
    case Ipv4Fault.NotIpv4:
      return Drop.NotIpv4;
    case Ipv4Fault.Checksum:
      return Drop.IpHeaderChecksum;
    case Ipv4Fault.Martian:
      return Drop.IpMartian;
    default:
      return Drop.IpMalformed;
  }
}
