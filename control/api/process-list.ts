// What the supervisor knows about the processes of an instance, as a small file in the runtime directory: the supervisor writes it at
// every change, control reads it (processes.ts). Apart from the reader so that the supervisor loads nothing else and stays small.

import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface SupervisedProcess {
  name: string;
  /** null = not running. */
  pid: number | null;
  restarts: number;
}

export const processListName = 'processes.json';

/** Replaces the file as a whole: a reader sees the old list or the new one. */
export function writeProcesses(runDirectory: string, list: readonly SupervisedProcess[]): void {
  const path = join(runDirectory, processListName);
  writeFileSync(`${path}.new`, JSON.stringify(list));
  renameSync(`${path}.new`, path);
}
