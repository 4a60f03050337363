// Which router is meant by somebody who names none: the one that runs, when there is only one.

import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** @param runDirectory of the instance that is meant when it runs. @returns it, or the runtime directory of the only instance beside it */
export function onlyInstance(runDirectory: string): string {
  const hasRouter = (directory: string): boolean => existsSync(join(directory, 'control.sock'));
  if (hasRouter(runDirectory)) return runDirectory;
  const parent = dirname(runDirectory);
  const running = (existsSync(parent) ? readdirSync(parent) : []).map((name) => join(parent, name)).filter(hasRouter);
  return running.length === 1 ? running[0] : runDirectory;
}
