// The control socket: HTTP and JSON on a Unix socket, for the cli and for `curl --unix-socket`. The socket's owner and mode are the
// access control, so nothing here authenticates. Does: bounded bodies, bounded time for slow peers, checked input, JSON errors.
// Does not: TCP, keys (snapshot.ts strips whatever it does not name).
//
//   GET  /snapshot   Snapshot             GET  /ready   Ready
//   GET  /config     { config }           POST /exec    { line } -> { output } | { error }
//   GET  /nat        NatTranslations      POST /packet-tracer  { line } -> PacketTrace
//   POST /probe      { line } -> ProbeEvent a line, as they come (probe-stream.ts)
//   POST /configure  EditRequest -> EditResponse    POST /exec-file  { line, text } -> { output } | { error }    (configure.ts)

import { chmodSync, rmSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { z } from 'zod';
import { RequestError, readEditBody, readExecBody, readFileBody } from './bodies.js';
import { type EditRequest, type EditResponse, editResponseSchema, MaxConfigBytes } from './configure.js';
import { createServer } from './http.js';
import { type PacketTrace, packetTraceSchema } from './packet-trace.js';
import { type RunProbe, streamProbe } from './probe-stream.js';
import type { Ready } from './ready.js';
import { type Snapshot, snapshotSchema } from './snapshot.js';
import { type NatTranslations, natTranslationsSchema } from './snapshot-nat.js';

export interface ApiOptions {
  socketPath: string;
  snapshot: () => Promise<Snapshot>;
  /** null when no dataplane answers. */
  natTranslations: () => Promise<NatTranslations | null>;
  /** Traces the packet of one exec line. Errors as of `exec`. */
  packetTrace: (line: string) => Promise<PacketTrace>;
  /** Runs ping, traceroute or `show mtu path`. Errors as of `exec`, before the first event. */
  probe: RunProbe;
  ready: () => Ready | Promise<Ready>;
  /** Runs one exec line. Its Error's message is what the operator sees: it must hold no secret. */
  exec: (line: string) => Promise<string>;
  /** As `exec`, with the text of the file that the line names. */
  execWithFile: (line: string, text: string) => Promise<string>;
  /** One line of an interactive edit of the running configuration. */
  edit: (request: EditRequest) => EditResponse;
  /** Tests shorten them. A peer that is idle longer, in either direction, is cut off. */
  idleMs?: number;
  /** A request must have arrived whole by then. */
  requestMs?: number;
}

export interface ApiServer {
  close(): Promise<void>;
}

/** Bytes of a request body: an exec line is far shorter. */
const MaxBodyBytes = 64 << 10;
const MaxConnections = 64;

/** @returns what is sent as JSON; undefined = the answer was given */
type Answer = (request: IncomingMessage, response: ServerResponse) => Promise<unknown>;

/** Listens on `socketPath` with mode 0660, in place of a socket that a dead process left. @throws Error when the path cannot be bound */
export async function startApi(options: ApiOptions): Promise<ApiServer> {
  const routes = new Map<string, { method: string; answer: Answer }>([
    ['/snapshot', { method: 'GET', answer: async () => snapshotSchema.parse(await options.snapshot()) }],
    ['/ready', { method: 'GET', answer: async () => options.ready() }],
    ['/nat', { method: 'GET', answer: () => answerNat(options) }],
    ['/config', { method: 'GET', answer: async () => ({ config: (await options.snapshot()).runningConfig }) }],
    ['/exec', { method: 'POST', answer: async (request) => ({ output: await runLine(options.exec, request) }) }],
    ['/configure', { method: 'POST', answer: async (request) => answerEdit(options, await readBody(request)) }],
    ['/exec-file', { method: 'POST', answer: async (request) => answerFile(options, await readBody(request, MaxConfigBytes)) }],
    ['/packet-tracer', { method: 'POST', answer: async (request) => packetTraceSchema.parse(await runLine(options.packetTrace, request)) }],
    ['/probe', { method: 'POST', answer: (request, response) => runLine((line) => streamProbe(options.probe, line, response), request) }],
  ]);
  const server = createServer({ requestTimeout: options.requestMs ?? 10_000, connectionsCheckingInterval: 1000 }, (request, response) => {
    void respond(routes, request, response);
  });
  server.headersTimeout = options.requestMs ?? 10_000;
  server.keepAliveTimeout = 2000;
  server.maxConnections = MaxConnections;
  server.setTimeout(options.idleMs ?? 60_000); // without a listener, node destroys the idle socket
  await listenOnSocket(server, options.socketPath);
  return { close: () => closeServer(server, options.socketPath) };
}

async function listenOnSocket(server: Server, path: string): Promise<void> {
  // One control per instance is the supervisor's lock; a socket file here is a dead process's.
  rmSync(path, { force: true });
  const mask = process.umask(0o117); // bind happens inside listen(): the socket is never wider than 0660
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
  } finally {
    process.umask(mask);
  }
  chmodSync(path, 0o660);
}

async function closeServer(server: Server, path: string): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
  rmSync(path, { force: true });
}

async function respond(
  routes: Map<string, { method: string; answer: Answer }>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.on('error', () => undefined); // the peer went away: nobody is left to tell
  try {
    const route = routes.get((request.url ?? '').split('?', 1)[0]);
    if (!route) throw new RequestError(404, 'no such resource');
    if (request.method !== route.method) throw new RequestError(405, `use ${route.method}`, { Allow: route.method });
    const body = await route.answer(request, response);
    if (body !== undefined) send(response, 200, body);
  } catch (error) {
    const known = error instanceof RequestError ? error : new RequestError(500, describeFailure(error));
    send(response, known.status, { error: known.message }, known.headers);
    // What is left of a body that was too long is not read.
    if (!request.complete) response.once('finish', () => request.destroy());
  }
}

/** zod's text would quote the snapshot: name the fields only. */
function describeFailure(error: unknown): string {
  if (error instanceof z.ZodError) return `snapshot is not complete: ${error.issues.map((issue) => issue.path.join('.')).join(', ')}`;
  return error instanceof Error ? error.message : 'internal error';
}

function send(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  if (response.headersSent || response.destroyed) return;
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, { ...headers, 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}

async function answerNat({ natTranslations }: ApiOptions): Promise<NatTranslations> {
  const answer = await natTranslations();
  if (answer === null) throw new RequestError(503, 'the dataplane does not answer');
  return natTranslationsSchema.parse(answer);
}

async function runLine<T>(run: (line: string) => Promise<T>, request: IncomingMessage): Promise<T> {
  const line = readExecBody(await readBody(request));
  return await carryOut(() => run(line));
}

function answerEdit({ edit }: ApiOptions, text: string): EditResponse {
  return editResponseSchema.parse(edit(readEditBody(text)));
}

async function answerFile({ execWithFile }: ApiOptions, body: string): Promise<{ output: string }> {
  const { line, text } = readFileBody(body);
  return { output: await carryOut(() => execWithFile(line, text)) };
}

/** What fails is the command and not the request. */
async function carryOut<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw new RequestError(422, error instanceof Error ? error.message : 'command failed');
  }
}

async function readBody(request: IncomingMessage, limit = MaxBodyBytes): Promise<string> {
  const tooLong = new RequestError(413, `body longer than ${limit} bytes`);
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLong;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > limit) throw tooLong;
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new RequestError(400, 'body is not UTF-8');
  }
}
