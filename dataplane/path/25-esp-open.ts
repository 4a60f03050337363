// 25-esp-open: verify and decrypt ESP (RFC 4303 §3.4). In: ESP packets. Out: the inner packet to ip-input in the next turn;
// transit ESP to policy-in. Drops: the esp-* reasons, nesting-too-deep; mtu-probe and mtu-probe-flood: other members' probes, which 28-mtu-probe answers.
//
//   SPI -> SA -> not expired -> sizes -> replay, a first look -> one open batch -> trailer -> pseudotime -> inner header -> header preserved
//       -> policy -> replay, test and set -> inner packet
//
// A GET VPN member opens ESP that is not addressed to it: the outer addresses are those of the hosts (RFC 5374 §3.1, RFC 6407 §5.3.1). An SA between two
// gateways is for what is sent to our end of it (RFC 4301 §4.1), has one sender, and what is inside has addresses of its own. It
// comes in UDP when that was agreed (RFC 3948), and only then.
// Of an extended sequence number (RFC 4303 §2.2.1) the upper half is inferred from the window; a wrong one ends in a wrong ICV.
// Fragments were put together in 23-assemble; those that still come are somebody else's. Does not: look for a counter that is 2^32 packets ahead (RFC 4303 App. A3).

import { Drop, GroupCount, PathCount, SaCount } from '../counters/declare.js';
import type { Env } from '../env.js';
import { Clock } from '../mem/clock.js';
import { EventKind } from '../mem/events.js';
import { findSpi, isLocal } from '../mem/hash.js';
import { PortCrypto, PortRow } from '../mem/shared.js';
import { MaxNesting, PacketFlag, SlotShape } from '../mem/slots.js';
import { makeTokenBucket } from '../mem/token-bucket.js';
import { bindOpen } from '../native/bind.js';
import { BoundWord, Job, JobStatus } from '../native/native.js';
import { checkTrailer, Esp, EspNext, moveHeader, Trailer } from '../proto/esp.js';
import { EspUdp, mendChecksum } from '../proto/esp-in-udp.js';
import { IpProto, Ipv4Fault, setCongestion } from '../proto/ipv4.js';
import { MtuProbe, mtuProbeKind, ProbeKind } from '../proto/mtu-probe.js';
import { End } from '../proto/nat.js';
import { Mark } from '../proto/replay.js';
import { isTimely, nextHeaderOf, readTbar, Tbar } from '../proto/tbar.js';
import { CaptureDirection } from '../tables/capture.js';
import { Ace, AceAction, Cap, Sa, SaFlag } from '../tables/layout.js';

/** Answers to other members' probes of path MTU discovery, by worker. */
const AnswersPerSecond = 200;
const AnswerBurst = 64;

export function makeEspOpen(env: Env): () => void {
  const { capture, drop, parse, classify, replay, events, native, clock, nat, mtuProbes } = env;
  const { bytes, view, off, len, l4Off, rxPort, proto, src, dst, tos, flags, sa, sender, nesting } = env.slots;
  const { sas, saLists, ports, aces, spiMap, localSet } = env.tables;
  const counts = env.counters.sas;
  const { groups, aceHits, path } = env.counters;
  const { espOpen: input, ipInput, policyIn } = env.vec;
  const jobs = new Int32Array(SlotShape.Count * Job.Words);
  const jobIds = new Int32Array(SlotShape.Count);
  const jobSequences = new Float64Array(SlotShape.Count);
  const call = new Int32Array(BoundWord.Words);
  const openBatch = bindOpen(native, bytes, jobs, call);
  const mayAnswer = makeTokenBucket(clock, AnswerBurst, AnswersPerSecond);
  let jobCount = 0;

  function refuse(id: number, reason: Drop): void {
    counts[sa[id] * SaCount.Count + SaCount.ReceiveErrors]++;
    drop(id, reason);
  }

  /** For us: sent to our address, or in the clear part of a group's network whose ESP is ours to open. Else it is somebody else's tunnel, or the NAT traversal of hosts. */
  function isOurs(id: number): boolean {
    if ((flags[id] & PacketFlag.FromHost) !== 0) return false;
    if (isLocal(localSet, dst[id])) return true;
    if (isInUdp(id)) return false;
    return (flags[id] & PacketFlag.Decrypted) === 0 && ports[rxPort[id] * PortRow.Words + PortRow.HasCryptoMap] === PortCrypto.Groups;
  }

  /** @returns slot of the SA, -1 = none of ours */
  function slotFor(id: number, spi: number): number {
    const slot = findSpi(spiMap, spi);
    const row = slot * Sa.Words;
    if (slot < 0 || (sas[row + Sa.PeerPort] !== 0) !== isInUdp(id)) return -1;
    return isPairwise(row) && dst[id] !== sas[row + Sa.Local] ? -1 : slot;
  }

  function isInUdp(id: number): boolean {
    return proto[id] === IpProto.Udp;
  }

  /** Where the SPI is. */
  function espOf(id: number): number {
    return isInUdp(id) ? l4Off[id] + EspUdp.HeaderLen : l4Off[id];
  }

  function isPairwise(row: number): boolean {
    return (sas[row + Sa.Flags] & SaFlag.Pairwise) !== 0;
  }

  /** RFC 6054 §3: the sender is named by the leftmost bits of the IV. */
  function senderIdOf(ivAt: number, bits: number): number {
    return bits === 32 ? view.getInt32(ivAt) : view.getUint32(ivAt) >>> (32 - bits);
  }

  function isOwnSenderId(row: number, sid: number): boolean {
    for (let i = 0; i < sas[row + Sa.SidCount] && i < Cap.Sids; i++) if (sas[row + Sa.Sids + i] === sid) return true;
    return false;
  }

  /** Everything that can be said before the keys are used. Takes the packet: a job, another vector or a drop. */
  function prepare(id: number) {
    const isFragment = (flags[id] & (PacketFlag.LaterFragment | PacketFlag.MoreFragments)) !== 0;
    const esp = espOf(id);
    const room = off[id] + len[id] - esp;
    const slot = room >= Esp.HeaderLen && !isFragment ? slotFor(id, view.getInt32(esp + Esp.Spi)) : -1;
    if (slot < 0 || (flags[id] & PacketFlag.FromHost) !== 0) {
      if (!isOurs(id) || nat.hasFromOutside(id)) policyIn.push(id);
      else if (room < Esp.HeaderLen) drop(id, Drop.EspTruncated);
      else {
        events.note(EventKind.InvalidSpi, view.getInt32(esp + Esp.Spi), src[id], dst[id]);
        drop(id, Drop.EspUnknownSpi);
      }
      return;
    }
    sa[id] = slot;
    const row = slot * Sa.Words;
    if (nesting[id] >= MaxNesting) return refuse(id, Drop.NestingTooDeep);
    if (((sas[row + Sa.ExpiresAt] - clock[Clock.Seconds]) | 0) <= 0) return refuse(id, Drop.EspExpired);
    const ivLen = sas[row + Sa.IvLen];
    const textLen = room - Esp.HeaderLen - ivLen - sas[row + Sa.IcvLen];
    if (textLen < Esp.TrailerLen || (textLen & (sas[row + Sa.Align] - 1)) !== 0) return refuse(id, Drop.EspTruncated);
    const sidBits = sas[row + Sa.SidBits];
    // Without sender IDs the sender is the inner source. It is not known yet, but must equal the outer one (see finish).
    sender[id] = isPairwise(row) ? 0 : sidBits > 0 ? senderIdOf(esp + Esp.HeaderLen, sidBits) : src[id];
    const size = windowOf(row);
    // What carries our own sender ID we have sent ourselves: somebody throws it back.
    const isEcho = sidBits > 0 && isOwnSenderId(row, sender[id]);
    const isExtended = (sas[row + Sa.Flags] & SaFlag.Extended) !== 0;
    const low = view.getUint32(esp + Esp.Seq);
    const sequence = isExtended ? replay.extend(slot, sender[id], low, size) : low;
    if (isEcho || (size > 0 && !replay.mayBeFresh(slot, sender[id], sequence, size))) return refuseReplay(id);
    const job = jobCount * Job.Words;
    jobs[job + Job.Slot] = slot;
    jobs[job + Job.Offset] = esp;
    jobs[job + Job.TextLen] = textLen;
    jobs[job + Job.Extended] = isExtended ? 1 + (sequence - low) / 2 ** 32 : 0;
    jobSequences[jobCount] = sequence;
    jobIds[jobCount++] = id;
  }

  /** Packets of the window; time-based anti-replay has none. */
  function windowOf(row: number): number {
    return sas[row + Sa.TimeWindow] > 0 ? 0 : sas[row + Sa.ReplayWindow];
  }

  /** The sender's pseudotime is near enough to ours. Counts; tells what was refused. @param at of the payload */
  function arrivesInTime(id: number, row: number, at: number, length: number): boolean {
    const peer = readTbar(view, at, length);
    const own = clock[Clock.Ms] + sas[row + Sa.TimeHigh] * 4294967296 + (sas[row + Sa.TimeLow] >>> 0);
    const isFine = peer >= 0 && isTimely(peer, own, sas[row + Sa.TimeWindow]);
    groups[sas[row + Sa.Group] * GroupCount.Count + (isFine ? GroupCount.TimeAccepted : GroupCount.TimeRefused)]++;
    if (isFine) return true;
    counts[sa[id] * SaCount.Count + SaCount.ReplayDrops]++;
    events.noteTime(sas[row + Sa.Spi], src[id], dst[id], own, peer);
    return false;
  }

  function refuseReplay(id: number): void {
    const slot = sa[id];
    counts[slot * SaCount.Count + SaCount.ReplayDrops]++;
    events.note(EventKind.Replay, sas[slot * Sa.Words + Sa.Spi], src[id], dst[id]);
    refuse(id, Drop.EspReplay);
  }

  /** The peer's checksums were made before a translator gave it, or us, another address. */
  function mend(id: number, row: number): void {
    mendChecksum(view, off[id], l4Off[id], off[id] + len[id], End.Source, sas[row + Sa.PeerOriginal]);
    mendChecksum(view, off[id], l4Off[id], off[id] + len[id], End.Destination, sas[row + Sa.LocalOriginal]);
  }

  /** Of another member (path/28): answered by this router, whoever it is for; its list says nothing about it. */
  function takeProbe(id: number, row: number, kind: ProbeKind) {
    const at = l4Off[id];
    const size = view.getUint16(at + MtuProbe.Size);
    const high = view.getInt32(at + MtuProbe.NonceHigh);
    const low = view.getInt32(at + MtuProbe.NonceLow);
    const group = isPairwise(row) ? -1 : sas[row + Sa.Group];
    const to = isPairwise(row) ? sas[row + Sa.Peer] : src[id];
    const isTaken =
      kind === ProbeKind.Answer
        ? mtuProbes.note(src[id], size, high, low)
        : mayAnswer() && mtuProbes.ask(ProbeKind.Answer, rxPort[id], group, to, sas[row + Sa.PeerPort], size, high, low);
    drop(id, isTaken ? Drop.MtuProbe : Drop.MtuProbeFlood);
  }

  /** After a good ICV: what is inside must be a packet that this SA may carry. */
  function finish(id: number, textLen: number, sequence: number) {
    const slot = sa[id];
    const row = slot * Sa.Words;
    const esp = espOf(id);
    const outerSrc = src[id];
    const outerDst = dst[id];
    const outerTos = tos[id];
    const text = esp + Esp.HeaderLen + sas[row + Sa.IvLen];
    const isTimed = sas[row + Sa.TimeWindow] > 0;
    const isTransport = (sas[row + Sa.Flags] & SaFlag.Transport) !== 0;
    const payload = checkTrailer(bytes, text, textLen, isTransport ? EspNext.Any : nextHeaderOf(isTimed));
    if (payload === Trailer.Dummy) return drop(id, Drop.EspDummy);
    if (payload < 0) return refuse(id, Drop.EspTrailer);
    const shim = isTimed ? Tbar.HeaderLen : 0;
    if (isTimed && !arrivesInTime(id, row, text, payload)) return refuse(id, Drop.EspTime);
    const header = isTransport ? l4Off[id] - off[id] : 0;
    const inner = text + shim - header;
    if (isTransport) moveHeader(bytes, view, off[id], inner, header, header + payload, bytes[text + textLen - 1]);
    off[id] = inner;
    len[id] = header + payload - shim; // more than the datagram's own length is traffic flow padding (RFC 4303 §2.7): parse cuts it off
    if (parse(id) !== Ipv4Fault.None) return refuse(id, Drop.EspInnerHeader);
    if (isTransport && sas[row + Sa.PeerPort] !== 0) mend(id, row);
    if (capture.takesInner()) capture.noteInner(id, rxPort[id], CaptureDirection.In);
    if (!isPairwise(row) && (src[id] !== outerSrc || dst[id] !== outerDst)) return refuse(id, Drop.EspHeaderNotPreserved);
    const kind = mtuProbeKind(view, proto[id], l4Off[id], off[id] + len[id]);
    const ace = kind === ProbeKind.None ? classify(saLists[slot], id) : -1;
    if (kind === ProbeKind.None && (ace < 0 || aces[ace * Ace.Words + Ace.Action] !== AceAction.Permit)) return refuse(id, Drop.EspPolicy);
    const size = windowOf(row);
    if (size > 0) {
      if (replay.mark(slot, sender[id], sequence, size) === Mark.Seen) return refuseReplay(id);
    }
    if ((outerTos & 3) === 3 && !setCongestion(view, inner)) return refuse(id, Drop.EspCongestion);
    if (kind !== ProbeKind.None) return takeProbe(id, row, kind);
    aceHits[ace]++;
    const group = sas[row + Sa.Group] * GroupCount.Count;
    counts[slot * SaCount.Count + SaCount.OpenedPackets]++;
    counts[slot * SaCount.Count + SaCount.OpenedBytes] += len[id];
    groups[group + GroupCount.OpenedPackets]++;
    groups[group + GroupCount.OpenedBytes] += len[id];
    flags[id] = (flags[id] & ~PacketFlag.Decapsulated) | PacketFlag.Decrypted | PacketFlag.OwesHop;
    nesting[id]++;
    sa[id] = -1;
    ipInput.push(id);
  }

  return function espOpen() {
    if (input.length === 0) return;
    jobCount = 0;
    for (let i = 0; i < input.length; i++) prepare(input.ids[i]);
    input.clear();
    if (jobCount === 0) return;
    call[BoundWord.Count] = jobCount;
    openBatch();
    for (let i = 0; i < jobCount; i++) {
      const id = jobIds[i];
      if (jobs[i * Job.Words + Job.Status] === JobStatus.Ok) finish(id, jobs[i * Job.Words + Job.TextLen], jobSequences[i]);
      else {
        counts[sa[id] * SaCount.Count + SaCount.IntegrityDrops]++;
        refuse(id, Drop.EspIntegrity);
      }
    }
    path[PathCount.ReplayEvictions] = replay.evictions;
  };
}
