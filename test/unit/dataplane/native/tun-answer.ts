// A worker thread that answers ICMP echo on a TUN descriptor that the main thread opened, until it is woken. Posts how many.

import { parentPort, workerData } from 'node:worker_threads';
import { loadNative } from '../../../../dataplane/native/native.js';

const { tun, wake } = workerData as { tun: number; wake: number };
const native = loadNative();
const slots = 8;
const slotBytes = 2048;
const pool = new Uint8Array(new SharedArrayBuffer(slots * slotBytes));
const offsets = Int32Array.from({ length: slots }, (_, i) => i * slotBytes);
const lengths = new Int32Array(slots);
const results = new Int32Array(slots);
const fds = Int32Array.of(tun, wake);
const ready = new Int32Array(2);
let answered = 0;

for (;;) {
  native.poll(fds, 2, -1, ready);
  if (ready[1] === 1) break;
  const count = native.rx(tun, pool, offsets, lengths, slots, slotBytes);
  for (let i = 0; i < count; i++) {
    const packet = pool.subarray(offsets[i], offsets[i] + lengths[i]);
    // source <-> destination leaves the header checksum; request 8 -> reply 0 adds 8 << 8 to the ICMP checksum (RFC 1624)
    const source = packet.slice(12, 16);
    packet.copyWithin(12, 16, 20);
    packet.set(source, 16);
    packet[20] = 0;
    const sum = ((packet[22] << 8) | packet[23]) + 0x0800;
    const folded = (sum & 0xffff) + (sum >> 16);
    packet.set([folded >> 8, folded & 0xff], 22);
  }
  if (count < 0 || native.tx(tun, pool, offsets, lengths, count, results) !== count) throw new Error(`rx gave ${count}, or tx stopped`);
  answered += count;
}
native.wakeClear(wake);
parentPort?.postMessage(answered);
