// The dataplane's end of the socket to control (tables/message.ts). One connection at a time; a new one replaces the old, because
// control may have died without the kernel telling. Forwarding does not depend on it. Does not: understand tables.

import { chmodSync, existsSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { NatRow } from '../tables/layout.js';
import { encodeFrame, FrameReader, type FromDataplane, MaxNatRows } from '../tables/message.js';
import type { ToPathSearch } from '../tables/probe.js';
import { readPathSearch } from './path-search.js';
import { readInteger, readList, readRecord, refuse } from './shape.js';

export interface ControlMessages {
  /** First message of a connection. */
  hello(): FromDataplane;
  tables(head: unknown, rest: Uint8Array): void;
  /** @returns the answer */
  snapshot(id: number): FromDataplane;
  /** @returns the answer and its rows */
  natSessions(id: number, limit: number): { message: FromDataplane; rows: Uint8Array };
  natLog(isOn: boolean): void;
  natClear(wanted: number[], mask: number[]): void;
  /** @returns the answer */
  trace(id: number, message: unknown): FromDataplane;
  /** A message of tables/capture.ts. @throws ShapeError */
  capture(message: unknown): void;
  /** A message of tables/probe.ts. @throws ShapeError */
  probe(message: unknown, rest: Uint8Array): void;
  /** ToPathSearch of tables/probe.ts, checked. */
  pathSearch(message: ToPathSearch): void;
  log(text: string): void;
}

/** A control that reads so slowly is cut off; it connects again and takes a snapshot. */
const MaxUnsentBytes = 8 << 20;

export class ControlSocket {
  private readonly server: Server;
  private connection: Socket | null = null;

  constructor(
    private readonly path: string,
    private readonly messages: ControlMessages,
  ) {
    this.server = createServer((socket) => this.accept(socket));
  }

  /** Throws Error when another dataplane answers at the path, or the path cannot be used. */
  async open(): Promise<void> {
    if (existsSync(this.path)) {
      if (await isAnswered(this.path)) throw new Error(`${this.path}: another dataplane of this instance is running`);
      rmSync(this.path);
    }
    const before = process.umask(0o117); // never open to others, not even between bind and chmod
    try {
      await new Promise<void>((resolve, reject) => {
        this.server.once('error', reject);
        this.server.listen(this.path, resolve);
      });
    } finally {
      process.umask(before);
    }
    chmodSync(this.path, 0o660); // control may be another user of our group
  }

  close(): void {
    this.server.close();
    this.connection?.destroy();
    this.connection = null;
    rmSync(this.path, { force: true });
  }

  /** Nothing happens without a control. */
  send(message: FromDataplane, blobs: readonly Uint8Array[] = []): void {
    const socket = this.connection;
    if (!socket) return;
    if (socket.writableLength > MaxUnsentBytes) socket.destroy(new Error('control does not read'));
    else socket.write(encodeFrame(message, blobs));
  }

  /** Of the present connection. */
  get unsentBytes(): number {
    return this.connection?.writableLength ?? 0;
  }

  private accept(socket: Socket): void {
    const old = this.connection;
    this.connection = socket;
    old?.destroy();
    const reader = new FrameReader();
    socket.on('data', (chunk) => {
      try {
        for (const { head, rest } of reader.push(chunk)) this.take(head, rest);
      } catch (error) {
        socket.destroy(error instanceof Error ? error : new Error(String(error)));
      }
      chunk.fill(0); // it may hold keys
    });
    socket.on('error', (error) => this.messages.log(`control connection: ${error.message}`));
    socket.on('close', () => {
      if (this.connection === socket) this.connection = null;
    });
    this.send(this.messages.hello());
  }

  private take(head: unknown, rest: Uint8Array): void {
    const type = typeof head === 'object' && head !== null ? (head as { type?: unknown }).type : undefined;
    const { id, limit } = (head ?? {}) as { id?: unknown; limit?: unknown };
    if (type === 'tables') {
      this.messages.tables(head, rest);
      rest.fill(0);
    } else if (type === 'snapshot' && Number.isSafeInteger(id)) this.send(this.messages.snapshot(id as number));
    else if (type === 'nat-sessions' && Number.isSafeInteger(id) && Number.isSafeInteger(limit)) {
      const { message, rows } = this.messages.natSessions(id as number, Math.min(Math.max(limit as number, 0), MaxNatRows));
      this.send(message, [rows]);
    } else if (type === 'trace' && Number.isSafeInteger(id)) this.send(this.messages.trace(id as number, head));
    else if (type === 'probe-open' || type === 'probe-send' || type === 'probe-close') this.messages.probe(head, rest);
    else if (type === 'mtu-probe' || type === 'mtu-found') this.messages.pathSearch(readPathSearch(head));
    else if (type === 'capture-start' || type === 'capture-stop') this.messages.capture(head);
    else if (type === 'nat-log') this.messages.natLog((head as { on?: unknown }).on === true);
    else if (type === 'nat-clear') this.messages.natClear(...readClear(head));
    else throw new Error('a message of no known type');
  }
}

/** @throws ShapeError */
function readClear(head: unknown): [wanted: number[], mask: number[]] {
  const record = readRecord(head, 'nat-clear');
  const [wanted, mask] = (['wanted', 'mask'] as const).map((name) =>
    readList(record[name], name, NatRow.Words, (word, what) => readInteger(word, what, -0x80000000, 0x7fffffff)),
  );
  if (wanted.length !== mask.length) refuse('nat-clear: as many words wanted as in the mask are needed');
  return [wanted, mask];
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createConnection(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}
