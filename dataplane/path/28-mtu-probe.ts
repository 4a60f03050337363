// 28-mtu-probe: probes of path MTU discovery without ICMP (RFC 8899), and answers to those of other members. In: what control wants sent, and what 25-esp-open has found. Out:
// route, with the SA that seals them; 55-crypto-map and 60-pmtu leave that alone, so that a probe may be longer than what is known to fit. What cannot be sent is lost.
//
// In a group a probe goes to the host whose path is asked about, from the crypto map's port: with preserved addresses it takes the way of the traffic, and whichever member
// stands in front of that host opens it and answers. Between two gateways from one end to the other. DF is as `crypto ipsec df-bit` makes it of a set one.
// Does not: wait for answers, choose sizes (control/probe).

import { PathCount } from '../counters/declare.js';
import type { Env } from '../env.js';
import { Clock } from '../mem/clock.js';
import { ProbeRow } from '../mem/mtu-probes.js';
import { PortRow } from '../mem/shared.js';
import { PacketFlag, SlotShape } from '../mem/slots.js';
import { canSeal, roomInside } from '../proto/esp-room.js';
import { Ip4, writeHeader } from '../proto/ipv4.js';
import { Port } from '../proto/l4.js';
import { MtuProbe, ProbeKind, writeMtuProbe } from '../proto/mtu-probe.js';
import { Cap, CryptoEntry, Sa, SaFlag } from '../tables/layout.js';

const InnerTtl = 255;

export function makeMtuProbe(env: Env): () => void {
  const { slots, clock, mtuProbes } = env;
  const { bytes, view, off, len, l4Off, rxPort, txPort, proto, src, dst, sport, dport, tos, flags, sa, nesting, qos } = slots;
  const { ports, sas, cryptoEntries, entryFirst, entryCount } = env.tables;
  const { path } = env.counters;
  const { route } = env.vec;
  const { toSend } = mtuProbes;
  let identification = 0;

  /** The SA that the group's traffic leaves by on that port now, or any with the other gateway. @returns slot, -1 = none */
  function sealerOf(row: number): number {
    const seconds = clock[Clock.Seconds];
    const port = toSend[row + ProbeRow.Port];
    const group = toSend[row + ProbeRow.Group];
    for (let entry = entryFirst[port]; group >= 0 && entry < entryFirst[port] + entryCount[port]; entry++) {
      const at = entry * CryptoEntry.Words;
      const slot = cryptoEntries[at + CryptoEntry.OutboundSa];
      if (cryptoEntries[at + CryptoEntry.Group] === group && canSeal(sas, slot, seconds) && !isPairwise(slot)) return slot;
    }
    for (let slot = 0; group < 0 && slot < Cap.Sas; slot++) {
      const at = slot * Sa.Words;
      const isPeer = sas[at + Sa.Peer] === toSend[row + ProbeRow.To] && sas[at + Sa.PeerPort] === toSend[row + ProbeRow.PeerPort];
      if (isPeer && isPairwise(slot) && canSeal(sas, slot, seconds)) return slot;
    }
    return -1;
  }

  function isPairwise(slot: number): boolean {
    return (sas[slot * Sa.Words + Sa.Flags] & SaFlag.Pairwise) !== 0;
  }

  function send(row: number): void {
    const slot = sealerOf(row);
    const port = toSend[row + ProbeRow.Port];
    const own = slot >= 0 && isPairwise(slot) ? sas[slot * Sa.Words + Sa.Local] : ports[port * PortRow.Words + PortRow.Address];
    if (slot < 0 || own === 0) return;
    const isTransport = (sas[slot * Sa.Words + Sa.Flags] & SaFlag.Transport) !== 0;
    const room = roomInside(sas, slot * Sa.Words, toSend[row + ProbeRow.Size], isTransport ? Ip4.HeaderLen : 0);
    const least = Ip4.HeaderLen + MtuProbe.Length;
    const length = toSend[row + ProbeRow.Kind] === ProbeKind.Answer ? least : room;
    if (length < least || length > SlotShape.MaxPacket) return;
    const id = slots.allocate();
    if (id < 0) return;
    const at = id * SlotShape.Bytes + SlotShape.Headroom;
    const to = toSend[row + ProbeRow.To];
    identification = (identification + 1) & 0xffff;
    bytes.fill(0, at, at + length);
    writeHeader(view, at, 0, length, identification, Ip4.DontFragment, InnerTtl, MtuProbe.Protocol, own, to);
    const kind = toSend[row + ProbeRow.Kind];
    const size = toSend[row + ProbeRow.Size];
    writeMtuProbe(view, at + Ip4.HeaderLen, kind, size, toSend[row + ProbeRow.NonceHigh], toSend[row + ProbeRow.NonceLow]);
    off[id] = at;
    len[id] = length;
    l4Off[id] = at + Ip4.HeaderLen;
    rxPort[id] = txPort[id] = port;
    proto[id] = MtuProbe.Protocol;
    src[id] = own;
    dst[id] = to;
    sport[id] = dport[id] = Port.None;
    tos[id] = 0;
    flags[id] = PacketFlag.FromHost | PacketFlag.MtuProbe;
    sa[id] = slot;
    nesting[id] = 0;
    qos[id] = 0;
    path[PathCount.Made]++;
    route.push(id);
  }

  return function mtuProbe() {
    for (let i = 0; i < mtuProbes.pending; i++) send(i * ProbeRow.Words);
    mtuProbes.pending = 0;
  };
}
