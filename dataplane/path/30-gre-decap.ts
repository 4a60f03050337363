// 30-gre-decap: GRE for one of our tunnels is taken off (RFC 2784 §2.4.2, RFC 2890). In: what policy-in lets pass, left in route's vector. Out: the inner
// packet to ip-input in the next turn, as received by the tunnel; a keepalive of the other end to route, back to it; GRE that is of no tunnel stays: NAT or the
// host may want it. Drops: the gre-* reasons, port-down, nesting-too-deep.
// A keepalive of ours that came back is noted and ends here.
//
//   (source, destination) -> version, bits, length -> key -> checksum -> sequence -> protocol -> ECN -> inner packet
//
// Behind 27-policy-in: GRE that must come encrypted is refused there when it comes in the clear. A checksum is verified wherever there is one, a sequence number only
// if the tunnel has `sequence-datagrams`; who sends neither is taken all the same.
// Outer fragments were put together in 23-assemble. Does not: IPv6 (RFC 7676).

import { Drop, PortCount } from '../counters/declare.js';
import type { Env } from '../env.js';
import { Hop } from '../mem/capture.js';
import { Clock } from '../mem/clock.js';
import { isLocal } from '../mem/hash.js';
import { BankCount, PortRow } from '../mem/shared.js';
import { MaxNesting, PacketFlag } from '../mem/slots.js';
import { TunnelWord } from '../mem/tunnel-words.js';
import {
  checkGre,
  EtherType,
  Gre,
  GreFault,
  greKey,
  greSequence,
  isInSequence,
  isSumRight,
  isTunnelBetween,
  keepaliveLength,
  takeCongestion,
} from '../proto/gre.js';
import { Ip4, IpProto } from '../proto/ipv4.js';
import { CaptureDirection } from '../tables/capture.js';
import { Cap, Tunnel, TunnelFlag } from '../tables/layout.js';

/** After so long without a packet in sequence the other end counts as started anew, and its number is taken as it comes. */
const RestartSeconds = 10;

const enum Bits {
  /** PacketFlag.FromHost | Made | ByTunnel: not received. */
  NotReceived = 8225,
}

export function makeGreDecap(env: Env): () => void {
  const { capture, drop, parse, clock, tunnelWords } = env;
  const { view, off, len, l4Off, rxPort, proto, src, dst, tos, flags, sa, nesting } = env.slots;
  const { counts, tunnels, ports, localSet } = env.tables;
  const { ports: portCounts } = env.counters;
  const { route, ipInput } = env.vec;

  /** @returns a port whose tunnel has these ends, -1 = none has */
  function findEnds(id: number): number {
    for (let port = 0; port < Cap.Ports; port++) if (isTunnelBetween(tunnels, port, dst[id], src[id])) return port;
    return -1;
  }

  /** @param key undefined bits are not looked at when there is none @returns the port of the tunnel, -1 = another key */
  function findKey(id: number, first: number, hasKey: boolean, key: number): number {
    for (let port = first; port < Cap.Ports; port++) {
      const row = port * Tunnel.Words;
      const wantsKey = (tunnels[row + Tunnel.Flags] & TunnelFlag.Key) !== 0;
      if (isTunnelBetween(tunnels, port, dst[id], src[id]) && wantsKey === hasKey && (!hasKey || tunnels[row + Tunnel.Key] === key))
        return port;
    }
    return -1;
  }

  /** Test and set. @param sequence signed */
  function takeSequence(port: number, sequence: number): boolean {
    const at = port * TunnelWord.Count;
    const now = clock[Clock.UptimeSeconds];
    for (;;) {
      const next = Atomics.load(tunnelWords, at + TunnelWord.RxSequence);
      const isQuiet = now - Atomics.load(tunnelWords, at + TunnelWord.RxSeconds) > RestartSeconds;
      if (!isInSequence(sequence, next) && !isQuiet) return false;
      if (Atomics.compareExchange(tunnelWords, at + TunnelWord.RxSequence, next, (sequence + 1) | 0) !== next) continue;
      Atomics.store(tunnelWords, at + TunnelWord.RxSeconds, now);
      return true;
    }
  }

  /** @returns false when the tunnel sends none: then this is none of ours */
  function noteKeepalive(port: number): boolean {
    if (tunnels[port * Tunnel.Words + Tunnel.KeepaliveSeconds] === 0) return false;
    Atomics.store(tunnelWords, port * TunnelWord.Count + TunnelWord.KeepaliveSeconds, clock[Clock.UptimeSeconds]);
    return true;
  }

  /** @returns the reason to drop it; below 0: ~bytes of the GRE header. Sets the rx port as soon as the tunnel is known */
  function check(id: number, ends: number): number {
    rxPort[id] = ends;
    const at = l4Off[id];
    const length = off[id] + len[id] - at;
    const header = checkGre(view, at, length);
    if (header === GreFault.Version) return Drop.GreVersion;
    if (header === GreFault.Flags) return Drop.GreFlags;
    if (header === GreFault.Malformed) return Drop.GreMalformed;
    const present = view.getUint16(at + Gre.Flags);
    const hasKey = (present & Gre.Key) !== 0;
    const port = findKey(id, ends, hasKey, hasKey ? greKey(view, at) : 0);
    if (port < 0) return Drop.GreKey;
    rxPort[id] = port;
    if (!isSumRight(view, at, length)) return Drop.GreChecksum;
    const isOrdered = (tunnels[port * Tunnel.Words + Tunnel.Flags] & TunnelFlag.Sequence) !== 0 && (present & Gre.Sequence) !== 0;
    if (isOrdered && !takeSequence(port, greSequence(view, at))) return Drop.GreSequence;
    if (nesting[id] >= MaxNesting) return Drop.NestingTooDeep;
    return ~header;
  }

  /** @returns true when it is to be routed in this turn: a keepalive on its way back */
  function takeOff(id: number, ends: number): boolean {
    const verdict = check(id, ends);
    if (verdict >= 0) {
      drop(id, verdict);
      return false;
    }
    const port = rxPort[id];
    const gre = l4Off[id];
    const inner = gre + ~verdict;
    const length = off[id] + len[id] - inner;
    const row = port * Tunnel.Words;
    const type = view.getUint16(gre + Gre.Protocol);
    if (type !== EtherType.Ipv4) {
      drop(id, type === EtherType.Keepalive && noteKeepalive(port) ? Drop.GreKeepalive : Drop.GreProtocol);
      return false;
    }
    const reflected = keepaliveLength(view, inner, length, tunnels[row + Tunnel.Source], tunnels[row + Tunnel.Destination]);
    const outerTos = tos[id];
    off[id] = inner;
    len[id] = length;
    sa[id] = -1;
    nesting[id]++;
    if (reflected > 0 && parse(id) === 0) {
      flags[id] = PacketFlag.FromHost;
      return true;
    }
    if (ports[port * PortRow.Words + PortRow.Up] === 0) {
      drop(id, Drop.PortDown);
      return false;
    }
    if (length >= Ip4.HeaderLen && !takeCongestion(view, inner, outerTos)) {
      drop(id, Drop.GreCongestion);
      return false;
    }
    flags[id] = (flags[id] & PacketFlag.Decrypted) | PacketFlag.Decapsulated | PacketFlag.OwesHop;
    portCounts[port * PortCount.Count + PortCount.RxPackets]++;
    portCounts[port * PortCount.Count + PortCount.RxBytes] += length;
    if (capture.takesWire(port)) capture.noteWire(id, port, CaptureDirection.In, Hop.None);
    ipInput.push(id);
    return false;
  }

  return function greDecap() {
    if (counts[BankCount.Tunnels] === 0) return;
    let kept = 0;
    for (let i = 0; i < route.length; i++) {
      const id = route.ids[i];
      const isCandidate = proto[id] === IpProto.Gre && (flags[id] & Bits.NotReceived) === 0 && isLocal(localSet, dst[id]);
      const ends = isCandidate ? findEnds(id) : -1;
      if (ends < 0 || takeOff(id, ends)) route.ids[kept++] = id;
    }
    route.length = kept;
  };
}
