// What the supervisor knows about the processes of an instance, as a small file in the runtime directory: the supervisor writes it
// at every change, control reads it for its snapshot. Resident sizes come from /proc.

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { ProcessState } from './snapshot.js';

const fileName = 'processes.json';
const processes = z.array(
  z.object({ name: z.string(), pid: z.number().int().positive().nullable(), restarts: z.number().int().nonnegative() }),
);
export type SupervisedProcess = z.infer<typeof processes>[number];

/** Replaces the file as a whole: a reader sees the old list or the new one. */
export function writeProcesses(runDirectory: string, list: readonly SupervisedProcess[]): void {
  const path = join(runDirectory, fileName);
  writeFileSync(`${path}.new`, JSON.stringify(list));
  renameSync(`${path}.new`, path);
}

/** @returns the supervisor's list with resident sizes; this process alone where no supervisor runs (tests, debugging) */
export function readProcesses(runDirectory: string): ProcessState[] {
  return readList(runDirectory).map((state) => ({ ...state, rssBytes: readResidentBytes(state.pid) }));
}

function readList(runDirectory: string): SupervisedProcess[] {
  try {
    return processes.parse(JSON.parse(readFileSync(join(runDirectory, fileName), 'utf8')));
  } catch {
    return [{ name: 'control', pid: process.pid, restarts: 0 }]; // no file, or not one of ours
  }
}

function readResidentBytes(pid: number | null): number {
  if (pid === null) return 0;
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? 0 : Number(kilobytes) * 1024;
  } catch {
    return 0; // it ended since
  }
}
