// The metrics listener: /metrics in Prometheus' text format, and the status page (control/page) with its events. Every scrape takes one snapshot and renders
// it; nothing is counted here. When the port is taken the router goes on without it. Only GET and HEAD; who may ask is in page/guard.ts.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SystemLog } from '../log.js';
import { Feed, type FeedMeans } from '../page/feed.js';
import { pageFile } from '../page/files.js';
import { isForUs, isOfAnotherSite, pageHeaders } from '../page/guard.js';
import { createServer } from './http.js';
import { renderMetrics } from './metric-text.js';

export interface MetricsOptions extends FeedMeans {
  address: string;
  /** 0 = any free port (tests). */
  port: number;
  instance: string;
  /** Host names that mean this router, besides addresses and localhost. */
  names: () => string[];
  log: Pick<SystemLog, 'write'>;
}

export interface MetricsServer {
  port: number;
  close(): Promise<void>;
}

const RequestMs = 10_000;

/** @returns null when the address cannot be bound; the log says why */
export async function startMetrics(options: MetricsOptions): Promise<MetricsServer | null> {
  const feed = new Feed(options);
  const server = createServer({ requestTimeout: RequestMs }, (request, response) => {
    response.on('error', () => undefined); // the scraper went away
    void respond(options, feed, request, response).catch((error: Error) => {
      options.log.write('API', 4, 'METRICS', error.message);
      answer(response, 500, 'text/plain', 'cannot be told now\n');
    });
  });
  server.headersTimeout = RequestMs;
  server.maxConnections = 64;
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
        feed.close();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function respond(options: MetricsOptions, feed: Feed, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    answer(response, 405, 'text/plain', 'use GET\n', { Allow: 'GET, HEAD' });
    return;
  }
  if (!isForUs(request, options.names())) {
    answer(response, 421, 'text/plain', 'ask by address, as localhost, or by the name of the router\n');
    return;
  }
  const path = (request.url ?? '').split('?', 1)[0];
  if (path === '/metrics') {
    const snapshot = { ...(await options.snapshot()), instance: options.instance };
    answer(response, 200, 'text/plain; version=0.0.4; charset=utf-8', await renderMetrics(snapshot));
  } else if (path === '/events') follow(feed, request, response);
  else await sendFile(path, request, response);
}

function follow(feed: Feed, request: IncomingMessage, response: ServerResponse): void {
  if (isOfAnotherSite(request)) answer(response, 403, 'text/plain', 'not for pages of other sites\n');
  else if (request.method !== 'GET') answer(response, 405, 'text/plain', 'use GET\n', { Allow: 'GET' });
  else if (!feed.add(response, pageHeaders)) answer(response, 503, 'text/plain', 'too many pages are open\n', { 'Retry-After': '10' });
}

async function sendFile(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const file = await pageFile(path);
  if (!file) {
    answer(response, 404, 'text/plain', 'not found\n');
    return;
  }
  const headers = { ETag: file.tag, 'Cache-Control': 'no-cache' };
  if (request.headers['if-none-match'] === file.tag) {
    response.writeHead(304, { ...pageHeaders, ...headers });
    response.end();
  } else answer(response, 200, file.type, file.body, headers);
}

function answer(
  response: ServerResponse,
  status: number,
  type: string,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { ...pageHeaders, ...headers, 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}

/** @param text `ADDRESS:PORT` @returns null when it is none */
export function splitAddress(text: string): { address: string; port: number } | null {
  const at = text.lastIndexOf(':');
  const port = Number(text.slice(at + 1));
  return at < 1 || !Number.isInteger(port) || port < 1 || port > 65535 ? null : { address: text.slice(0, at), port };
}
