// Control's question "what would become of this packet?", checked, and its answer (trace/tracer.ts).

import type { SharedState } from '../mem/shared.js';
import type { Native } from '../native/native.js';
import { findRoute } from '../proto/fib.js';
import { Cap } from '../tables/layout.js';
import { MaxTraceBytes, type TraceAnswer } from '../tables/trace.js';
import type { LinkShape } from '../trace/quiet-native.js';
import { type Arrival, describeSent, trace } from '../trace/tracer.js';
import type { Applier } from './applier.js';
import { readFlag, readInteger, readRecord, readText, refuse, ShapeError } from './shape.js';

/** RFC 791 §3.1. */
const LeastHeader = 20;

/** @throws ShapeError */
export function readArrival(message: unknown): Arrival {
  const { port, datagram, decrypted } = readRecord(message, 'trace');
  const text = readText(datagram, 'trace.datagram', MaxTraceBytes * 2);
  const digits = [...text].every((digit) => '0123456789abcdef'.includes(digit));
  if (!digits || text.length % 2 !== 0 || text.length < LeastHeader * 2) refuse('trace.datagram: no datagram in hexadecimal digits');
  const bytes = Uint8Array.from({ length: text.length / 2 }, (_, i) => Number.parseInt(text.slice(i * 2, i * 2 + 2), 16));
  return {
    port: readInteger(port, 'trace.port', 0, Cap.Ports - 1),
    datagram: bytes,
    decrypted: readFlag(decrypted, 'trace.decrypted'),
  };
}

export interface TraceSources {
  shared: SharedState;
  native: Native;
  senderStatePath: string;
  bootId: string;
  applier: Pick<Applier, 'generation' | 'routes'>;
  ports: { linksOf(port: number, worker: number): readonly LinkShape[] };
}

/** Never throws: what cannot be asked is said in the answer. */
export function answerTrace(id: number, message: unknown, sources: TraceSources): TraceAnswer {
  const { shared, native, senderStatePath, bootId, applier, ports } = sources;
  try {
    const means = {
      native,
      senderStatePath,
      bootId,
      linksOf: (port: number, worker: number) => ports.linksOf(port, worker),
      routeTo: (address: number) => findRoute(applier.routes, address),
    };
    const { worker, steps, sent } = trace(shared, means, readArrival(message));
    return { type: 'trace', id, trace: { generation: applier.generation, worker, steps, sent: sent.map(describeSent) }, error: '' };
  } catch (error) {
    if (!(error instanceof ShapeError || error instanceof RangeError)) throw error;
    return { type: 'trace', id, trace: null, error: error.message };
  }
}
