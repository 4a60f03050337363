// The twin of the C addon: the same interface and results on node:fs, node:crypto and one-shot perl children (README.md here).
// It is the readable reference and the way to run where the addon cannot be built. It is slow; nothing is tuned here.

import type { Native } from './native.js';
import { makeTwinCrypto } from './twin-crypto.js';
import { makeTwinIo } from './twin-io.js';
import { mapTwinFile, writeTwinFile } from './twin-map.js';
import { openFifo, openTun, refuse } from './twin-open.js';

/** One twin per thread: SA slots and read-ahead belong to it. */
export function makeTwin(): Native {
  return {
    kind: 'twin',
    aes: 'openssl', // as node:crypto
    tunOpen: openTun,
    tunSteer: refuse('steering'),
    rawOpen: refuse('raw'),
    rawSender: refuse('raw'),
    packetOpen: refuse('packet'),
    packetFilter: refuse('packet'),
    groupOpen: refuse('multicast'),
    xdpOpen: refuse('xdp'),
    xdpSender: refuse('xdp'),
    probeOpen: refuse('probe'),
    probeSend: refuse('probe'),
    wakeOpen: openFifo,
    ...makeTwinIo(),
    ...makeTwinCrypto(),
    mapFile: mapTwinFile,
    mapFlush: writeTwinFile,
    adviseHuge,
    monotonicMs,
  };
}

/** Node has no say in that. */
function adviseHuge(words: Int32Array): void {
  if (!(words instanceof Int32Array)) throw new TypeError('words: an Int32Array is needed');
}

/** CLOCK_MONOTONIC; performance.now() would start anew in each thread. */
function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}
