// 90-tx: one batch write per port, then the slots are free. In: packets that are done. Out: devices. Drops: tx-full, tx-error, port-down.
//
// The router counts as one hop, but the kernel decrements TTL twice: from the netdev to our TUN, and again from the TUN to the
// netdev. So what passes in the clear is written with TTL + 1, also what this host itself sent (it was not decremented on
// the way in, and is on the way out). What is sealed has its own TTL outside and keeps the inner one; what was decrypted goes out as it
// is: the kernel's one decrement is its hop. A datagram with TTL 255 cannot be given back its step and leaves with 254.

import { Drop, PathCount, PortCount } from '../counters/declare.js';
import type { Env } from '../env.js';
import { PacketFlag } from '../mem/slots.js';
import { raiseTtl } from '../proto/ipv4.js';
import { Cap } from '../tables/layout.js';

const enum Batch {
  Most = 64,
}

export function makeTx(env: Env): () => void {
  const { slots, native, portFds, drop } = env;
  const { bytes, view, off, len, txPort, flags } = slots;
  const { path, ports } = env.counters;
  const { tx: input } = env.vec;
  /** Ids that wait per port, Batch.Most each. */
  const waiting = new Int32Array(Cap.Ports * Batch.Most);
  const counts = new Int32Array(Cap.Ports);
  const offsets = new Int32Array(Batch.Most);
  const lengths = new Int32Array(Batch.Most);
  const results = new Int32Array(Batch.Most);

  function flush(port: number): void {
    const count = counts[port];
    const first = port * Batch.Most;
    counts[port] = 0;
    for (let i = 0; i < count; i++) {
      offsets[i] = off[waiting[first + i]];
      lengths[i] = len[waiting[first + i]];
    }
    const consumed = native.tx(portFds[port], bytes, offsets, lengths, count, results);
    let sent = 0;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const id = waiting[first + i];
      if (i >= consumed) drop(id, Drop.TxFull);
      else if (results[i] !== 0) drop(id, Drop.TxError);
      else {
        sent++;
        sum += lengths[i];
        slots.release(id);
      }
    }
    ports[port * PortCount.Count + PortCount.TxPackets] += sent;
    ports[port * PortCount.Count + PortCount.TxBytes] += sum;
    path[PathCount.Sent] += sent;
  }

  return function tx() {
    for (let i = 0; i < input.length; i++) {
      const id = input.ids[i];
      const port = txPort[id];
      if (portFds[port] < 0) {
        drop(id, Drop.PortDown);
        continue;
      }
      if ((flags[id] & (PacketFlag.Sealed | PacketFlag.Decrypted)) === 0) raiseTtl(view, off[id]);
      waiting[port * Batch.Most + counts[port]++] = id;
      if (counts[port] === Batch.Most) flush(port);
    }
    input.clear();
    for (let port = 0; port < Cap.Ports; port++) if (counts[port] > 0) flush(port);
  };
}
