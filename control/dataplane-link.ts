// The control side of the socket to the dataplane. It connects, and connects again whenever the dataplane was restarted;
// tables are published as a whole and answered with their generation (dataplane/tables/message.ts).

import { createConnection, type Socket } from 'node:net';
import { z } from 'zod';
import {
  type DataplaneEvent,
  encodeFrame,
  FrameReader,
  type FromDataplane,
  type SnapshotHead,
  type TablesHead,
} from '../dataplane/tables/message.js';

export interface LinkEvents {
  /** A dataplane process answered; `generation` 0 means that it has no tables yet. */
  hello(hello: Extract<FromDataplane, { type: 'hello' }>): void;
  applied(generation: number, errors: string[]): void;
  event(event: DataplaneEvent): void;
  lost(): void;
}

const ReconnectMs = 50;
const SnapshotTimeoutMs = 2000;

// The dataplane is ours; what is checked is that the frame is one of its kinds.
const head = z.looseObject({ type: z.enum(['hello', 'applied', 'event', 'snapshot']) });

export class DataplaneLink {
  private socket: Socket | null = null;
  private greeted = false;
  private timer: NodeJS.Timeout | null = null;
  private closed = false;
  private nextId = 1;
  private readonly waiting = new Map<number, (snapshot: SnapshotHead | null) => void>();

  /** @param path of the dataplane's Unix socket */
  constructor(
    private readonly path: string,
    private readonly events: LinkEvents,
  ) {}

  get connected(): boolean {
    return this.greeted;
  }

  open(): void {
    if (this.closed) return;
    const socket = createConnection(this.path);
    const reader = new FrameReader();
    socket.on('data', (chunk) => {
      try {
        for (const frame of reader.push(chunk)) this.take(head.parse(frame.head) as unknown as FromDataplane);
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
  snapshot(): Promise<SnapshotHead | null> {
    if (!this.greeted || !this.socket) return Promise.resolve(null);
    const id = this.nextId++;
    this.socket.write(encodeFrame({ type: 'snapshot', id }));
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.answer(id, null), SnapshotTimeoutMs);
      this.waiting.set(id, (snapshot) => {
        clearTimeout(timer);
        resolve(snapshot);
      });
    });
  }

  private take(message: FromDataplane): void {
    if (message.type === 'hello') {
      this.greeted = true;
      this.events.hello(message);
    } else if (message.type === 'applied') this.events.applied(message.generation, message.errors);
    else if (message.type === 'event') this.events.event(message.event);
    else this.answer(message.id, message);
  }

  private answer(id: number, snapshot: SnapshotHead | null): void {
    const resolve = this.waiting.get(id);
    this.waiting.delete(id);
    resolve?.(snapshot);
  }

  private lose(socket: Socket): void {
    if (this.socket !== socket) return;
    const wasGreeted = this.greeted;
    this.socket = null;
    this.greeted = false;
    for (const id of [...this.waiting.keys()]) this.answer(id, null);
    if (wasGreeted) this.events.lost();
    if (!this.closed) this.timer = setTimeout(() => this.open(), ReconnectMs);
  }
}
