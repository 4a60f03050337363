// 10-rx: one batch from every link that has something. In: devices. Out: ip-input. Drops: too-big.
// What arrives is what a wire would carry: superpackets are cut and checksums completed by the native side while it copies (native.ts).
// The batch grows while a link keeps filling it and shrinks when traffic is light: a quiet link costs little and answers soon, a busy one
// pays its fixed costs once for many packets. Does not: wait.

import { Drop, PathCount, PortCount } from '../counters/declare.js';
import type { Env } from '../env.js';
import { Hop } from '../mem/capture.js';
import { isLocal } from '../mem/hash.js';
import { LinkKind, MaxLinks } from '../mem/links.js';
import { PacketFlag, SlotShape } from '../mem/slots.js';
import { bindRx } from '../native/bind.js';
import { BoundWord } from '../native/native.js';
import { Ip4 } from '../proto/ipv4.js';
import { CaptureDirection } from '../tables/capture.js';

const enum Batch {
  Least = 16,
  /** Slots of a batch fit the second-level cache beside the tables (256 * 2 KB). */
  Most = 256,
}

/** @returns a function that tells how many datagrams it read */
export function makeRx(env: Env): () => number {
  const { slots, native, links, capture, drop } = env;
  const { localSet } = env.tables;
  const { view, freeIds, off, len, rxPort, txPort, flags, sa, nesting, qos, packet } = slots;
  const { fd: fds, port: portOf, kind, ready, lost } = links;
  const { path, ports } = env.counters;
  const next = env.vec.ipInput;
  const batch = new Int32Array(MaxLinks).fill(Batch.Least);
  const offsets = new Int32Array(Batch.Most);
  const lengths = new Int32Array(Batch.Most);
  const call = new Int32Array(BoundWord.Words);
  call[BoundWord.Limit] = SlotShape.MaxPacket;
  const readBatch = bindRx(native, slots.bytes, offsets, lengths, call);

  function readLink(link: number): number {
    const port = portOf[link];
    const want = Math.min(batch[link], slots.freeCount);
    if (want === 0 || lost[port] !== 0) return 0; // without slots the device's queue holds them meanwhile
    // Look at the free ids without taking them: only as many are taken as datagrams come.
    const top = slots.freeCount - 1;
    for (let i = 0; i < want; i++) offsets[i] = freeIds[top - i] * SlotShape.Bytes + SlotShape.Headroom;
    call[BoundWord.Fd] = fds[link];
    call[BoundWord.Count] = want;
    readBatch();
    const read = call[BoundWord.Result];
    if (read < 0) {
      lost[port] = 1;
      return 0;
    }
    if (read === want) batch[link] = Math.min(batch[link] * 2, Batch.Most);
    else if (read * 4 < batch[link]) batch[link] = Math.max(batch[link] >> 1, Batch.Least);
    slots.freeCount -= read;
    // The kernel, which routed to the TUN, has taken this router's hop from the TTL. On every other link the packet still owes it.
    const isTunnel = kind[link] === LinkKind.Tunnel;
    const arrived = isTunnel ? PacketFlag.ByTunnel : kind[link] === LinkKind.Tun ? 0 : PacketFlag.OwesHop;
    let sum = 0;
    for (let i = 0; i < read; i++) {
      const id = freeIds[top - i];
      off[id] = offsets[i];
      len[id] = lengths[i];
      rxPort[id] = port;
      txPort[id] = port;
      flags[id] = arrived;
      sa[id] = -1;
      nesting[id] = 0;
      qos[id] = 0;
      sum += lengths[i];
      next.push(id);
    }
    if (!isTunnel) {
      ports[port * PortCount.Count + PortCount.RxPackets] += read;
      ports[port * PortCount.Count + PortCount.RxBytes] += sum;
    }
    if (capture.isOn()) noteArrived(port, kind[link], read, top);
    return read;
  }

  /** For a capture. What programs of this host send comes by a TUN too, but by no wire. @param top place of the first of the ids */
  function noteArrived(port: number, link: LinkKind, count: number, top: number): void {
    for (let i = 0; i < count; i++) {
      const id = freeIds[top - i];
      packet[id] = 0;
      if (link === LinkKind.Tunnel || !capture.takesWire(port)) continue;
      if (link !== LinkKind.Tun) capture.noteWire(id, port, CaptureDirection.In, Hop.None);
      else if (len[id] < Ip4.HeaderLen || !isLocal(localSet, view.getInt32(off[id] + Ip4.Src)))
        capture.noteWire(id, port, CaptureDirection.In, Hop.Taken);
    }
  }

  /** The native side reports what it cut as one byte more than there was room for. */
  function dropCut(): void {
    let kept = 0;
    for (let i = 0; i < next.length; i++) {
      const id = next.ids[i];
      if (len[id] > SlotShape.MaxPacket) drop(id, Drop.TooBig);
      else next.ids[kept++] = id;
    }
    next.length = kept;
  }

  return function rx() {
    let total = 0;
    for (let link = 0; link < links.count; link++) if (ready[link] !== 0) total += readLink(link);
    if (total === 0) return 0;
    path[PathCount.Received] += total;
    dropCut();
    return total;
  };
}
