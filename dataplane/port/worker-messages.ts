// What the main thread and the forwarding workers say to each other. Rare: everything per packet goes through shared memory.
// After postMessage the main thread signals the worker's wake descriptor, because the worker blocks in poll() and reads its
// messages with receiveMessageOnPort between two passes.

import type { Link } from '../mem/links.js';
import type { SharedState } from '../mem/shared.js';
import type { DataplaneEvent } from '../tables/message.js';
import type { ToPathSearch } from '../tables/probe.js';

/** `workerData` of dataplane/worker.ts. */
export interface WorkerStart {
  /** 0..workers-1 */
  index: number;
  shared: SharedState;
  /** Of every worker. A worker polls its own beside its ports, and signals another's when it sleeps and is given packets. It never closes one. */
  wakeFds: readonly number[];
  /** File of IV counters per (SPI, sender ID). */
  senderStatePath: string;
  /** Which side of the native seam: as GROUPWIRE_NATIVE says in this process. */
  native: boolean;
}

export type ToWorker =
  /** End sessions of NAT (NatSessions.clear). */
  | { kind: 'nat-clear'; wanted: number[]; mask: number[] }
  /** Send a probe of path MTU discovery (tables/probe.ts). */
  | (Omit<Extract<ToPathSearch, { type: 'mtu-probe' }>, 'type'> & { kind: 'mtu-probe' })
  /** The links of a port for this worker, its TUN queue first: read and written by it alone until it answers `port-closed`. */
  | { kind: 'port-open'; port: number; links: Link[] }
  /** Stop using the port's descriptors; answer `port-closed`, then the main thread closes them. No answer when it was told before: once per `port-open`. */
  | { kind: 'port-close'; port: number };

export type FromWorker = { kind: 'port-closed'; port: number } | { kind: 'event'; event: DataplaneEvent };
