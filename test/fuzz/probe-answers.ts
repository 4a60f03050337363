// ICMP that anybody may send to a router that pings, as a fuzz target: nothing throws, nothing is read behind the end, and what is taken for the
// echo's answer has its identifier, its sequence number and a right checksum.

import { sum16 } from '../../control/checksum.js';
import { readAnswer } from '../../control/probe/answer.js';
import { ProbeRun } from '../../control/probe/probe-run.js';
import { icmp, icmpError, identity } from '../exchange/control/probe/network.js';

const Udp = 17;
const echo = Uint8Array.of(8, 0, 0, 0, identity.identifier >>> 8, identity.identifier & 0xff, 0, 0);
const about = Uint8Array.of(0x45, 0, 0, 28, 0, 0, 0x40, 0, 64, 1, 0, 0, 172, 16, 1, 2, 10, 0, 3, 1, ...echo);

/** @param bytes a datagram */
export function fuzz(bytes: Uint8Array): void {
  const answer = readAnswer(bytes);
  if (answer !== null) {
    const header = (bytes[0] & 15) << 2;
    const total = Math.min((bytes[2] << 8) | bytes[3], bytes.length);
    if (sum16(bytes, header, total) !== 0xffff) throw new Error('a wrong checksum passed');
    if (answer.kind === 'reply' && answer.data.length !== total - header - 8) throw new Error(`${answer.data.length} bytes of data`);
    if (answer.kind === 'error' && answer.quoted.words !== null && total < header + 36) throw new Error('quoted words behind the end');
  }
  for (const port of [null, Udp]) takeAsAnswer(bytes, port, answer !== null);
}

function takeAsAnswer(bytes: Uint8Array, port: number | null, isAnswer: boolean): void {
  const run = new ProbeRun<null>(
    (function* () {
      yield { probe: { size: 100, ttl: 64, timeoutMs: 1000, port } };
    })(),
    identity,
  );
  run.begin(0);
  const actions = run.receive(bytes, 1);
  if (actions.length > 0 && !isAnswer) throw new Error('taken though it cannot be read');
  if (actions.length > 0 && run.deadline !== null) throw new Error('ended, and still waits');
}

export const seeds: readonly Uint8Array[] = [
  icmp(0x0a000301, 0, 0, identity.identifier << 16, new Uint8Array(72)),
  icmpError(0x0a000001, 3, 4, 1400, about),
  icmpError(0x0a000001, 11, 0, 0, about),
  icmpError(0x0a000001, 3, 3, 0, about.slice(0, 20)),
];
