// 12-gre-keepalive: what a tunnel with `keepalive` sends to learn whether the other end is there (IOS). In: the clock. Out: route. Once a pass, by the first worker alone.
//
//   | outer IPv4 to the other end | GRE | IPv4 from the other end to us | GRE, protocol 0 |
//
// Whoever takes the outer header off has a packet to us, which it sends by routing alone: it need know nothing of keepalives. 30-gre-decap notes what comes back, and the
// main thread takes the tunnel down when nothing has for too long (port/tunnel-states.ts). Sent whether the tunnel is up or down.

import { PathCount } from '../counters/declare.js';
import type { Env } from '../env.js';
import { Clock } from '../mem/clock.js';
import { BankCount } from '../mem/shared.js';
import { PacketFlag, SlotShape } from '../mem/slots.js';
import { TunnelWord } from '../mem/tunnel-words.js';
import { EtherType, Gre, greBits, greHeaderLength, writeGre } from '../proto/gre.js';
import { Ip4, IpProto, writeHeader } from '../proto/ipv4.js';
import { Port } from '../proto/l4.js';
import { Cap, Tunnel, TunnelMode } from '../tables/layout.js';

/** Internetwork control (RFC 791), as IOS. */
const Precedence6 = 0xc0;
const InnerTtl = 255;

export function makeGreKeepalive(env: Env): () => void {
  if (env.workerIndex !== 0) return () => undefined;
  const { slots, clock, tunnelWords } = env;
  const { view, off, len, l4Off, rxPort, txPort, proto, src, dst, sport, dport, tos, flags, sa, nesting } = slots;
  const { counts, tunnels } = env.tables;
  const { path } = env.counters;
  const { route } = env.vec;
  /** When the next is to be sent, ms; 0 = at once. */
  const due = new Float64Array(Cap.Ports);
  let identification = 0;

  function writeIpv4(at: number, total: number, ttl: number, from: number, to: number): void {
    identification = (identification + 1) & 0xffff;
    writeHeader(view, at, Precedence6, total, identification, 0, ttl, IpProto.Gre, from, to);
  }

  function send(port: number): void {
    const id = slots.allocate();
    if (id < 0) return;
    const row = port * Tunnel.Words;
    const own = tunnels[row + Tunnel.Source];
    const peer = tunnels[row + Tunnel.Destination];
    const key = tunnels[row + Tunnel.Key];
    const there = greBits(tunnels[row + Tunnel.Flags]);
    // What comes back has gone round by itself: it has no place in the order of the other end's packets.
    const back = there & ~Gre.Sequence;
    const sequence = (there & Gre.Sequence) !== 0 ? Atomics.add(tunnelWords, port * TunnelWord.Count + TunnelWord.TxSequence, 1) : 0;
    const outer = id * SlotShape.Bytes + SlotShape.Headroom;
    const gre = outer + Ip4.HeaderLen;
    const inner = gre + greHeaderLength(there);
    const innerLen = Ip4.HeaderLen + greHeaderLength(back);
    writeGre(view, inner + Ip4.HeaderLen, back, EtherType.Keepalive, key, 0, greHeaderLength(back));
    writeIpv4(inner, innerLen, InnerTtl, peer, own);
    writeGre(view, gre, there, EtherType.Ipv4, key, sequence, greHeaderLength(there) + innerLen);
    len[id] = inner + innerLen - outer;
    writeIpv4(outer, len[id], tunnels[row + Tunnel.Ttl], own, peer);
    off[id] = outer;
    l4Off[id] = gre;
    rxPort[id] = txPort[id] = port;
    proto[id] = IpProto.Gre;
    src[id] = own;
    dst[id] = peer;
    sport[id] = dport[id] = Port.None;
    tos[id] = Precedence6;
    flags[id] = PacketFlag.FromHost;
    sa[id] = -1;
    nesting[id] = 1;
    path[PathCount.Made]++;
    route.push(id);
  }

  return function greKeepalive() {
    if (counts[BankCount.Tunnels] === 0) return;
    const now = clock[Clock.Ms];
    for (let port = 0; port < Cap.Ports; port++) {
      const row = port * Tunnel.Words;
      const seconds = tunnels[row + Tunnel.KeepaliveSeconds];
      if (tunnels[row + Tunnel.Mode] === TunnelMode.None || seconds === 0) {
        due[port] = 0;
      } else if (now >= due[port]) {
        due[port] = now + seconds * 1000;
        send(port);
      }
    }
  };
}
