// One supervisor per instance: a lock file in the runtime directory names the process that owns it. A process is its pid and its start
// time, so a lock left by a killed process is recognised even when its pid is in use again.

import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StatField, statFields } from '../control/api/proc-stat.js';

export class LockedError extends Error {
  override name = 'LockedError';

  constructor(readonly owner: string) {
    super(`already runs (pid ${owner})`);
  }
}

/** `pid starttime`, null when no such process lives. */
function identifyProcess(pid: number): string | null {
  const fields = statFields(pid);
  return fields === null || fields[StatField.State] === 'Z' ? null : `${pid} ${fields[StatField.StartTick]}`;
}

function readOwner(path: string): string | null {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    return null;
  }
}

function isAlive(owner: string): boolean {
  const pid = Number.parseInt(owner, 10);
  return pid > 0 && identifyProcess(pid) === owner;
}

/** Takes the lock of `directory`. @returns a function that gives it back. @throws LockedError when a living process has it */
export function takeInstanceLock(directory: string): () => void {
  const path = join(directory, 'lock');
  const mine = `${path}.${process.pid}`;
  writeFileSync(mine, `${identifyProcess(process.pid)}\n`);
  try {
    for (let tries = 0; tries < 3; tries++) {
      try {
        linkSync(mine, path); // atomic, and fails when the lock is there
        return () => rmSync(path, { force: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      setAsideStaleLock(path, `${mine}.stale`);
    }
    throw new LockedError(readOwner(path)?.split(' ')[0] ?? 'unknown');
  } finally {
    rmSync(mine, { force: true });
  }
}

function setAsideStaleLock(path: string, aside: string): void {
  const owner = readOwner(path);
  if (owner === null) return; // given back meanwhile
  if (isAlive(owner)) throw new LockedError(owner.split(' ')[0]);
  renameSync(path, aside);
  const moved = readOwner(aside);
  // Another process may have taken the stale lock between the look and the rename: then it goes back.
  if (moved !== null && isAlive(moved)) {
    renameSync(aside, path);
    throw new LockedError(moved.split(' ')[0]);
  }
  rmSync(aside, { force: true });
}
