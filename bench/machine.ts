// Programs, namespaces and their removal. Everything of a run carries the run's tag (`b<pid>x<random>`): when the run ends, whatever ends
// it, the processes that live in its namespaces are ended, then the namespaces go. After a SIGKILL the next run does that (`sweep`).

import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const tag = `b${process.pid}x${randomBytes(2).toString('hex')}`;
const namespaces = new Set<string>();
let directory = '';

export interface Output {
  status: number;
  stdout: string;
  stderr: string;
}

/** Runs argv; a status other than 0 is not an error here. A program that outlives `timeoutMs` is killed: status 255. */
export function run(argv: readonly string[], timeoutMs = 60_000): Promise<Output> {
  return new Promise((resolve) => {
    execFile(argv[0], argv.slice(1), { maxBuffer: 64 << 20, timeout: timeoutMs, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : 255;
      resolve({ status, stdout, stderr: error?.killed === true ? `no end after ${timeoutMs / 1000} s` : stderr || (error?.message ?? '') });
    });
  });
}

/** @returns standard output of argv. @throws Error with its standard error when the status is not 0 */
export async function runChecked(argv: readonly string[], timeoutMs = 60_000): Promise<string> {
  const { status, stdout, stderr } = await run(argv, timeoutMs);
  if (status !== 0) throw new Error(`${argv.join(' ').slice(0, 160)}: status ${status}: ${(stderr || stdout).trim().slice(-1500)}`);
  return stdout;
}

/** Polls until `check` is true. @throws Error `waited N s for WHAT` */
export async function until(what: string, check: () => boolean | Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs / 1000} s for ${what}`);
    await sleep(100);
  }
}

/** The run's directory for configurations, keys and logs; removed with the run. */
export function runDirectory(): string {
  if (directory === '') directory = mkdtempSync(join(tmpdir(), `groupwire-bench-${tag}-`));
  return directory;
}

/** Writes a file of the run. @returns its path */
export function write(name: string, text: string): string {
  const path = join(runDirectory(), name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

export function namespaceOf(node: string): string {
  return `${tag}-${node}`;
}

export async function addNamespace(node: string): Promise<void> {
  namespaces.add(namespaceOf(node));
  await runChecked(['ip', 'netns', 'add', namespaceOf(node)]);
}

/** Runs argv on a node. */
export function on(node: string, argv: readonly string[], timeoutMs?: number): Promise<Output> {
  return run(['ip', 'netns', 'exec', namespaceOf(node), ...argv], timeoutMs);
}

/** Runs a shell line on a node. @throws Error when its status is not 0 */
export function shell(node: string, line: string, timeoutMs?: number): Promise<string> {
  return runChecked(['ip', 'netns', 'exec', namespaceOf(node), 'sh', '-c', line], timeoutMs);
}

/** A program in the background on a node; `ip netns exec` becomes it. Its output goes to a log of the run. It ends with the namespace. */
export class Background {
  readonly log: string;
  private readonly child: ChildProcess;

  constructor(
    node: string,
    readonly name: string,
    argv: readonly string[],
    environment: Record<string, string> = {},
  ) {
    this.log = join(runDirectory(), `${name}.log`);
    const output = openSync(this.log, 'w');
    this.child = spawn('ip', ['netns', 'exec', namespaceOf(node), ...argv], {
      stdio: ['ignore', output, output],
      env: { ...process.env, ...environment },
    });
    closeSync(output);
    this.child.on('error', () => {}); // `ip` is there: the topology was built with it
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** The end of its log, for the reason of a failure. */
  tail(): string {
    return existsSync(this.log) ? readFileSync(this.log, 'utf8').trim().slice(-1200) : '';
  }

  /** Waits until `check` is true. @throws Error with the end of its log when it ends first, or takes too long */
  async ready(check: () => boolean | Promise<boolean>): Promise<void> {
    await until(this.name, async () => !this.running || (await check())).catch((error: Error) => {
      throw new Error(`${error.message}: ${this.tail()}`);
    });
    if (!this.running) throw new Error(`${this.name} ended: ${this.tail()}`);
  }
}

/** Processes in a namespace, by the kernel's word. */
export async function pidsOn(node: string): Promise<number[]> {
  const { stdout } = await run(['ip', 'netns', 'pids', namespaceOf(node)]);
  return stdout.split('\n').filter(Boolean).map(Number);
}

function kill(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // it has ended by itself
    }
  }
}

/** Ends what lives on the run's nodes, politely for 5 s, then removes the namespaces. */
export async function removeNamespaces(): Promise<void> {
  const nodes = [...namespaces].map((name) => name.slice(tag.length + 1));
  const alive = async () => (await Promise.all(nodes.map(pidsOn))).flat();
  kill(await alive(), 'SIGTERM');
  await until('processes to end', async () => (await alive()).length === 0, 5000).catch(async () => kill(await alive(), 'SIGKILL'));
  for (const name of namespaces) {
    await run(['ip', 'netns', 'del', name]);
    namespaces.delete(name);
  }
}

/** The same without waiting, for the end of this process. */
function removeNow(names: Iterable<string>): void {
  for (const name of names) {
    const { stdout } = spawnSync('ip', ['netns', 'pids', name], { encoding: 'utf8' });
    kill((stdout ?? '').split('\n').filter(Boolean).map(Number), 'SIGKILL');
    spawnSync('ip', ['netns', 'del', name], { stdio: 'ignore' });
  }
}

/** Removes what runs left that were killed outright: their pid, which the names carry, is nobody's any more. */
export function sweep(): void {
  const ownerIsGone = (name: string) => {
    const owner = /b(\d+)x[0-9a-f]{4}-/.exec(name)?.[1];
    return owner !== undefined && !existsSync(`/proc/${owner}`);
  };
  const names = existsSync('/run/netns') ? readdirSync('/run/netns') : [];
  removeNow(names.filter((name) => /^b\d+x/.test(name) && ownerIsGone(name)));
  for (const name of readdirSync(tmpdir())) {
    if (name.startsWith('groupwire-bench-') && ownerIsGone(name)) rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}

/** From here on the end of this process, by a signal too, removes everything of the run. */
export function removeEverythingAtExit(): void {
  process.on('exit', () => {
    removeNow(namespaces);
    if (directory !== '') rmSync(directory, { recursive: true, force: true });
  });
  for (const [signal, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15],
    ['SIGHUP', 1],
  ] as const) {
    process.once(signal, () => process.exit(128 + number));
  }
}
