// /proc/PID/stat. Apart from processes.ts because the supervisor, which lives as long as the router, reads it and should load no more than this.

import { readFileSync } from 'node:fs';

/** Places in what statFields() gives: proc(5) counts from 1 and has two fields in front. */
export const enum StatField {
  State = 0,
  UserTicks = 11,
  SystemTicks = 12,
  StartTick = 19,
}

/** The fields behind the command's name, which may hold blanks and parentheses; null when no such process is there. */
export function statFields(pid: number): string[] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}
