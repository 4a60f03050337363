// The control side of the socket to the dataplane. It connects, and connects again whenever the dataplane was restarted;
// tables are published as a whole and answered with their generation (dataplane/tables/message.ts).

import { createConnection, type Socket } from 'node:net';
import { z } from 'zod';
import type { FromCapture, ToCapture } from '../dataplane/tables/capture.js';
import { NatRow } from '../dataplane/tables/layout.js';
import {
  type DataplaneEvent,
  encodeFrame,
  FrameReader,
  type FromDataplane,
  MaxNatRows,
  type SnapshotHead,
  type TablesHead,
  type ToDataplane,
} from '../dataplane/tables/message.js';
import type { FromProber, ProbeSocket, ToPathSearch, ToProber } from '../dataplane/tables/probe.js';
import type { TraceAnswer, TraceRequest } from '../dataplane/tables/trace.js';
import type { SupervisedProcess } from './api/process-list.js';

export interface LinkEvents {
  /** A dataplane process answered; `generation` 0 means that it has no tables yet. */
  hello(hello: Extract<FromDataplane, { type: 'hello' }>): void;
  applied(generation: number, errors: string[]): void;
  event(event: DataplaneEvent): void;
  /** NAT sessions that have begun or ended: rows of NatLogRow. */
  natLog(rows: Int32Array): void;
  /** Records of the capture, words of tables/capture.ts. */
  captured(head: FromCapture, records: Int32Array): void;
  lost(): void;
}

/** NAT sessions as they are now. */
export interface NatSessionRows {
  /** How many there are: more than `rows` may hold. */
  sessions: number;
  /** {@link NatRow} */
  rows: Int32Array;
}

/** What answers a question of ours. */
interface Answer {
  head: Extract<FromDataplane, { id: number }>;
  rest: Uint8Array;
}

const ReconnectMs = 50;
const AnswerTimeoutMs = 2000;

// The dataplane is ours; what is checked is that the frame is one of its kinds.
const head = z.looseObject({
  type: z.enum([
    'hello',
    'applied',
    'event',
    'snapshot',
    'nat-sessions',
    'nat-log',
    'trace',
    'captured',
    'probe-opened',
    'probe-sent',
    'probe-answer',
  ]),
});

/** What the packet path says of itself when it comes up. */
export type DataplaneHello = Pick<Extract<FromDataplane, { type: 'hello' }>, 'generation' | 'knownSenders' | 'workers'>;

export class DataplaneLink {
  private socket: Socket | null = null;
  private greeted = false;
  private timer: NodeJS.Timeout | null = null;
  private closed = false;
  private nextId = 1;
  private natLog = false;
  /** Processes that answered, by incarnation, and the last one's pid. */
  private readonly lives = new Set<string>();
  private pid: number | null = null;
  private readonly waiting = new Map<number, (answer: Answer | null) => void>();

  /** What the dataplane says of probes, null when it is lost (control/probe). */
  onProbe: ((message: Exclude<FromProber, { type: 'probe-opened' }> | null, bytes: Uint8Array) => void) | null = null;

  /** @param path of the dataplane's Unix socket */
  constructor(
    private readonly path: string,
    private readonly events: LinkEvents,
  ) {}

  get connected(): boolean {
    return this.greeted;
  }

  /** The process at the other end, as a supervisor would name it. */
  get process(): SupervisedProcess {
    return { name: 'dataplane', pid: this.greeted ? this.pid : null, restarts: Math.max(0, this.lives.size - 1) };
  }

  open(): void {
    if (this.closed) return;
    const socket = createConnection(this.path);
    const reader = new FrameReader();
    socket.on('data', (chunk) => {
      try {
        for (const frame of reader.push(chunk)) this.take(head.parse(frame.head) as unknown as FromDataplane, frame.rest);
      } catch (error) {
        socket.destroy(error instanceof Error ? error : new Error(String(error)));
      }
    });
    socket.on('error', () => undefined); // 'close' follows and reconnects
    socket.on('close', () => this.lose(socket));
    this.socket = socket;
  }

  close(): void {
    this.closed = true;
    if (this.timer) clearTimeout(this.timer);
    this.socket?.destroy();
  }

  publish(tables: TablesHead, blobs: readonly Uint8Array[]): void {
    this.socket?.write(encodeFrame(tables, blobs));
  }

  /** Counters and netdev state now. @returns null when no dataplane answers in time */
  async snapshot(): Promise<SnapshotHead | null> {
    const answer = await this.ask((id) => ({ type: 'snapshot', id }));
    return answer?.head.type === 'snapshot' ? answer.head : null;
  }

  /** NAT sessions now. @param limit rows at the most @returns null when no dataplane answers in time */
  async natSessions(limit: number = MaxNatRows): Promise<NatSessionRows | null> {
    const answer = await this.ask((id) => ({ type: 'nat-sessions', id, limit: Math.min(limit, MaxNatRows) }));
    if (answer?.head.type !== 'nat-sessions') return null;
    return { sessions: answer.head.sessions, rows: wholeRows(answer.rest) };
  }

  /** What the pipeline would do with a datagram that arrives now. @returns null when no dataplane answers in time */
  async trace(request: Omit<TraceRequest, 'type' | 'id'>): Promise<TraceAnswer | null> {
    const answer = await this.ask((id) => ({ type: 'trace', id, ...request }));
    return answer?.head.type === 'trace' ? answer.head : null;
  }

  /** Opens sockets to ask the network with. @returns '' or what is wrong */
  async openProbe(session: number, socket: ProbeSocket): Promise<string> {
    const answer = await this.ask((id) => ({ type: 'probe-open', id, session, ...socket }));
    return answer?.head.type === 'probe-opened' ? answer.head.error : 'The dataplane does not answer';
  }

  sendProbe(message: Exclude<ToProber, { type: 'probe-open' }>, bytes?: Uint8Array): void {
    if (this.greeted) this.socket?.write(encodeFrame(message, bytes ? [bytes] : []));
  }

  /** Path MTU discovery without ICMP. */
  sendPathSearch(message: ToPathSearch): void {
    if (this.greeted) this.socket?.write(encodeFrame(message));
  }

  /** Ends NAT sessions: those that look so, NatRow.Words each, or all. @returns false when there is no dataplane */
  natClear(wanted: number[], mask: number[]): boolean {
    if (!this.greeted || !this.socket) return false;
    this.socket.write(encodeFrame({ type: 'nat-clear', wanted, mask }));
    return true;
  }

  /** Asks for beginnings and ends of NAT sessions, or for none any more: told once to each dataplane. */
  setNatLog(isOn: boolean): void {
    if (isOn === this.natLog || !this.greeted || !this.socket) return;
    this.natLog = isOn;
    this.socket.write(encodeFrame({ type: 'nat-log', on: isOn }));
  }

  /** @returns false when there is no dataplane */
  capture(message: ToCapture): boolean {
    if (!this.greeted || !this.socket) return false;
    this.socket.write(encodeFrame(message));
    return true;
  }

  private ask(request: (id: number) => ToDataplane): Promise<Answer | null> {
    if (!this.greeted || !this.socket) return Promise.resolve(null);
    const id = this.nextId++;
    this.socket.write(encodeFrame(request(id)));
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.answer(id, null), AnswerTimeoutMs);
      this.waiting.set(id, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
    });
  }

  private take(message: FromDataplane, rest: Uint8Array): void {
    if (message.type === 'hello') {
      this.greeted = true;
      this.pid = message.pid;
      this.lives.add(message.incarnation);
      this.events.hello(message);
    } else if (message.type === 'applied') this.events.applied(message.generation, message.errors);
    else if (message.type === 'event') this.events.event(message.event);
    else if (message.type === 'nat-log') this.events.natLog(wholeRows(rest));
    else if (message.type === 'captured') this.events.captured(message, wordsOf(rest));
    else if (message.type === 'probe-sent' || message.type === 'probe-answer') this.onProbe?.(message, rest);
    else this.answer(message.id, { head: message, rest });
  }

  private answer(id: number, answer: Answer | null): void {
    const resolve = this.waiting.get(id);
    this.waiting.delete(id);
    resolve?.(answer);
  }

  private lose(socket: Socket): void {
    if (this.socket !== socket) return;
    const wasGreeted = this.greeted;
    this.socket = null;
    this.greeted = false;
    this.natLog = false;
    for (const id of [...this.waiting.keys()]) this.answer(id, null);
    if (wasGreeted) this.onProbe?.(null, new Uint8Array(0));
    if (wasGreeted) this.events.lost();
    if (!this.closed) this.timer = setTimeout(() => this.open(), ReconnectMs);
  }
}

/** Bytes behind a head as whole rows of NatRow. */
function wholeRows(rest: Uint8Array): Int32Array {
  return wordsOf(rest.subarray(0, rest.byteLength - (rest.byteLength % (NatRow.Words * 4))));
}

/** Whole words: bytes of a frame begin anywhere. */
function wordsOf(rest: Uint8Array): Int32Array {
  return new Int32Array(rest.slice(0, rest.byteLength & ~3).buffer);
}
