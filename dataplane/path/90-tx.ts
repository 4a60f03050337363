// 90-tx: one batch write per link, then the slots are free. In: packets that are done. Out: devices. Drops: tx-full, tx-error, port-down, multicast-no-link.
//
// Which link: what policy routing has decided about goes by the link to its hop, or not at all: the kernel's own route is another. Multicast goes by the link for it or not at all, as the kernel has no route for it; what was sealed goes by a raw link; what has a known neighbour by an Ethernet link, under that neighbour's header; the rest by
// the port's TUN, where the kernel resolves the address. Coalescing into superpackets is the native side's (native.ts). ESP in UDP leaves by the TUN where that
// joins it and the faster link does not, when a batch has runs of equal length: up to 64 datagrams go the kernel's way as one (measured: bench/README.md). What comes
// alone, or in all lengths, costs less by the faster link.
//
// The router is one hop. What is written to a TUN is routed by the kernel, which takes one from the TTL: right for what still owes its hop,
// one too many for what has paid or owes none (this host's own), so that is written with TTL + 1. On other links nobody takes
// anything: what owes pays here. What is sealed paid inside, and has its own TTL outside. A datagram with TTL 255 that has paid cannot be given
// its step back and leaves a TUN with 254.

import { Drop, PathCount, PortCount } from '../counters/declare.js';
import type { Env } from '../env.js';
import { Hop } from '../mem/capture.js';
import { LinkKind } from '../mem/links.js';
import { NeighbourRow } from '../mem/shared.js';
import { PacketFlag, SlotShape } from '../mem/slots.js';
import { bindTx } from '../native/bind.js';
import { BoundWord, EthernetHeaderLen, isFull } from '../native/native.js';
import { Ip4, IpProto, isMulticast, lowerTtl, raiseTtl } from '../proto/ipv4.js';
import { CaptureDirection } from '../tables/capture.js';
import { Cap } from '../tables/layout.js';

const enum Batch {
  Most = 256,
}
/** Queues: first the ports' TUNs, then their fast links, then those for multicast, then the hops of policy routing. */
const FirstFast = Cap.Ports;
const FirstGroups = 2 * Cap.Ports;
const FirstPolicy = 3 * Cap.Ports;
const Queues = FirstPolicy + Cap.PolicyHops;
/** EtherType of IPv4 (RFC 894). */
const EtherTypeIpv4 = 0x0800;

export function makeTx(env: Env): () => void {
  const { slots, native, links, neighbours, capture, drop } = env;
  const { view, off, len, txPort, nextHop, hop, flags } = slots;
  const { tun, joinsUdp, fast, fastKind, groups, policy, policyPort } = links;
  const { rows } = neighbours;
  const { path, ports } = env.counters;
  const { tx: input } = env.vec;
  /** Ids that wait per queue, Batch.Most each. */
  const waiting = new Int32Array(Queues * Batch.Most);
  const counts = new Int32Array(Queues);
  /** Queues that have something; one that was full in between stands there again. */
  const used = new Int32Array(Queues + SlotShape.Count / Batch.Most);
  let usedCount = 0;
  const offsets = new Int32Array(Batch.Most);
  const lengths = new Int32Array(Batch.Most);
  const results = new Int32Array(Batch.Most);
  const call = new Int32Array(BoundWord.Words);
  const writeBatch = bindTx(native, slots.bytes, offsets, lengths, results, call);
  /** Of this batch: hasRuns(), null = nobody has asked. */
  let joins: boolean | null = null;

  function flush(queue: number): void {
    const port = queue < FirstPolicy ? queue % Cap.Ports : policyPort[queue - FirstPolicy];
    const count = counts[queue];
    const first = queue * Batch.Most;
    counts[queue] = 0;
    for (let i = 0; i < count; i++) {
      offsets[i] = off[waiting[first + i]];
      lengths[i] = len[waiting[first + i]];
    }
    if (capture.takesWire(port)) noteLeaving(port, first, count, queue < FirstFast ? Hop.Takes : Hop.None);
    call[BoundWord.Fd] = fdOf(queue, port);
    call[BoundWord.Count] = count;
    writeBatch();
    const sent = call[BoundWord.Result];
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const id = waiting[first + i];
      if (results[i] === 0) {
        sum += lengths[i];
        slots.release(id);
      } else {
        drop(id, isFull(results[i]) ? Drop.TxFull : Drop.TxError);
      }
    }
    ports[port * PortCount.Count + PortCount.TxPackets] += sent;
    ports[port * PortCount.Count + PortCount.TxBytes] += sum;
    path[PathCount.Sent] += sent;
  }

  /** For a capture, in front of the native side, which may join datagrams where they lie. */
  function noteLeaving(port: number, first: number, count: number, hop: Hop): void {
    for (let i = 0; i < count; i++) capture.noteWire(waiting[first + i], port, CaptureDirection.Out, hop);
  }

  function fdOf(queue: number, port: number): number {
    if (queue < FirstFast) return tun[port];
    if (queue < FirstGroups) return fast[port];
    return queue < FirstPolicy ? groups[port] : policy[queue - FirstPolicy];
  }

  /** Writes the Ethernet header of the packet's next hop. @returns false when the neighbour is not known */
  function writeEthernet(id: number, port: number): boolean {
    const row = neighbours.find(port, nextHop[id]);
    if (row < 0) return false;
    const at = off[id] - EthernetHeaderLen;
    view.setInt32(at, rows[row + NeighbourRow.Header]);
    view.setInt32(at + 4, rows[row + NeighbourRow.Header + 1]);
    view.setInt32(at + 8, rows[row + NeighbourRow.Header + 2]);
    view.setUint16(at + 12, EtherTypeIpv4);
    return true;
  }

  /** Is at least half of what was sealed as long as what was sealed before it? */
  function hasRuns(): boolean {
    let sealed = 0;
    let alike = 0;
    let before = 0;
    for (let i = 0; i < input.length; i++) {
      const id = input.ids[i];
      if ((flags[id] & PacketFlag.Sealed) === 0) continue;
      sealed++;
      if (len[id] === before) alike++;
      before = len[id];
    }
    return alike > 0 && alike * 2 >= sealed;
  }

  function isForSuperpackets(id: number, port: number): boolean {
    if (joinsUdp[port] === 0 || fastKind[port] === LinkKind.Packet || (flags[id] & PacketFlag.Sealed) === 0) return false;
    if (view.getUint8(off[id] + Ip4.Protocol) !== IpProto.Udp) return false;
    joins ??= hasRuns();
    return joins;
  }

  function takesFastLink(id: number, port: number): boolean {
    if (fast[port] < 0 || isForSuperpackets(id, port)) return false;
    return fastKind[port] === LinkKind.Raw ? (flags[id] & PacketFlag.Sealed) !== 0 : writeEthernet(id, port);
  }

  function enqueue(id: number, queue: number): void {
    if (counts[queue] === 0) used[usedCount++] = queue;
    waiting[queue * Batch.Most + counts[queue]++] = id;
    if (counts[queue] === Batch.Most) flush(queue);
  }

  return function tx() {
    joins = null;
    for (let i = 0; i < input.length; i++) {
      const id = input.ids[i];
      const port = txPort[id];
      if (tun[port] < 0) {
        drop(id, Drop.PortDown);
        continue;
      }
      if ((flags[id] & PacketFlag.PolicyRouted) !== 0) {
        if (policy[hop[id]] < 0) drop(id, Drop.PortDown);
        else {
          if ((flags[id] & (PacketFlag.Sealed | PacketFlag.OwesHop)) === PacketFlag.OwesHop) lowerTtl(view, off[id]);
          enqueue(id, FirstPolicy + hop[id]);
        }
        continue;
      }
      const isGroup = isMulticast(nextHop[id]);
      if (isGroup && (groups[port] < 0 || !writeEthernet(id, port))) {
        drop(id, Drop.MulticastNoLink);
        continue;
      }
      const isFast = isGroup || takesFastLink(id, port);
      const owes = flags[id] & (PacketFlag.Sealed | PacketFlag.OwesHop);
      if (isFast && owes === PacketFlag.OwesHop) lowerTtl(view, off[id]);
      else if (!isFast && owes === 0) raiseTtl(view, off[id]);
      const queue = isGroup ? FirstGroups + port : isFast ? FirstFast + port : port;
      enqueue(id, queue);
    }
    input.clear();
    for (let i = 0; i < usedCount; i++) if (counts[used[i]] > 0) flush(used[i]);
    usedCount = 0;
  };
}
