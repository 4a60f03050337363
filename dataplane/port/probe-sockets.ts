// The sockets behind ping and traceroute: opened when control asks, closed with its connection. Does: at most MaxProbeSessions, reads by node's
// thread pool (one datagram a call: nobody forwards here). Does not: know whose answer it is; control looks.

import { read } from 'node:fs';
import type { Native } from '../native/native.js';
import { type FromProber, MaxProbeSessions } from '../tables/probe.js';
import { readFlag, readInteger, readNullable, readRecord } from './shape.js';

type Calls = Pick<Native, 'probeOpen' | 'probeSend' | 'fdClose' | 'monotonicMs'>;
type Tell = (message: FromProber, bytes: readonly Uint8Array[]) => void;

interface Session {
  sender: number;
  /** The sender of ICMP is the receiver too. */
  receiver: number;
  closed: boolean;
}

const Icmp = 1;
const Udp = 17;
const LongestDatagram = 65535;
const MaxId = 0xffffffff;
/** errno: a send behind the session's end. */
const Ebadf = 9;

export class ProbeSockets {
  private readonly sessions = new Map<number, Session>();

  /** @param tell is called with what goes to control */
  constructor(
    private readonly native: Calls,
    private readonly tell: Tell,
  ) {}

  /** @param message a checked type, nothing else. @throws ShapeError when control speaks another version */
  take(message: unknown, rest: Uint8Array): void {
    const head = readRecord(message, 'probe');
    const session = readInteger(head.session, 'probe.session', 0, MaxId);
    if (head.type === 'probe-open') this.open(session, head);
    else if (head.type === 'probe-send') this.send(session, head, rest);
    else this.close(session);
  }

  closeAll(): void {
    for (const session of [...this.sessions.keys()]) this.close(session);
  }

  private open(number: number, head: Readonly<Record<string, unknown>>): void {
    const id = readInteger(head.id, 'probe.id', 0, Number.MAX_SAFE_INTEGER);
    const protocol = head.protocol === Udp ? Udp : Icmp;
    const source = readNullable(head.source, (value) => readInteger(value, 'probe.source', 0, MaxId)) ?? 0;
    const tos = readInteger(head.tos, 'probe.tos', 0, 255);
    const dontFragment = readFlag(head.dontFragment, 'probe.dontFragment');
    this.close(number);
    let error = '';
    if (this.sessions.size >= MaxProbeSessions) error = `${MaxProbeSessions} are running already`;
    else error = this.tryOpen(number, protocol, source | 0, tos, dontFragment);
    this.tell({ type: 'probe-opened', id, error }, []);
  }

  /** @returns '' or what is wrong */
  private tryOpen(number: number, protocol: number, source: number, tos: number, dontFragment: boolean): string {
    let sender = -1;
    try {
      sender = this.native.probeOpen(protocol, source, tos, dontFragment);
      const receiver = protocol === Icmp ? sender : this.native.probeOpen(Icmp, 0, 0, false);
      const session = { sender, receiver, closed: false };
      this.sessions.set(number, session);
      this.receive(number, session, new Uint8Array(LongestDatagram));
      return '';
    } catch (error) {
      if (sender >= 0) this.native.fdClose(sender);
      return (error as Error).message;
    }
  }

  private send(number: number, head: Readonly<Record<string, unknown>>, bytes: Uint8Array): void {
    const probe = readInteger(head.number, 'probe.number', 0, MaxId);
    const destination = readInteger(head.destination, 'probe.destination', 0, MaxId);
    const ttl = readInteger(head.ttl, 'probe.ttl', 1, 255);
    const session = this.sessions.get(number);
    // The time is taken first: the answer of a neighbour may be read before this returns.
    const at = this.native.monotonicMs();
    const errno = session ? this.native.probeSend(session.sender, destination | 0, ttl, bytes) : Ebadf;
    this.tell({ type: 'probe-sent', session: number, number: probe, errno, at }, []);
  }

  /** Descriptors are closed behind the read that is under way in a thread: another file could get their numbers. */
  private close(number: number): void {
    const session = this.sessions.get(number);
    if (!session) return;
    session.closed = true;
    this.sessions.delete(number);
  }

  private receive(number: number, session: Session, buffer: Uint8Array): void {
    read(session.receiver, buffer, 0, buffer.length, null, (error, length) => {
      const at = this.native.monotonicMs();
      if (session.closed) {
        this.native.fdClose(session.sender);
        if (session.receiver !== session.sender) this.native.fdClose(session.receiver);
        return;
      }
      if (!error && length > 0) this.tell({ type: 'probe-answer', session: number, at }, [buffer.subarray(0, length)]);
      this.receive(number, session, buffer);
    });
  }
}
