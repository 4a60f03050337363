// The header of time-based anti-replay as a fuzz target: nothing throws, what is read is written back byte for byte.
import { readTbar, Tbar, writeTbar } from '../../dataplane/proto/tbar.js';

/** A payload. Throws when what is read is not what is there. */
export function fuzz(bytes: Uint8Array): void {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  const ms = readTbar(view, 0, copy.length);
  if (ms < 0) return;
  if (!Number.isSafeInteger(ms)) throw new Error(`pseudotime ${ms}`);
  writeTbar(view, 0, ms);
  for (let i = 0; i < Tbar.HeaderLen; i++) if (copy[i] !== bytes[i]) throw new Error(`byte ${i} is not what it was`);
}
