// The metrics listener: /metrics in Prometheus' text format and a small status page at /. Every scrape takes one snapshot and renders
// it; nothing is counted here. When the port is taken the router goes on without it.

import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SystemLog } from '../log.js';
import { createServer } from './http.js';
import { renderMetrics } from './metric-text.js';
import type { Snapshot } from './snapshot.js';
import { renderStatusPage } from './status-page.js';

export interface MetricsOptions {
  address: string;
  /** 0 = any free port (tests). */
  port: number;
  instance: string;
  snapshot: () => Promise<Snapshot>;
  log: Pick<SystemLog, 'write'>;
}

export interface MetricsServer {
  port: number;
  close(): Promise<void>;
}

const RequestMs = 10_000;

/** @returns null when the address cannot be bound; the log says why */
export async function startMetrics(options: MetricsOptions): Promise<MetricsServer | null> {
  const server = createServer({ requestTimeout: RequestMs }, (request, response) => {
    response.on('error', () => undefined); // the scraper went away
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      answer(response, 405, 'text/plain', 'use GET\n');
      return;
    }
    const path = (request.url ?? '').split('?', 1)[0];
    if (path === '/metrics') void render(response, options, 'text/plain; version=0.0.4; charset=utf-8', renderMetrics);
    else if (path === '/') void render(response, options, 'text/html; charset=utf-8', async (snapshot) => renderStatusPage(snapshot));
    else answer(response, 404, 'text/plain', 'not found\n');
  });
  server.headersTimeout = RequestMs;
  server.maxConnections = 32;
  server.setTimeout(30_000);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(options.port, options.address, resolve);
    });
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
        ? 'the port is taken (--metrics ADDR:PORT chooses another)'
        : (error as Error).message;
    options.log.write('API', 4, 'METRICS', `no metrics on ${options.address}:${options.port}: ${reason}`);
    return null;
  }
  server.on('error', (error) => options.log.write('API', 4, 'METRICS', error.message));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function render(
  response: ServerResponse,
  options: MetricsOptions,
  type: string,
  text: (snapshot: Snapshot) => Promise<string>,
): Promise<void> {
  try {
    answer(response, 200, type, await text({ ...(await options.snapshot()), instance: options.instance }));
  } catch (error) {
    options.log.write('API', 4, 'METRICS', (error as Error).message);
    answer(response, 500, 'text/plain', 'no snapshot\n');
  }
}

function answer(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body), 'X-Content-Type-Options': 'nosniff' });
  response.end(body);
}

/** @param text `ADDRESS:PORT` @returns null when it is none */
export function splitAddress(text: string): { address: string; port: number } | null {
  const at = text.lastIndexOf(':');
  const port = Number(text.slice(at + 1));
  return at < 1 || !Number.isInteger(port) || port < 1 || port > 65535 ? null : { address: text.slice(0, at), port };
}
