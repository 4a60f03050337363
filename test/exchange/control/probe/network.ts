// A path of routers for tests of probes: answers like RFC 792 and RFC 1191 say, on bytes made here and not by the code that is tested.

import { type Plan, type ProbeAction, type ProbeIdentity, ProbeRun } from '../../../../control/probe/probe-run.js';
import { sumOf } from '../../../path/packets.js';

export interface PathNode {
  address: number;
  /** Of the link behind it. */
  mtu: number;
  /** Tells of what is too long. */
  tells: boolean;
  /** Answers when the TTL is used up. */
  answersTtl: boolean;
}

export const destination = 0x0a000301;
export const source = 0xac100102;

function header(protocol: number, from: number, to: number, length: number): Uint8Array {
  const bytes = new Uint8Array(20);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 0x45);
  view.setUint16(2, length);
  view.setUint8(8, 64);
  view.setUint8(9, protocol);
  view.setUint32(12, from);
  view.setUint32(16, to);
  view.setUint16(10, sumOf(bytes));
  return bytes;
}

export function datagram(protocol: number, from: number, to: number, body: Uint8Array): Uint8Array {
  return Uint8Array.of(...header(protocol, from, to, 20 + body.length), ...body);
}

/** An ICMP message in IPv4, with its checksum. */
export function icmp(from: number, type: number, code: number, rest: number, body: Uint8Array): Uint8Array {
  const message = new Uint8Array(8 + body.length);
  const view = new DataView(message.buffer);
  message[0] = type;
  message[1] = code;
  view.setUint32(4, rest);
  message.set(body, 8);
  view.setUint16(2, sumOf(message));
  return datagram(1, from, source, message);
}

/** An error about a datagram: header and eight bytes. */
export function icmpError(from: number, type: number, code: number, mtu: number, about: Uint8Array): Uint8Array {
  return icmp(from, type, code, mtu, about.subarray(0, 28));
}

/** What comes back for a probe; null = nothing. */
export function answerOf(nodes: readonly PathNode[], protocol: number, ttl: number, body: Uint8Array): Uint8Array | null {
  const sent = datagram(protocol, source, destination, body);
  for (const [i, node] of nodes.entries()) {
    if (ttl === i + 1) return node.answersTtl ? icmpError(node.address, 11, 0, 0, sent) : null;
    if (sent.length > node.mtu) return node.tells ? icmpError(node.address, 3, 4, node.mtu, sent) : null;
  }
  if (protocol === 17) return icmpError(destination, 3, 3, 0, sent);
  const reply = body.slice();
  return icmp(destination, 0, 0, new DataView(reply.buffer).getUint32(4), reply.subarray(8));
}

export const identity: ProbeIdentity = { destination, identifier: 0x1234, pattern: 0xabcd };

/** Runs a plan to its end against `answer`, ten milliseconds a round trip. @returns what it told */
export function runPlan<Event>(
  plan: Plan<Event>,
  answer: (ttl: number, body: Uint8Array) => Uint8Array | null | { errno: number },
): { events: Event[]; sent: number; elapsed: number } {
  const run = new ProbeRun(plan, identity);
  const events: Event[] = [];
  let now = 1000;
  let sent = 0;
  let queue: ProbeAction<Event>[] = run.begin(now);
  for (;;) {
    const sends = queue.filter((action) => action.kind === 'send');
    for (const action of queue) if (action.kind === 'tell') events.push(action.event);
    if (queue.some(({ kind }) => kind === 'end')) return { events, sent, elapsed: now - 1000 };
    if (sends.length !== 1) throw new Error(`${sends.length} probes at once`);
    sent++;
    const [{ number, ttl, bytes }] = sends;
    const came = answer(ttl, bytes);
    const errno = came && 'errno' in came ? came.errno : 0;
    queue = run.sent(number, errno, now);
    if (errno !== 0) continue;
    queue = [];
    if (came && !('errno' in came)) {
      now += 10;
      queue = run.receive(came, now);
    }
    if (queue.length > 0) continue;
    now = run.deadline ?? now;
    queue = run.tick(now);
  }
}
