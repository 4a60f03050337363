// 65-gre-encap: what leaves by a tunnel gets GRE (RFC 2784, RFC 2890) and an outer IPv4 header, in the headroom. In: what pmtu has for tx, left in its
// vector; of it what leaves by a tunnel. Out: the outer packet to route in the next turn, as one of this host's own. Drops: nesting-too-deep, port-down.
//
//   | outer IPv4 20 | GRE 4, checksum 4, key 4, sequence 4 | inner packet … |
//
// The inner TTL pays the hop that it owes (RFC 2784 §2.4.1). Outer header: ToS copied, or the configured DSCP, ECN copied in any case (RFC 6040 §4.1);
// DF 0, or copied (RFC 7588 §3.2); identification of its own (RFC 6864 §4.3); the tunnel's TTL.
// A tunnel whose outer packets leave by a tunnel goes round until the headroom or the nesting is used up. Does not: IPv6 (RFC 7676).

import { Drop, PortCount } from '../counters/declare.js';
import type { Env } from '../env.js';
import { Hop } from '../mem/capture.js';
import { BankCount, PortRow } from '../mem/shared.js';
import { MaxNesting, PacketFlag, SlotShape } from '../mem/slots.js';
import { TunnelWord } from '../mem/tunnel-words.js';
import { EtherType, Gre, greBits, writeGre } from '../proto/gre.js';
import { Ip4, IpProto, lowerTtl, writeHeader } from '../proto/ipv4.js';
import { Port } from '../proto/l4.js';
import { CaptureDirection } from '../tables/capture.js';
import { Tunnel, TunnelFlag, TunnelMode } from '../tables/layout.js';

/** Headroom that is left for what may come yet: Ethernet 14, outer IPv4 20, UDP 8, ESP 8, IV 16, pseudotime 12. */
const Reserve = 78;

export function makeGreEncap(env: Env): () => void {
  const { capture, drop, tunnelWords, workerIndex, workers } = env;
  const { view, off, len, l4Off, txPort, proto, src, dst, sport, dport, tos, flags, sa, nesting } = env.slots;
  const { counts, tunnels, ports: portRows } = env.tables;
  const { ports } = env.counters;
  const { tx, route } = env.vec;
  /** Identifications are this worker's alone: the outer packets of all have the same ends. */
  let turn = 0;

  function writeOuter(row: number, outer: number, inner: number, total: number): void {
    const innerTos = view.getUint8(inner + Ip4.Tos);
    const dscp = tunnels[row + Tunnel.Tos];
    const isCopied = (tunnels[row + Tunnel.Flags] & TunnelFlag.CopyDf) !== 0;
    turn = (turn + 1) & 0xffff;
    const outerTos = dscp < 0 ? innerTos : (dscp & 0xfc) | (innerTos & 3);
    const id = turn * workers + workerIndex;
    const fragment = isCopied ? view.getUint16(inner + Ip4.FlagsOffset) & Ip4.DontFragment : 0;
    const from = tunnels[row + Tunnel.Source];
    const to = tunnels[row + Tunnel.Destination];
    writeHeader(view, outer, outerTos, total, id, fragment, tunnels[row + Tunnel.Ttl], IpProto.Gre, from, to);
  }

  function encapsulate(id: number, port: number) {
    const row = port * Tunnel.Words;
    const inner = off[id];
    const header = tunnels[row + Tunnel.HeaderLen];
    const gre = inner - header;
    const outer = gre - Ip4.HeaderLen;
    if (portRows[port * PortRow.Words + PortRow.Up] === 0) return drop(id, Drop.PortDown);
    if (nesting[id] >= MaxNesting || outer - id * SlotShape.Bytes < Reserve) return drop(id, Drop.NestingTooDeep);
    if ((flags[id] & PacketFlag.OwesHop) !== 0) lowerTtl(view, inner);
    const present = greBits(tunnels[row + Tunnel.Flags]);
    const sequence = (present & Gre.Sequence) !== 0 ? Atomics.add(tunnelWords, port * TunnelWord.Count + TunnelWord.TxSequence, 1) : 0;
    ports[port * PortCount.Count + PortCount.TxPackets]++;
    ports[port * PortCount.Count + PortCount.TxBytes] += len[id];
    if (capture.takesWire(port)) capture.noteWire(id, port, CaptureDirection.Out, Hop.None);
    writeGre(view, gre, present, EtherType.Ipv4, tunnels[row + Tunnel.Key], sequence, header + len[id]);
    writeOuter(row, outer, inner, Ip4.HeaderLen + header + len[id]);
    off[id] = outer;
    len[id] += Ip4.HeaderLen + header;
    l4Off[id] = gre;
    proto[id] = IpProto.Gre;
    src[id] = tunnels[row + Tunnel.Source];
    dst[id] = tunnels[row + Tunnel.Destination];
    sport[id] = dport[id] = Port.None;
    tos[id] = view.getUint8(outer + Ip4.Tos);
    flags[id] = PacketFlag.FromHost | (flags[id] & PacketFlag.Confidential);
    sa[id] = -1;
    nesting[id]++;
    route.push(id);
  }

  return function greEncap() {
    if (counts[BankCount.Tunnels] === 0) return;
    let kept = 0;
    for (let i = 0; i < tx.length; i++) {
      const id = tx.ids[i];
      if (tunnels[txPort[id] * Tunnel.Words + Tunnel.Mode] === TunnelMode.None) tx.ids[kept++] = id;
      else encapsulate(id, txPort[id]);
    }
    tx.length = kept;
  };
}
