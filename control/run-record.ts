// What one run of the router keeps over a restart of control alone: a text, sealed, with the run that it belongs to. A run is the
// supervisor's process, named by its id and the tick of the kernel's clock at which it began.

import { z } from 'zod';
import { StatField, statFields } from './api/proc-stat.js';
import type { SealedStore } from './store/sealed-store.js';

export type StateFiles = Pick<SealedStore, 'load' | 'save' | 'remove'>;

const schema = z.object({ run: z.string(), text: z.string(), due: z.number().optional() });
export type RunRecord = z.infer<typeof schema>;

/** @returns null when there is none, or one of another run */
export function readRecord(store: StateFiles, name: string, run: string): RunRecord | null {
  const bytes = store.load(name);
  if (bytes === null) return null;
  try {
    const record = schema.parse(JSON.parse(new TextDecoder().decode(bytes)));
    return record.run === run ? record : null;
  } catch {
    return null; // of a version with another form
  }
}

export function writeRecord(store: StateFiles, name: string, record: RunRecord): void {
  store.save(name, new TextEncoder().encode(JSON.stringify(record)));
}

/** @param pid of the supervisor. @returns `PID-START`; without /proc the pid alone */
export function nameRun(pid: number): string {
  const fields = statFields(pid);
  return fields === null ? String(pid) : `${pid}-${fields[StatField.StartTick]}`;
}
