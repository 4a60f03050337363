// The other end of probe-stream.ts.

import type { IncomingMessage } from 'node:http';
import { ApiError, describeSocketError, readAnswer } from './client.js';
import { request } from './http.js';
import { type ProbeEvent, probeEventSchema } from './probe-events.js';

/** Bytes of one event: a path of many hops. */
const MaxLineBytes = 1 << 20;

function readEvent(line: string): ProbeEvent {
  try {
    return probeEventSchema.parse(JSON.parse(line));
  } catch {
    throw new ApiError('control and this command are of different versions: its events cannot be read');
  }
}

/** Calls `tell` with each whole line. @throws ApiError */
async function readLines(response: IncomingMessage, tell: (line: string) => void): Promise<void> {
  let pending = '';
  response.setEncoding('utf8');
  for await (const chunk of response as AsyncIterable<string>) {
    const lines = (pending + chunk).split('\n');
    pending = lines.pop() ?? '';
    if (pending.length > MaxLineBytes) throw new ApiError('control answered without an end');
    for (const line of lines) tell(line);
  }
  if (pending !== '') tell(pending);
}

/** Runs one line of ping, traceroute or `show mtu path`. @param signal ends it: then it resolves as well. @throws ApiError */
export async function runProbe(socketPath: string, line: string, signal: AbortSignal, tell: (event: ProbeEvent) => void): Promise<void> {
  const body = JSON.stringify({ line });
  const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const call = request({ socketPath, method: 'POST', path: '/probe', headers, agent: false, signal }, resolve);
      call.on('error', reject);
      call.end(body);
    });
    if (response.statusCode === 200) return await readLines(response, (text) => tell(readEvent(text)));
    let text = '';
    await readLines(response, (part) => {
      text += part;
    });
    readAnswer(response.statusCode ?? 0, text); // throws what control says
  } catch (error) {
    if (signal.aborted) return;
    throw error instanceof ApiError ? error : describeSocketError(socketPath, error as NodeJS.ErrnoException);
  }
}
