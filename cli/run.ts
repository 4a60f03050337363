// `groupwire run`: checks the file, takes the instance's lock, starts the dataplane and control and keeps them running (supervisor.ts).
// The dataplane cleans up devices, rules and routes itself; what is removed here are the runtime directory's files.

import { accessSync, constants, mkdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { processListName, writeProcesses } from '../control/api/process-list.js';
import type { RunOptions } from './arguments.js';
import { CliError } from './errors.js';
import { LockedError, takeInstanceLock } from './instance-lock.js';
import { ServiceManager } from './service-manager.js';
import { type ChildCommand, Supervisor } from './supervisor.js';

function log(severity: number, mnemonic: string, text: string): void {
  process.stderr.write(`*${new Date().toISOString()}: %SYS-${severity}-${mnemonic}: ${text}\n`);
}

/** dist/cli/run.js -> dist */
const built = fileURLToPath(new URL('..', import.meta.url));

/** What runs for an instance. */
function childCommands(options: RunOptions, root: string): ChildCommand[] {
  const shared = ['--instance', options.instance, '--run', options.runDirectory, '--state', options.stateDirectory];
  const dataplane: ChildCommand = {
    name: 'dataplane',
    args: [join(root, 'dataplane/main.js'), ...shared, '--workers', String(options.workers), ...(options.prepared ? ['--prepared'] : [])],
    // bpf: the programs of port-driver xdp and of steering; ipc_lock: the packet memory of xdp is pinned, more than the usual limit.
    capabilities: ['net_admin', 'net_raw', 'bpf', 'ipc_lock'],
    environment: options.native ? {} : { GROUPWIRE_NATIVE: '0' },
  };
  const control: ChildCommand = {
    name: 'control',
    args: [
      join(root, 'control/main.js'),
      ...shared,
      ...['--config', options.configFile, '--metrics', options.metrics],
      ...(options.keyLogDirectory === null ? [] : ['--key-log', options.keyLogDirectory]),
      ...(options.dataplaneSocket === null ? [] : ['--dataplane', options.dataplaneSocket]),
    ],
    capabilities: ['net_bind_service'],
    reloads: true,
  };
  return options.dataplaneSocket === null ? [dataplane, control] : [control];
}

function makeDirectory(path: string, mode: number): void {
  try {
    mkdirSync(path, { recursive: true, mode });
    accessSync(path, constants.W_OK | constants.X_OK);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new CliError(code === 'EACCES' || code === 'EPERM' ? `${path}: permission denied: run as root` : `${path}: ${message}`);
  }
}

function takeLock(options: RunOptions): () => void {
  try {
    return takeInstanceLock(options.runDirectory);
  } catch (error) {
    if (error instanceof LockedError) throw new CliError(`instance '${options.instance}' ${error.message}`);
    throw error;
  }
}

/**
 * Runs until a signal ends it.
 * @param root folder of dataplane/main.js and control/main.js; tests put stand-ins there @param silenceMs of the supervisor, if it is another one
 * @returns the exit status. @throws CliError when it cannot start
 */
export async function runInstance(options: RunOptions, root = built, silenceMs?: number): Promise<number> {
  makeDirectory(options.runDirectory, 0o755);
  makeDirectory(options.stateDirectory, 0o700);
  const release = takeLock(options);
  const manager = new ServiceManager();
  const supervisor = new Supervisor(
    childCommands(options, root),
    {
      log,
      changed: (list) => writeProcesses(options.runDirectory, [...list, { name: 'supervisor', pid: process.pid, restarts: 0 }]),
      ready: () => manager.ready(),
      alive: () => manager.alive(),
      status: (text) => manager.status(text),
      reloaded: () => manager.reloaded(),
    },
    silenceMs,
  );
  const stop = () => {
    manager.stopping();
    supervisor.stop();
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('SIGHUP', () => {
    manager.reloading();
    supervisor.reload();
  });
  // Of an upgrade: control starts again as the program that is installed now, and forwarding goes on.
  process.on('SIGUSR2', () => supervisor.restart('control'));
  try {
    supervisor.start();
    return await supervisor.ended;
  } finally {
    for (const name of ['control.sock', 'dataplane.sock', processListName]) rmSync(join(options.runDirectory, name), { force: true });
    release();
    removeIfEmpty(options.runDirectory);
  }
}

function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    // Somebody's other files are there, or the directory is not ours to remove, as under systemd: both are fine.
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return;
    log(6, 'CLEANUP', `${directory} stays: ${(error as NodeJS.ErrnoException).code}`);
  }
}
