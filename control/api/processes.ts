// The processes of an instance for the snapshot: the supervisor's list (process-list.ts) with resident sizes from /proc.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { StatField, statFields } from './proc-stat.js';
import { processListName, type SupervisedProcess } from './process-list.js';
import type { ProcessState } from './snapshot.js';

const schema = z.array(
  z.object({ name: z.string(), pid: z.number().int().positive().nullable(), restarts: z.number().int().nonnegative() }),
);

/**
 * @param elsewhere a process of the instance that another service runs, or null
 * @returns it and the supervisor's list; this process alone where no supervisor runs (tests, debugging)
 */
export function readProcesses(runDirectory: string, elsewhere: SupervisedProcess | null = null): ProcessState[] {
  const list = [...(elsewhere === null ? [] : [elsewhere]), ...readList(runDirectory)];
  return list.map((state) => ({ ...state, rssBytes: readResidentBytes(state.pid), ...readRuntime(state.pid) }));
}

function readList(runDirectory: string): SupervisedProcess[] {
  try {
    return schema.parse(JSON.parse(readFileSync(join(runDirectory, processListName), 'utf8')));
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

/** proc(5): utime and stime of /proc/PID/stat count in ticks of 10 ms on Linux (USER_HZ); switches are those of all threads that live. */
function readRuntime(pid: number | null): Pick<ProcessState, 'runtimeMs' | 'invoked'> {
  const fields = pid === null ? null : statFields(pid);
  if (fields === null) return {};
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const switches = [...status.matchAll(/^(?:non)?voluntary_ctxt_switches:\s+(\d+)$/gm)].reduce(
      (sum, [, value]) => sum + Number(value),
      0,
    );
    return { runtimeMs: (Number(fields[StatField.UserTicks]) + Number(fields[StatField.SystemTicks])) * 10, invoked: switches };
  } catch {
    return {}; // it ended since
  }
}
