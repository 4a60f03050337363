// The other end of server.ts: one request on the control socket. Checks what comes back, names what is wrong in one line.

import { request } from './http.js';
import { type PacketTrace, packetTraceSchema } from './packet-trace.js';
import { type Ready, readySchema } from './ready.js';
import { type Snapshot, snapshotSchema } from './snapshot.js';
import { type NatTranslations, natTranslationsSchema } from './snapshot-nat.js';

/** Not reachable, or an error that control answered; the message is one line for the operator. */
export class ApiError extends Error {
  constructor(
    message: string,
    /** No process listens: the instance does not run (yet). */
    readonly unreachable = false,
  ) {
    super(message);
  }
}

const MaxAnswerBytes = 64 << 20;

/** @returns the parsed JSON body of a 200 answer. @throws ApiError */
export function callApi(
  socketPath: string,
  method: 'GET' | 'POST',
  path: string,
  body: unknown = undefined,
  timeoutMs = 60_000,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? '' : JSON.stringify(body);
    const headers = text === '' ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) };
    const call = request({ socketPath, method, path, headers, timeout: timeoutMs, agent: false }, (response) => {
      const chunks: Uint8Array[] = [];
      let length = 0;
      response.on('data', (chunk: Uint8Array) => {
        length += chunk.length;
        if (length > MaxAnswerBytes) response.destroy(new Error('answer too long'));
        chunks.push(chunk);
      });
      response.on('error', (error) => reject(new ApiError(`control socket: ${error.message}`)));
      response.on('end', () => {
        try {
          resolve(readAnswer(response.statusCode ?? 0, Buffer.concat(chunks).toString('utf8')));
        } catch (error) {
          reject(error);
        }
      });
    });
    call.on('timeout', () => call.destroy(new Error('no answer in time')));
    call.on('error', (error: NodeJS.ErrnoException) => reject(describeSocketError(socketPath, error)));
    call.end(text);
  });
}

/** @returns the parsed JSON body. @throws ApiError for any status but 200, with control's message */
export function readAnswer(status: number, text: string): unknown {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new ApiError(`control answered ${status} without JSON`);
  }
  if (status === 200) return parsed;
  if (typeof parsed === 'object' && parsed !== null && 'error' in parsed) throw new ApiError(String(parsed.error));
  throw new ApiError(`control answered ${status}`);
}

export function describeSocketError(path: string, error: NodeJS.ErrnoException): ApiError {
  if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED')
    return new ApiError(`no router answers at ${path}: is the instance running?`, true);
  if (error.code === 'EACCES') return new ApiError(`${path}: permission denied: run as root or as the socket's group`);
  return new ApiError(`${path}: ${error.message}`);
}

/** @throws ApiError */
export async function fetchSnapshot(socketPath: string): Promise<Snapshot> {
  const parsed = snapshotSchema.safeParse(await callApi(socketPath, 'GET', '/snapshot'));
  if (!parsed.success) throw new ApiError('control and this command are of different versions: its snapshot cannot be read');
  return parsed.data;
}

/** @throws ApiError, also while no dataplane answers */
export async function fetchNatTranslations(socketPath: string): Promise<NatTranslations> {
  const parsed = natTranslationsSchema.safeParse(await callApi(socketPath, 'GET', '/nat'));
  if (!parsed.success) throw new ApiError('control and this command are of different versions: its translations cannot be read');
  return parsed.data;
}

/** @throws ApiError */
export async function fetchReady(socketPath: string, timeoutMs: number): Promise<Ready> {
  const parsed = readySchema.safeParse(await callApi(socketPath, 'GET', '/ready', undefined, timeoutMs));
  if (!parsed.success) throw new ApiError('control and this command are of different versions');
  return parsed.data;
}

/** @param line of packet-tracer @throws ApiError with control's message */
export async function fetchPacketTrace(socketPath: string, line: string): Promise<PacketTrace> {
  const parsed = packetTraceSchema.safeParse(await callApi(socketPath, 'POST', '/packet-tracer', { line }));
  if (!parsed.success) throw new ApiError('control and this command are of different versions: its trace cannot be read');
  return parsed.data;
}

/** Runs one exec line in control. @param text of the file that it names, if it does. @returns its output. @throws ApiError with control's message */
export async function postExec(socketPath: string, line: string, text: string | null = null): Promise<string> {
  const answer = await (text === null
    ? callApi(socketPath, 'POST', '/exec', { line })
    : callApi(socketPath, 'POST', '/exec-file', { line, text }));
  return typeof answer === 'object' && answer !== null && 'output' in answer ? String(answer.output) : '';
}
