// 15-ip-input: validate the IPv4 header (RFC 1812 §5.2.2) and parse it once into columns. In: what was received, and what
// 25-esp-open and 30-gre-decap made of it in the turn before. Out: esp-open for ESP, in UDP too, policy-in for the rest. Drops: ip-malformed, ip-header-checksum,
// not-ipv4, ip-martian. Options are checked and carried along. The TTL is 40-route's.

import { Drop } from '../counters/declare.js';
import type { Env } from '../env.js';
import { isLocal } from '../mem/hash.js';
import { PacketFlag } from '../mem/slots.js';
import { EspUdp, isEspInUdp } from '../proto/esp-in-udp.js';
import { isPeerInUdp } from '../proto/esp-room.js';
import { IpProto, Ipv4Fault } from '../proto/ipv4.js';

export function makeIpInput(env: Env): () => void {
  const { parse, drop } = env;
  const { view, off, len, l4Off, proto, src, dst, dport, flags } = env.slots;
  const { localSet, sas } = env.tables;
  const { ipInput: input, espOpen, policyIn } = env.vec;

  /**
   * To our port 4500, not from there: for a translator in front of us the destination is an address of ours. Fragments from a peer whose ESP comes in UDP too, so that they keep
   * their place among the whole ones: 23-assemble says which they are.
   */
  function isEsp(id: number): boolean {
    if (proto[id] !== IpProto.Udp) return proto[id] === IpProto.Esp;
    const isFragment = (flags[id] & (PacketFlag.LaterFragment | PacketFlag.MoreFragments)) !== 0;
    if ((!isFragment && dport[id] !== EspUdp.Port) || !isLocal(localSet, dst[id])) return false;
    if (isFragment) return isPeerInUdp(sas, src[id], dst[id]);
    return isEspInUdp(view, l4Off[id], off[id] + len[id] - l4Off[id]);
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
