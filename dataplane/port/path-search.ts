// Messages of path MTU discovery without ICMP (tables/probe.ts), checked: a probe is some worker's to send, what was found goes to the table that ICMP teaches too.

import { GroupCap } from '../counters/declare.js';
import { PathMtuShape, type PathMtus } from '../mem/path-mtus.js';
import { Cap } from '../tables/layout.js';
import type { ToPathSearch } from '../tables/probe.js';
import { readInteger, readList, readNullable, readRecord } from './shape.js';
import type { WorkerSet } from './worker-set.js';

const MaxAddress = 0xffffffff;
/** RFC 791 §3.2. */
const LeastMtu = 68;
const LongestDatagram = 65535;

/** @throws ShapeError when control speaks another version */
export function readPathSearch(message: unknown): ToPathSearch {
  const head = readRecord(message, 'path search');
  const destination = readInteger(head.destination, 'destination', 1, MaxAddress);
  if (head.type === 'mtu-found') {
    const mtu = readInteger(head.mtu, 'mtu', LeastMtu, LongestDatagram);
    return { type: 'mtu-found', destination, mtu, seconds: readInteger(head.seconds, 'seconds', 1, PathMtuShape.Never) };
  }
  const [high, low] = readList(head.nonce, 'nonce', 2, (word, what) => readInteger(word, what, -0x80000000, 0x7fffffff));
  return {
    type: 'mtu-probe',
    port: readInteger(head.port, 'port', 0, Cap.Ports - 1),
    group: readNullable(head.group, (group) => readInteger(group, 'group', 0, GroupCap - 1)),
    destination,
    peerPort: readInteger(head.peerPort, 'peerPort', 0, 65535),
    size: readInteger(head.size, 'size', LeastMtu, LongestDatagram),
    nonce: [high ?? 0, low ?? 0],
  };
}

/** Any worker may send a probe: 67-hand-to-sealer gives it to the one that seals. @param seconds of the workers' clock */
export function takePathSearch(message: ToPathSearch, workers: Pick<WorkerSet, 'send'>, pathMtus: PathMtus, seconds: number): void {
  if (message.type === 'mtu-found') pathMtus.learn(message.destination | 0, message.mtu, 0, seconds, message.seconds);
  else {
    const { type: _, ...probe } = message;
    workers.send(0, { kind: 'mtu-probe', ...probe });
  }
}
