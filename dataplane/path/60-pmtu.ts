// 60-pmtu: does it fit the path, with the exact ESP overhead where it will be sealed? The path: the egress interface's MTU, or less where path/26 has learnt it. In: packets
// with their SA decided.
// Out: esp-seal or tx. What does not fit: with DF an ICMP 3/4 that names the largest inner packet that does (RFC 1191 §4, RFC 4301 §8.2.1),
// without DF it is cut before encryption, so that receivers reassemble at the host and not at the gateway (IOS look-ahead
// fragmentation). `crypto ipsec fragmentation after-encryption`, and transport mode, in which whole datagrams are sealed (RFC 4303 §3.1.1): it goes on whole, and 70-esp-seal
// cuts what comes out. `crypto ipsec df-bit clear`: what is sealed in tunnel mode counts as without DF. Drops: mtu-exceeded, no-slot, transport-fragment.
//
// GRE of a tunnel with path-mtu-discovery that does not fit once it is encrypted: the tunnel learns what would, and the inner source is told at once.
// `crypto ipsec path-mtu-discovery probe`: control is told of destinations that get long packets with DF and about whose path nothing is known. A probe of ours may be as long as the
// interface allows, whatever is known.

import { Drop } from '../counters/declare.js';
import type { Env } from '../env.js';
import { Clock } from '../mem/clock.js';
import { makeCut } from '../mem/cut.js';
import { PortRow } from '../mem/shared.js';
import { PacketFlag } from '../mem/slots.js';
import { roomInside } from '../proto/esp-room.js';
import { isTunnelBetween } from '../proto/gre.js';
import { IcmpError, UnreachableCode } from '../proto/icmp.js';
import { Ip4, IpProto } from '../proto/ipv4.js';
import { Cap, CryptoDf, Sa, SaFlag, Tunnel, TunnelFlag, TunnelMode } from '../tables/layout.js';

/** RFC 791 §3.2: every module forwards datagrams of 68 bytes; a smaller MTU is a mistake. */
const LeastMtu = 68;
/** What no path has less than in practice: shorter packets ask for no search. */
const SearchFrom = 512;
/** Nothing was learnt. */
const Unknown = 65535;

export function makePmtu(env: Env): () => void {
  const { slots, drop, clock, pathMtus, events } = env;
  const { view, off, len, txPort, proto, src, dst, flags, sa, error, reason } = slots;
  const { ports, sas, tunnels } = env.tables;
  const { pmtu: input, espSeal, tx, refused } = env.vec;
  const cut = makeCut(slots, env.counters.path, drop);

  /** What was learnt about the way of this packet, bytes of the outer datagram. */
  function learntFor(id: number, seconds: number): number {
    if (sa[id] >= 0) {
      const row = sa[id] * Sa.Words;
      return pathMtus.mtuTo((sas[row + Sa.Flags] & SaFlag.Pairwise) !== 0 ? sas[row + Sa.Peer] : dst[id], seconds);
    }
    const row = txPort[id] * Tunnel.Words;
    if (tunnels[row + Tunnel.Mode] === TunnelMode.None || (tunnels[row + Tunnel.Flags] & TunnelFlag.CopyDf) === 0) return Unknown;
    return pathMtus.mtuOfTunnel(txPort[id], tunnels[row + Tunnel.Destination], seconds) - Ip4.HeaderLen - tunnels[row + Tunnel.HeaderLen];
  }

  /** The longest datagram that may go on to this packet's next stage. */
  function limitOf(id: number, seconds: number, isAny: boolean): number {
    const own = ports[txPort[id] * PortRow.Words + PortRow.Mtu];
    const isProbe = (flags[id] & PacketFlag.MtuProbe) !== 0;
    const learnt = isAny && !isProbe ? learntFor(id, seconds) : Unknown;
    const mtu = Math.max(Math.min(own, learnt), LeastMtu);
    if (sa[id] < 0) return mtu;
    if (learnt === Unknown && !isProbe && isSearchWanted(id)) tellUnknown(id, own);
    return roomInside(sas, sa[id] * Sa.Words, mtu, isTransport(id) ? (view.getUint8(off[id]) & 15) << 2 : 0);
  }

  function isTransport(id: number): boolean {
    return sa[id] >= 0 && (sas[sa[id] * Sa.Words + Sa.Flags] & SaFlag.Transport) !== 0;
  }

  function isSearchWanted(id: number): boolean {
    return len[id] > SearchFrom && ports[txPort[id] * PortRow.Words + PortRow.SearchMtu] !== 0 && hasDfOutside(id);
  }

  /** Routers on the way may not cut it. */
  function hasDfOutside(id: number): boolean {
    const mode = isTransport(id) ? CryptoDf.Copy : ports[txPort[id] * PortRow.Words + PortRow.CryptoDf];
    if (mode !== CryptoDf.Copy) return mode === CryptoDf.Set;
    return (view.getUint16(off[id] + Ip4.FlagsOffset) & Ip4.DontFragment) !== 0;
  }

  function tellUnknown(id: number, own: number): void {
    const row = sa[id] * Sa.Words;
    const isPairwise = (sas[row + Sa.Flags] & SaFlag.Pairwise) !== 0;
    if (isPairwise) events.noteUnknownPath(sas[row + Sa.Peer], txPort[id], -1, sas[row + Sa.PeerPort], own);
    else events.noteUnknownPath(dst[id], txPort[id], sas[row + Sa.Group], 0, own);
  }

  function isFragment(id: number): boolean {
    return (flags[id] & (PacketFlag.LaterFragment | PacketFlag.MoreFragments)) !== 0;
  }

  /** DF holds: it is set, and the outer header of tunnel mode does not clear it. */
  function mustStayWhole(id: number): boolean {
    if ((view.getUint16(off[id] + Ip4.FlagsOffset) & Ip4.DontFragment) === 0) return false;
    return sa[id] < 0 || isTransport(id) || ports[txPort[id] * PortRow.Words + PortRow.CryptoDf] !== CryptoDf.Clear;
  }

  /** What comes out may be cut: its DF is 0. */
  function isCutBehind(id: number): boolean {
    if (isTransport(id)) return true;
    const port = txPort[id] * PortRow.Words;
    return sa[id] >= 0 && ports[port + PortRow.CutSealed] !== 0 && ports[port + PortRow.CryptoDf] !== CryptoDf.Set;
  }

  function refuse(id: number, limit: number): void {
    const isGre = proto[id] === IpProto.Gre && (flags[id] & PacketFlag.FromHost) !== 0;
    const inside = isGre ? takeOff(id, limit) : limit;
    error[id] = (IcmpError.Unreachable << 24) | (UnreachableCode.FragmentationNeeded << 16) | Math.max(inside, 0);
    reason[id] = Drop.MtuExceeded;
    refused.push(id);
  }

  /** The tunnel between these ends learns the limit, and what is inside is what is told about. @returns the limit inside, or the same for GRE that is of no tunnel */
  function takeOff(id: number, limit: number): number {
    const seconds = clock[Clock.UptimeSeconds];
    let header = 0;
    for (let port = 0; port < Cap.Ports; port++) {
      const row = port * Tunnel.Words;
      if (!isTunnelBetween(tunnels, port, src[id], dst[id]) || (tunnels[row + Tunnel.Flags] & TunnelFlag.CopyDf) === 0) continue;
      header = Ip4.HeaderLen + tunnels[row + Tunnel.HeaderLen];
      if (limit >= tunnels[row + Tunnel.LeastMtu])
        pathMtus.learnTunnel(port, dst[id], limit, 0, seconds, tunnels[row + Tunnel.AgerSeconds]);
    }
    if (header === 0 || len[id] < header + Ip4.HeaderLen) return limit;
    off[id] += header;
    len[id] -= header;
    src[id] = view.getInt32(off[id] + Ip4.Src);
    dst[id] = view.getInt32(off[id] + Ip4.Dst);
    proto[id] = view.getUint8(off[id] + Ip4.Protocol);
    return limit - header;
  }

  return function pmtu() {
    const seconds = clock[Clock.UptimeSeconds];
    const isAny = pathMtus.isAny(seconds);
    for (let i = 0; i < input.length; i++) {
      const id = input.ids[i];
      const limit = limitOf(id, seconds, isAny);
      const out = sa[id] >= 0 ? espSeal : tx;
      if (isTransport(id) && isFragment(id)) drop(id, Drop.TransportFragment);
      else if (len[id] <= limit) out.push(id);
      else if (mustStayWhole(id)) refuse(id, limit);
      else if (isCutBehind(id)) out.push(id);
      else cut(id, limit, out);
    }
    input.clear();
  };
}
