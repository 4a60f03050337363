// 26-path-mtu: ICMP "fragmentation needed" (RFC 1191) about ESP or GRE that left here. In: policy-in's vector, left in it; of it what quotes such a packet. Out: the same without
// these. Drops: pmtu-learnt, and the reasons not to: pmtu-unknown, pmtu-zero, pmtu-below-least, pmtu-not-smaller, pmtu-flood.
//
//   quotes ESP -> outbound SA of this SPI, its ends, a sequence number that was sent lately      -> by destination of the outer header
//   quotes GRE -> a tunnel between these ends that has path-mtu-discovery                        -> by port
//   -> MTU not 0 -> room for 68 bytes inside, min-mtu -> smaller than what it is about and than what is known -> not too many a second -> learnt
//
// The hosts' own packets are what is too long then: 60-pmtu tells the inner source at its next DF packet, with what is left inside. With preserved addresses (RFC 6407
// §5.3.1) the error comes to the inner host's address and quotes ESP that the host has never sent: it ends here. The packet whose loss was told is lost.
//
// Before 27-policy-in: routers on the way are no members, and what an error quotes is proof enough to make packets smaller (RFC 4301 §6.2). What quotes nothing of ours goes on: to
// NAT, to hosts, to the host itself.
// Does not: learn from errors without an MTU (RFC 1191 §5 guesses), or for what leaves in the clear: that is its sender's.

import { Drop } from '../counters/declare.js';
import type { Env } from '../env.js';
import { Clock } from '../mem/clock.js';
import { isLocal } from '../mem/hash.js';
import { PathMtuShape } from '../mem/path-mtus.js';
import { NatSide, PortCrypto, PortRow } from '../mem/shared.js';
import { PacketFlag } from '../mem/slots.js';
import { makeTokenBucket } from '../mem/token-bucket.js';
import { Esp } from '../proto/esp.js';
import { roomInside } from '../proto/esp-room.js';
import { isTunnelBetween } from '../proto/gre.js';
import { Icmp } from '../proto/icmp.js';
import { Ip4, IpProto } from '../proto/ipv4.js';
import { quotedEsp, quoteOfTooBig } from '../proto/quote.js';
import { Ace, AceAction, Cap, CryptoEntry, Sa, SaFlag, Tunnel, TunnelFlag } from '../tables/layout.js';

/** "Sent lately": so many packets of one SA. At 100,000 a second it is more than half a second. */
const RecentPackets = 65536;
/** RFC 791 §3.2: what must be left inside, or nothing would pass any more. */
const LeastInner = 68;
/** What may be learnt in a second, and at once. */
const LearntPerSecond = 50;
const LearntBurst = 100;

/** In place of a reason: not about a packet of ours. */
const NotOurs = -1;

export function makePathMtu(env: Env): () => void {
  const { clock, drop, classify, pathMtus, lastSequences } = env;
  const { view, off, len, l4Off, rxPort, proto, src, dst, flags } = env.slots;
  const { sas, tunnels, ports, localSet, aces, cryptoEntries, entryFirst, entryCount, entryLists } = env.tables;
  const { policyIn } = env.vec;
  const takeToken = makeTokenBucket(clock, LearntBurst, LearntPerSecond);

  /** @returns slot of the SA that sealed what is quoted, -1 = none of ours did */
  function sealerOf(quote: number, esp: number): number {
    const spi = view.getInt32(esp + Esp.Spi);
    const sequence = view.getUint32(esp + Esp.Seq);
    const isInUdp = view.getUint8(quote + Ip4.Protocol) === IpProto.Udp;
    for (let slot = 0; slot < Cap.Sas; slot++) {
      const row = slot * Sa.Words;
      if (sas[row + Sa.Spi] !== spi || sas[row + Sa.Serial] === 0 || (sas[row + Sa.Flags] & SaFlag.Outbound) === 0) continue;
      if ((sas[row + Sa.PeerPort] !== 0) !== isInUdp) continue;
      const isPairwise = (sas[row + Sa.Flags] & SaFlag.Pairwise) !== 0;
      const isPeer = sas[row + Sa.Local] === view.getInt32(quote + Ip4.Src) && sas[row + Sa.Peer] === view.getInt32(quote + Ip4.Dst);
      if ((!isPairwise || isPeer) && wasSent(slot, sequence)) return slot;
    }
    return -1;
  }

  /** By any worker: each counts for itself. */
  function wasSent(slot: number, sequence: number): boolean {
    for (let worker = 0; worker < lastSequences.length; worker++) {
      const last = lastSequences[worker][slot];
      // The lower half of an extended one is what is quoted.
      if (sequence > 0 && last >= sequence && (last - sequence) >>> 0 < RecentPackets) return true;
    }
    return false;
  }

  /** @param known bytes, what holds now @returns Drop */
  function judge(quote: number, mtu: number, isRoom: boolean, known: number): number {
    if (mtu === 0) return Drop.PmtuZero;
    if (!isRoom) return Drop.PmtuBelowLeast;
    if (mtu >= known || mtu >= view.getUint16(quote + Ip4.TotalLength)) return Drop.PmtuNotSmaller;
    return takeToken() ? Drop.PmtuLearnt : Drop.PmtuFlood;
  }

  function takeEsp(id: number, quote: number, esp: number, mtu: number): number {
    const slot = sealerOf(quote, esp);
    if (slot < 0) return isNobodys(id, quote) ? Drop.PmtuUnknown : NotOurs;
    const to = view.getInt32(quote + Ip4.Dst);
    const seconds = clock[Clock.UptimeSeconds];
    const reason = judge(quote, mtu, roomInside(sas, slot * Sa.Words, mtu, 0) >= LeastInner, pathMtus.mtuTo(to, seconds));
    if (reason === Drop.PmtuLearnt) pathMtus.learn(to, mtu, src[id], seconds, PathMtuShape.AgerSeconds);
    return reason;
  }

  /** ESP that would be ours, of an SA that is not: from our own address where nothing is translated, or between hosts whose traffic we encrypt. */
  function isNobodys(id: number, quote: number): boolean {
    const port = rxPort[id] * PortRow.Words;
    if (isLocal(localSet, dst[id])) return ports[port + PortRow.Nat] === NatSide.None;
    return ports[port + PortRow.HasCryptoMap] === PortCrypto.Groups && isEncrypted(id, quote);
  }

  /** Does the crypto map of its port encrypt what goes where the quoted packet went? */
  function isEncrypted(id: number, quote: number): boolean {
    const protocol = proto[id];
    const from = src[id];
    const to = dst[id];
    proto[id] = view.getUint8(quote + Ip4.Protocol);
    src[id] = view.getInt32(quote + Ip4.Src);
    dst[id] = view.getInt32(quote + Ip4.Dst);
    let isPermitted = false;
    const end = entryFirst[rxPort[id]] + entryCount[rxPort[id]];
    for (let entry = entryFirst[rxPort[id]]; entry < end && !isPermitted; entry++) {
      const ace = classify(entryLists[entry], id);
      isPermitted =
        ace >= 0 &&
        aces[ace * Ace.Words + Ace.Action] === AceAction.Permit &&
        cryptoEntries[entry * CryptoEntry.Words + CryptoEntry.OutboundSa] >= 0;
    }
    proto[id] = protocol;
    src[id] = from;
    dst[id] = to;
    return isPermitted;
  }

  /** Every tunnel between the ends learns it: they share the path. @returns Drop of the last one */
  function takeGre(id: number, quote: number, mtu: number): number {
    const from = view.getInt32(quote + Ip4.Src);
    const to = view.getInt32(quote + Ip4.Dst);
    const seconds = clock[Clock.UptimeSeconds];
    let reason = NotOurs;
    for (let port = 0; port < Cap.Ports; port++) {
      const row = port * Tunnel.Words;
      if (!isTunnelBetween(tunnels, port, from, to)) continue;
      reason = Drop.PmtuUnknown;
      if ((tunnels[row + Tunnel.Flags] & TunnelFlag.CopyDf) === 0) continue;
      const isRoom = mtu >= tunnels[row + Tunnel.LeastMtu] && mtu - Ip4.HeaderLen - tunnels[row + Tunnel.HeaderLen] >= LeastInner;
      reason = judge(quote, mtu, isRoom, pathMtus.mtuOfTunnel(port, to, seconds));
      if (reason === Drop.PmtuLearnt) pathMtus.learnTunnel(port, to, mtu, src[id], seconds, tunnels[row + Tunnel.AgerSeconds]);
    }
    return reason;
  }

  /** @returns Drop, or NotOurs */
  function take(id: number): number {
    const end = off[id] + len[id];
    const quote = quoteOfTooBig(view, l4Off[id], end);
    // An error goes to the source of what it is about.
    if (quote < 0 || view.getInt32(quote + Ip4.Src) !== dst[id]) return NotOurs;
    const mtu = view.getUint16(l4Off[id] + Icmp.Mtu);
    if (view.getUint8(quote + Ip4.Protocol) === IpProto.Gre) return takeGre(id, quote, mtu);
    const esp = quotedEsp(view, quote, end);
    return esp < 0 ? NotOurs : takeEsp(id, quote, esp, mtu);
  }

  return function pathMtu() {
    let kept = 0;
    for (let i = 0; i < policyIn.length; i++) {
      const id = policyIn.ids[i];
      const isCandidate =
        proto[id] === IpProto.Icmp && (flags[id] & (PacketFlag.FromHost | PacketFlag.LaterFragment | PacketFlag.MoreFragments)) === 0;
      const reason = isCandidate ? take(id) : NotOurs;
      if (reason === NotOurs) policyIn.ids[kept++] = id;
      else drop(id, reason);
    }
    policyIn.length = kept;
  };
}
