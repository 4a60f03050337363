// POST /probe: events while they happen, one JSON object a line, for as long as it takes. Who closes the connection ends the probe.

import type { ServerResponse } from 'node:http';
import type { ProbeEvent } from './probe-events.js';

/** @param signal ends it early @param tell gets the events. @throws Error before the first event */
export type RunProbe = (line: string, signal: AbortSignal, tell: (event: ProbeEvent) => void) => Promise<void>;

/** A reader that has left so much unread has stopped. */
const MaxUnsentBytes = 1 << 20;

/** @throws what `run` throws, as long as nothing was sent */
export async function streamProbe(run: RunProbe, line: string, response: ServerResponse): Promise<undefined> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  // The server cuts idle connections off; here nothing may be said for as long as the timeout of ping is.
  response.socket?.setTimeout(0);
  await run(line, gone.signal, (event) => {
    if (response.destroyed) return;
    if (!response.headersSent) response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
    response.write(`${JSON.stringify(event)}\n`);
    if (response.writableLength > MaxUnsentBytes) response.destroy();
  });
  response.end();
}
