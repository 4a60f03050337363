// 10-rx: one batch from every open port. In: devices. Out: ip-input. Drops: too-big.
// The batch grows to 64 while a port keeps filling it and shrinks when traffic is light, so that a quiet port costs little.
// Does not: GSO split (offloads are off in this version), wait.

import { Drop, PathCount, PortCount } from '../counters/declare.js';
import type { Env } from '../env.js';
import { SlotShape } from '../mem/slots.js';
import { Cap } from '../tables/layout.js';

const enum Batch {
  Least = 8,
  Most = 64,
}

/** @returns a function that tells how many datagrams it read */
export function makeRx(env: Env): () => number {
  const { slots, native, portFds, portLost, drop } = env;
  const { bytes, freeIds, off, len, rxPort, txPort, flags, sa, nesting } = slots;
  const { path, ports } = env.counters;
  const next = env.vec.ipInput;
  const batch = new Int32Array(Cap.Ports).fill(Batch.Least);
  const offsets = new Int32Array(Batch.Most);
  const lengths = new Int32Array(Batch.Most);

  function readPort(port: number): number {
    const want = Math.min(batch[port], slots.freeCount);
    if (want === 0) return 0; // the device's queue holds them meanwhile
    // Look at the free ids without taking them: only as many are taken as datagrams come.
    const top = slots.freeCount - 1;
    for (let i = 0; i < want; i++) offsets[i] = freeIds[top - i] * SlotShape.Bytes + SlotShape.Headroom;
    const read = native.rx(portFds[port], bytes, offsets, lengths, want, SlotShape.MaxPacket);
    if (read < 0) {
      portFds[port] = -1;
      portLost[port] = 1;
      return 0;
    }
    if (read === want) batch[port] = Math.min(batch[port] * 2, Batch.Most);
    else if (read * 4 < batch[port]) batch[port] = Math.max(batch[port] >> 1, Batch.Least);
    slots.freeCount -= read;
    let sum = 0;
    for (let i = 0; i < read; i++) {
      const id = freeIds[top - i];
      off[id] = offsets[i];
      len[id] = lengths[i];
      rxPort[id] = port;
      txPort[id] = port;
      flags[id] = 0;
      sa[id] = -1;
      nesting[id] = 0;
      sum += lengths[i];
      next.push(id);
    }
    ports[port * PortCount.Count + PortCount.RxPackets] += read;
    ports[port * PortCount.Count + PortCount.RxBytes] += sum;
    return read;
  }

  /** The device reports what it cut as one byte more than there was room for. */
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
    for (let port = 0; port < Cap.Ports; port++) if (portFds[port] >= 0) total += readPort(port);
    if (total === 0) return 0;
    path[PathCount.Received] += total;
    dropCut();
    return total;
  };
}
