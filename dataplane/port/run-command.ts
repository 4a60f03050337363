// Runs `ip` (iproute2), and programs that stay. Does: one batch per set of changes, arguments as arrays, errors per line. Does not:
// know what the commands mean.

import { type ChildProcess, type StdioOptions, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

export interface BatchError {
  command: string;
  /** First line of what ip said. */
  reason: string;
}

const MaxOutputBytes = 64 << 20;

let isLeftToRoot = false;

/** From now on nothing is changed: what would be is an error that names the command, for root to run (--prepared). */
export function leaveToRoot(): void {
  isLeftToRoot = true;
}

/** @returns the command that makes a TUN for this process's user, null where the process makes its own */
export function tunCommand(name: string, queues: boolean): string | null {
  return isLeftToRoot ? `ip tuntap add dev ${name} mode tun user ${process.getuid?.()}${queues ? ' multi_queue' : ''}` : null;
}

function runIp(args: string[], input: string): { stdout: string; stderr: string; status: number | null } {
  const child = spawnSync('ip', args, { input, encoding: 'utf8', maxBuffer: MaxOutputBytes, env: { PATH: searchPath(), LC_ALL: 'C' } });
  if (child.error) {
    const code = (child.error as NodeJS.ErrnoException).code;
    throw new Error(code === 'ENOENT' ? 'ip: not found: install iproute2' : `ip: ${child.error.message}`);
  }
  return { stdout: child.stdout, stderr: child.stderr, status: child.status };
}

/** sbin is not in every service's PATH. */
export function searchPath(): string {
  return `${process.env.PATH ?? '/usr/bin:/bin'}:/usr/sbin:/sbin`;
}

/** @returns the program's path, null when it is not installed */
export function findProgram(name: string): string | null {
  const found = searchPath()
    .split(':')
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));
  return found ?? null;
}

/** Starts a program that ends with us, even after kill -9: setpriv (util-linux) asks the kernel for that. */
export function spawnTied(command: readonly string[], stdio: StdioOptions, environment: Record<string, string> = {}): ChildProcess {
  const setpriv = findProgram('setpriv');
  const [program, ...args] = setpriv ? [setpriv, '--pdeathsig', 'KILL', ...command] : command;
  return spawn(program, args, { stdio, env: { PATH: searchPath(), LC_ALL: 'C', ...environment } });
}

/** Errors of a batch as lines for the operator. */
export function describeErrors(errors: readonly BatchError[]): string[] {
  return errors.map(({ command, reason }) => `ip ${command}: ${reason}`);
}

/**
 * Carries out changes in order; one that fails does not keep the others from being done. @param commands without the leading `ip`,
 * e.g. `route add default dev eth0`; words must not hold white space @returns what failed. Throws Error when ip cannot be run.
 */
export function runBatch(commands: readonly string[]): BatchError[] {
  if (commands.length === 0) return [];
  if (isLeftToRoot) return commands.map((command) => ({ command, reason: 'to be done by root' }));
  const { stderr } = runIp(['-4', '-force', '-batch', '-'], `${commands.join('\n')}\n`);
  return readBatchErrors(commands, stderr);
}

/** ip prints the reason, then `Command failed -:LINE`. */
export function readBatchErrors(commands: readonly string[], stderr: string): BatchError[] {
  const errors: BatchError[] = [];
  let reason = '';
  for (const line of stderr.split('\n')) {
    const failed = /^Command failed -:(\d+)$/.exec(line);
    if (!failed) {
      if (reason === '' && line !== '') reason = line.replace(/^(RTNETLINK answers|Error): /, '').replace(/\.$/, '');
      continue;
    }
    errors.push({ command: commands[Number(failed[1]) - 1] ?? '', reason: reason === '' ? 'failed' : reason });
    reason = '';
  }
  return errors;
}

/** So often is a dump asked for that changes while the kernel writes it. Then the last is taken: KernelMonitor tells of the change. */
const MaxDumps = 20;

/**
 * Runs queries of `ip -j`, one JSON value per query; numbers instead of names from /etc/iproute2. All is asked again when a dump is not what
 * was there at any one time (NLM_F_DUMP_INTR, which ip passes on with status 0). Throws Error with what ip said.
 */
export function queryIp(queries: readonly string[]): unknown[] {
  for (let dumps = 1; ; dumps++) {
    const { stdout, stderr, status } = runIp(['-4', '-N', '-j', '-batch', '-'], `${queries.join('\n')}\n`);
    if (stderr.includes('Dump was interrupted') && dumps < MaxDumps) continue;
    const lines = stdout.split('\n').filter((line) => line !== '');
    if (status !== 0 || lines.length !== queries.length)
      throw new Error(`ip -j: ${stderr.trim() || `${lines.length} answers to ${queries.length} queries`}`);
    return lines.map((line) => JSON.parse(line) as unknown);
  }
}
