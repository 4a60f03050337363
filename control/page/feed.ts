// GET /events: the page's state once a second, as server-sent events. One snapshot serves all who look, none is taken when nobody does. Bounded:
// so many clients, and one that does not read what it is sent is cut off; both are counted.

import type { ServerResponse } from 'node:http';
import type { CounterDeclaration, CounterSet } from '../api/counters.js';
import type { Snapshot } from '../api/snapshot.js';
import { buildPageState } from './build.js';

export const pageCounters: CounterDeclaration[] = [
  { name: 'page_clients_refused', help: 'Status pages that got no events, because as many as may be were open' },
  { name: 'page_clients_dropped', help: 'Status pages cut off because they did not read their events' },
];

export interface FeedMeans {
  snapshot: () => Promise<Snapshot>;
  counters: Pick<CounterSet, 'add'>;
  /** Somebody looks: what only then is asked (server-watch.ts) may be asked. */
  looked: () => void;
}

const MaxClients = 16;
const PeriodMs = 1000;
/** Of the time that making it takes, at the most so much of one CPU: 1 in 10. */
const RestFactor = 9;
/** Some twenty events of a large router. */
const MaxUnsentBytes = 256 << 10;

export class Feed {
  private readonly clients = new Set<ServerResponse>();
  private timer: NodeJS.Timeout | null = null;
  private isClosed = false;

  constructor(private readonly means: FeedMeans) {}

  get size(): number {
    return this.clients.size;
  }

  /** @returns false when there are too many: nothing was answered */
  add(response: ServerResponse, headers: Record<string, string>): boolean {
    if (this.clients.size >= MaxClients) {
      this.means.counters.add('page_clients_refused');
      return false;
    }
    response.writeHead(200, { ...headers, 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    // A page that lost us asks again after two seconds.
    response.write('retry: 2000\n\n');
    this.clients.add(response);
    response.on('close', () => this.clients.delete(response));
    if (!this.timer) this.timer = setTimeout(() => void this.tell(), 0);
    return true;
  }

  close(): void {
    this.isClosed = true;
    if (this.timer) clearTimeout(this.timer);
    for (const client of this.clients) client.destroy();
  }

  private async tell(): Promise<void> {
    const begun = performance.now();
    let wait = PeriodMs;
    this.means.looked();
    try {
      const snapshot = await this.means.snapshot();
      const building = performance.now();
      const text = `data: ${JSON.stringify(buildPageState(snapshot))}\n\n`;
      for (const client of this.clients) this.send(client, text);
      const end = performance.now();
      wait = Math.max(PeriodMs - (end - begun), (end - building) * RestFactor, 0);
    } catch {
      // No snapshot, no event: the page says itself that it has heard nothing.
    }
    this.timer = this.clients.size > 0 && !this.isClosed ? setTimeout(() => void this.tell(), wait) : null;
  }

  private send(client: ServerResponse, text: string): void {
    // What is there before: this event itself leaves only after we have returned.
    if (client.writableLength <= MaxUnsentBytes) {
      client.write(text);
      return;
    }
    this.means.counters.add('page_clients_dropped');
    this.clients.delete(client);
    client.destroy();
  }
}
