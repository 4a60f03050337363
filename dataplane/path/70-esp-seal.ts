// 70-esp-seal: ESP tunnel mode, with the inner source and destination in the outer header (RFC 6407 §5.3.1 address preservation), or between two
// gateways with theirs (RFC 4301 §5.1.2); or transport mode, in which the packet's own header goes in front of ESP (RFC 4303 §3.1.1). In: packets with an SA that fit. Out: tx; between gateways route, in the next turn, as one of this host's own. Drops: sequence-exhausted, iv-exhausted, seal-failed.
//
//   | outer IPv4 20 | SPI, sequence | IV | inner packet … | padding, trailer | ICV |
//   written into the headroom                ^ untouched    written into the tailroom
//   With time-based anti-replay its header (proto/tbar.ts) stands between IV and inner packet.
//
// The inner TTL pays the hop that it owes (RFC 4301 §5.1.2.1). Outer header: ToS copied with its ECN bits (RFC 6040 §4.1, normal mode), DF copied (RFC 4301 §8.1), identification copied where it is set, TTL 64. Sequence
// numbers and IVs are counted in the sender-state file before anything is sealed (mem/sender-state.ts).
// ESP goes in UDP when that was agreed between two gateways, or a group's key server says so (RFC 3948): its header stands in front of the SPI.
// An extended sequence number (RFC 4303 §2.2.1) is sent by its lower half; the ICV covers all of it.
// Does not: traffic flow padding.

import { Drop, GroupCount, SaCount } from '../counters/declare.js';
import { type Env, SenderRow } from '../env.js';
import { Clock } from '../mem/clock.js';
import { makeCut } from '../mem/cut.js';
import { EventKind } from '../mem/events.js';
import { PortRow } from '../mem/shared.js';
import { PacketFlag, SlotShape } from '../mem/slots.js';
import { bindSeal } from '../native/bind.js';
import { BoundWord, Job, JobStatus } from '../native/native.js';
import { Esp, isCombined, moveHeader, padLength, writeTrailer } from '../proto/esp.js';
import { EspUdp, writeEspUdp } from '../proto/esp-in-udp.js';
import { Ip4, IpProto, lowerTtl, writeHeader } from '../proto/ipv4.js';
import { Port } from '../proto/l4.js';
import { counterLimit, writeIv } from '../proto/sender-iv.js';
import { nextHeaderOf, Tbar, writeTbar } from '../proto/tbar.js';
import { CaptureDirection } from '../tables/capture.js';
import { Cap, CryptoDf, Sa, SaFlag } from '../tables/layout.js';

const OuterTtl = 64;
const LastSequence = 0xffffffff;
/** As far as a Float64 counts: at 10^7 packets a second it lasts 28 years. */
const LastExtended = Number.MAX_SAFE_INTEGER;

export function makeEspSeal(env: Env): () => void {
  const { capture, drop, events, native, senderRows, workerIndex, workers, clock } = env;
  const { bytes, view, off, len, l4Off, txPort, flags, sa, src, dst, proto, sport, dport } = env.slots;
  const { sas, ports } = env.tables;
  const { groups, sas: counts, saSequences, path } = env.counters;
  const cut = makeCut(env.slots, path, drop);
  const { espSeal: input, tx: next, route } = env.vec;
  const { numbers } = env.senders;
  const jobs = new Int32Array(SlotShape.Count * Job.Words);
  const jobIds = new Int32Array(SlotShape.Count);
  const call = new Int32Array(BoundWord.Words);
  const sealBatch = bindSeal(native, bytes, jobs, call);
  const jobInnerLen = new Int32Array(SlotShape.Count);
  let jobCount = 0;
  let outerId = 0;

  function refuse(id: number, reason: Drop): void {
    counts[sa[id] * SaCount.Count + SaCount.SendErrors]++;
    drop(id, reason);
  }

  /** The first of this worker's sender IDs (mem/hand-over.ts) that has IVs left. @returns its place in the row, -1 = none */
  function senderFor(slot: number): number {
    const row = slot * Sa.Words;
    const limit = counterLimit(sas[row + Sa.SidBits]);
    for (let i = workerIndex; i < sas[row + Sa.SidCount] && i < Cap.Sids; i += workers) {
      const at = senderRows[slot * SenderRow.Words + SenderRow.Iv + i];
      if (at >= 0 && numbers[at] < limit) return i;
    }
    return -1;
  }

  /** Takes sequence number and IV, writes everything but the ciphertext, and appends a job. Or drops. */
  function prepare(id: number) {
    const slot = sa[id];
    const row = slot * Sa.Words;
    const isCounterMode = isCombined(sas[row + Sa.Cipher]);
    const sequenceAt = senderRows[slot * SenderRow.Words + SenderRow.Sequence];
    const sequence = sequenceAt < 0 ? Number.POSITIVE_INFINITY : numbers[sequenceAt];
    const isExtended = (sas[row + Sa.Flags] & SaFlag.Extended) !== 0;
    if (sequence > (isExtended ? LastExtended : LastSequence)) {
      events.note(EventKind.SequenceExhausted, sas[row + Sa.Spi], src[id], dst[id]);
      return refuse(id, Drop.SequenceExhausted);
    }
    const sender = isCounterMode ? senderFor(slot) : 0;
    if (sender < 0) {
      events.note(EventKind.IvExhausted, sas[row + Sa.Spi], src[id], dst[id]);
      return refuse(id, Drop.IvExhausted);
    }
    numbers[sequenceAt] = sequence + 1;
    saSequences[slot] = sequence;

    const packet = off[id];
    if ((flags[id] & PacketFlag.OwesHop) !== 0) lowerTtl(view, packet);
    if (capture.takesInner()) capture.noteInner(id, txPort[id], CaptureDirection.Out);
    const packetLen = len[id];
    const header = (sas[row + Sa.Flags] & SaFlag.Transport) !== 0 ? (view.getUint8(packet) & 15) << 2 : 0;
    const inner = packet + header;
    const innerLen = packetLen - header;
    const ivLen = sas[row + Sa.IvLen];
    const isTimed = sas[row + Sa.TimeWindow] > 0;
    const shim = isTimed ? Tbar.HeaderLen : 0;
    const padLen = padLength(shim + innerLen, sas[row + Sa.Align]);
    const textLen =
      shim +
      innerLen +
      writeTrailer(bytes, inner + innerLen, padLen, header > 0 ? view.getUint8(packet + Ip4.Protocol) : nextHeaderOf(isTimed));
    const esp = inner - shim - ivLen - Esp.HeaderLen;
    const udp = sas[row + Sa.PeerPort] !== 0 ? EspUdp.HeaderLen : 0;
    const espLen = Esp.HeaderLen + ivLen + textLen + sas[row + Sa.IcvLen];
    const outer = esp - udp - (header || Ip4.HeaderLen);
    const outerLen = (header || Ip4.HeaderLen) + udp + espLen;
    // Before ESP and IV, which in transport mode are written over where the header was.
    if (header > 0) moveHeader(bytes, view, packet, outer, header, outerLen, udp > 0 ? IpProto.Udp : IpProto.Esp);
    else writeOuter(id, outer, inner, outerLen);
    if (udp > 0) writeEspUdp(view, esp - udp, sas[row + Sa.PeerPort], espLen);
    if (isTimed) stamp(row, inner - shim);
    view.setInt32(esp + Esp.Spi, sas[row + Sa.Spi]);
    const low = sequence >>> 0;
    view.setUint32(esp + Esp.Seq, low);
    if (isCounterMode) {
      const at = senderRows[slot * SenderRow.Words + SenderRow.Iv + sender];
      const counter = numbers[at];
      numbers[at] = counter + 1;
      writeIv(view, esp + Esp.HeaderLen, sas[row + Sa.Sids + sender], sas[row + Sa.SidBits], workerIndex, counter);
    }
    const job = jobCount * Job.Words;
    jobs[job + Job.Slot] = slot;
    jobs[job + Job.Offset] = esp;
    jobs[job + Job.TextLen] = textLen;
    jobs[job + Job.Extended] = isExtended ? 1 + (sequence - low) / 2 ** 32 : 0;
    jobInnerLen[jobCount] = packetLen;
    jobIds[jobCount++] = id;
    off[id] = outer;
    len[id] = outerLen;
  }

  /** The group's pseudotime, in front of the inner packet. */
  function stamp(row: number, at: number): void {
    const offset = sas[row + Sa.TimeHigh] * 4294967296 + (sas[row + Sa.TimeLow] >>> 0);
    writeTbar(view, at, Math.max(0, Math.floor(clock[Clock.Ms] + offset)));
    groups[sas[row + Sa.Group] * GroupCount.Count + GroupCount.TimeSent]++;
  }

  /** @param inner DF as it is inside */
  function outerDf(id: number, inner: number): number {
    const mode = ports[txPort[id] * PortRow.Words + PortRow.CryptoDf];
    return mode === CryptoDf.Copy ? inner : mode === CryptoDf.Set ? Ip4.DontFragment : 0;
  }

  function writeOuter(id: number, outer: number, inner: number, total: number): void {
    const row = sa[id] * Sa.Words;
    const isPairwise = (sas[row + Sa.Flags] & SaFlag.Pairwise) !== 0;
    const fragment = view.getUint16(inner + Ip4.FlagsOffset);
    const isFragment = (fragment & (Ip4.MoreFragments | Ip4.OffsetMask)) !== 0;
    const df = outerDf(id, fragment & Ip4.DontFragment);
    // What may be cut on the way needs an identification of its own among all ESP between these ends (RFC 6864 §4.3): fragments of one datagram share theirs, and datagrams of two
    // protocols may have the same.
    const isOwn = isFragment || isPairwise || df === 0;
    if (isOwn) outerId = (outerId + 1) & 0xffff;
    const identification = isOwn ? outerId : view.getUint16(inner + Ip4.Id);
    const from = isPairwise ? sas[row + Sa.Local] : view.getInt32(inner + Ip4.Src);
    const to = isPairwise ? sas[row + Sa.Peer] : view.getInt32(inner + Ip4.Dst);
    const protocol = sas[row + Sa.PeerPort] !== 0 ? IpProto.Udp : IpProto.Esp;
    writeHeader(view, outer, view.getUint8(inner + Ip4.Tos), total, identification, df, OuterTtl, protocol, from, to);
  }

  /** What was sealed whole and does not fit leaves in fragments; its DF is 0 (path/60). What goes to a peer comes by path/60 again. */
  function sendToGroup(id: number): void {
    const limit = ports[txPort[id] * PortRow.Words + PortRow.Mtu];
    if (len[id] <= limit || ports[txPort[id] * PortRow.Words + PortRow.CutSealed] === 0) next.push(id);
    else cut(id, limit, next);
  }

  /** Its way is the peer's now and not that of the packet inside. Nothing of that holds for it: translation, policy routing, the hop that it owed. */
  function sendToPeer(id: number, esp: number): void {
    const row = sa[id] * Sa.Words;
    src[id] = sas[row + Sa.Local];
    dst[id] = sas[row + Sa.Peer];
    const peerPort = sas[row + Sa.PeerPort];
    proto[id] = peerPort !== 0 ? IpProto.Udp : IpProto.Esp;
    sport[id] = peerPort !== 0 ? EspUdp.Port : Port.None;
    dport[id] = peerPort || Port.None;
    l4Off[id] = peerPort !== 0 ? esp - EspUdp.HeaderLen : esp;
    flags[id] = PacketFlag.FromHost | PacketFlag.Sealed;
    sa[id] = -1;
    route.push(id);
  }

  function count(slot: number, innerLen: number): void {
    const group = sas[slot * Sa.Words + Sa.Group] * GroupCount.Count;
    counts[slot * SaCount.Count + SaCount.SealedPackets]++;
    counts[slot * SaCount.Count + SaCount.SealedBytes] += innerLen;
    groups[group + GroupCount.SealedPackets]++;
    groups[group + GroupCount.SealedBytes] += innerLen;
  }

  return function espSeal() {
    if (input.length === 0) return;
    jobCount = 0;
    for (let i = 0; i < input.length; i++) prepare(input.ids[i]);
    input.clear();
    if (jobCount === 0) return;
    env.senders.flush();
    call[BoundWord.Count] = jobCount;
    sealBatch();
    for (let i = 0; i < jobCount; i++) {
      const id = jobIds[i];
      if (jobs[i * Job.Words + Job.Status] !== JobStatus.Ok) {
        refuse(id, Drop.SealFailed);
        continue;
      }
      count(sa[id], jobInnerLen[i]);
      if ((sas[sa[id] * Sa.Words + Sa.Flags] & SaFlag.Pairwise) !== 0) sendToPeer(id, jobs[i * Job.Words + Job.Offset]);
      else {
        flags[id] |= PacketFlag.Sealed;
        sendToGroup(id);
      }
    }
  };
}
