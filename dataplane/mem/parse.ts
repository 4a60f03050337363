// The IPv4 header of a packet into its columns: what env.parse is.

import { checkIpv4, Ip4, Ipv4Fault } from '../proto/ipv4.js';
import { hasPorts, Port } from '../proto/l4.js';
import { PacketFlag, type Slots } from './slots.js';

/** @returns checks the datagram at off/len of a packet and fills its columns; cuts link padding off. Flags other than the fragment bits stay */
export function makeParse(slots: Slots): (id: number) => Ipv4Fault {
  const { view, off, len, l4Off, proto, src, dst, sport, dport, tos, flags, firstPorts } = slots;
  return function parse(id) {
    const at = off[id];
    const fault = checkIpv4(view, at, len[id]);
    // What another worker turns round (path/33) was looked at there, and may have one address at both ends now.
    const isTurned = fault === Ipv4Fault.Martian && (flags[id] & PacketFlag.Hairpin) !== 0;
    if (fault !== Ipv4Fault.None && !isTurned) return fault;
    const headerLength = (view.getUint8(at) & 15) << 2;
    const total = view.getUint16(at + Ip4.TotalLength);
    const protocol = view.getUint8(at + Ip4.Protocol);
    const fragment = view.getUint16(at + Ip4.FlagsOffset);
    len[id] = total;
    l4Off[id] = at + headerLength;
    proto[id] = protocol;
    tos[id] = view.getUint8(at + Ip4.Tos);
    src[id] = view.getInt32(at + Ip4.Src);
    dst[id] = view.getInt32(at + Ip4.Dst);
    let bits = flags[id] & ~(PacketFlag.LaterFragment | PacketFlag.MoreFragments);
    if ((fragment & Ip4.OffsetMask) !== 0) bits |= PacketFlag.LaterFragment;
    if ((fragment & Ip4.MoreFragments) !== 0) bits |= PacketFlag.MoreFragments;
    flags[id] = bits;
    if (!hasPorts(protocol)) {
      sport[id] = Port.None;
      dport[id] = Port.None;
    } else if ((bits & PacketFlag.Joined) !== 0) {
      sport[id] = firstPorts[id] >>> 16;
      dport[id] = firstPorts[id] & 0xffff;
    } else if ((bits & PacketFlag.LaterFragment) !== 0 || total < headerLength + 4) {
      sport[id] = Port.Unknown;
      dport[id] = Port.Unknown;
    } else {
      sport[id] = view.getUint16(at + headerLength);
      dport[id] = view.getUint16(at + headerLength + 2);
    }
    return Ipv4Fault.None;
  };
}
