// What comes over the control socket: the frame cutter and the check of a tables message. A frame may end in RangeError (length),
// SyntaxError or TypeError (no JSON, no UTF-8), a message in ShapeError; nothing else, and never a table that is out of bounds.

import { readCaptureStart } from '../../dataplane/port/capture-reader.js';
import { ShapeError } from '../../dataplane/port/shape.js';
import { readArrival } from '../../dataplane/port/trace-request.js';
import { readTables } from '../../dataplane/port/validate-tables.js';
import { MaxCaptureAces } from '../../dataplane/tables/capture.js';
import { Ace, CryptoEntry, PolicyClause, PolicyEntry, Sa } from '../../dataplane/tables/layout.js';
import { encodeFrame, FrameReader } from '../../dataplane/tables/message.js';
import { MaxTraceBytes } from '../../dataplane/tables/trace.js';
import { joinRows, sampleHead, sampleRows, sampleTunnel } from '../unit/dataplane/port/tables-sample.js';

export function fuzz(bytes: Uint8Array): void {
  let frames: { head: unknown; rest: Uint8Array }[];
  try {
    frames = new FrameReader().push(bytes);
  } catch (error) {
    if (error instanceof RangeError || error instanceof SyntaxError || error instanceof TypeError) return;
    throw error;
  }
  for (const { head, rest } of frames) {
    try {
      if ((head as { type?: unknown } | null)?.type === 'trace') {
        if (readArrival(head).datagram.length > MaxTraceBytes) throw new Error('a datagram that no slot takes');
        continue;
      }
      if ((head as { type?: unknown } | null)?.type === 'capture-start') {
        if ((readCaptureStart(head).aces?.length ?? 0) > MaxCaptureAces * Ace.Words) throw new Error('a filter that has no room');
        continue;
      }
      const { rows } = readTables(head, rest);
      const aces = rows.aces.length / Ace.Words;
      for (let at = 0; at < rows.cryptoEntries.length; at += CryptoEntry.Words) {
        if (rows.cryptoEntries[at + CryptoEntry.AclFirst] + rows.cryptoEntries[at + CryptoEntry.AclCount] > aces)
          throw new Error('entry out of bounds');
      }
      for (let at = 0; at < rows.policyEntries.length; at += PolicyEntry.Words) {
        const end = rows.policyEntries[at + PolicyEntry.FirstClause] + rows.policyEntries[at + PolicyEntry.ClauseCount];
        if (end > rows.policyClauses.length / PolicyClause.Words) throw new Error('policy entry out of bounds');
      }
      for (let at = 0; at < rows.sas.length; at += Sa.Words) {
        if (rows.sas[at] !== 0 && rows.sas[at + Sa.AclFirst] + rows.sas[at + Sa.AclCount] > aces) throw new Error('SA out of bounds');
      }
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
    }
  }
}

const { bytes: rows, blobBytes } = joinRows(sampleRows());
const plain = sampleHead(blobBytes);
const tunnelled = { ...plain, interfaces: plain.interfaces.map((row, i) => (i === 0 ? { ...row, tunnel: sampleTunnel } : row)) };
export const seeds: readonly Uint8Array[] = [
  encodeFrame(plain, [rows]),
  encodeFrame(tunnelled, [rows]),
  encodeFrame({ type: 'trace', id: 1, port: 0, datagram: '45'.padEnd(56, '0'), decrypted: false }),
  encodeFrame({ type: 'capture-start', session: 1, wire: 3, inner: true, aces: new Array<number>(Ace.Words).fill(1), follow: true }),
];
