// Network namespaces for tests, with unique names and guaranteed removal: at the end of the test, on failure, on SIGINT and SIGTERM.
// After a SIGKILL nothing can run; then scripts/test sweeps by the pid that every name carries.

import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

/** Unique on this machine: `t<pid of this process>x<random>`. */
export function uniqueName(): string {
  return `t${process.pid}x${randomBytes(2).toString('hex')}`;
}

const undos = new Set<() => void>();

/** Runs `undo` at the latest when this process ends, whatever ends it but SIGKILL. @returns takes it back and runs it now, once */
export function removeAtExit(undo: () => void): () => void {
  if (undos.size === 0) listen();
  undos.add(undo);
  return () => {
    if (undos.delete(undo)) undo();
  };
}

let listening = false;
function listen(): void {
  if (listening) return;
  listening = true;
  process.on('exit', () => {
    for (const undo of [...undos].reverse()) {
      undos.delete(undo);
      undo();
    }
  });
  for (const [signal, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15],
  ] as const) {
    process.once(signal, () => process.exit(128 + number));
  }
}

export interface Output {
  status: number;
  stdout: string;
  stderr: string;
}

/** Runs argv; a status other than 0 is not an error here. */
export function run(argv: readonly string[], environment: Record<string, string> = {}, timeoutMs = 60_000): Promise<Output> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...environment }, maxBuffer: 256 << 20, timeout: timeoutMs };
    execFile(argv[0], argv.slice(1), options, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : 255;
      resolve({ status, stdout, stderr: error !== null && status === 255 ? `${stderr}${error.message}` : stderr });
    });
  });
}

/** Runs argv. @returns its standard output. @throws Error with its standard error when the status is not 0 */
export async function runChecked(argv: readonly string[], environment: Record<string, string> = {}, timeoutMs = 60_000): Promise<string> {
  const { status, stdout, stderr } = await run(argv, environment, timeoutMs);
  if (status !== 0) throw new Error(`${argv.join(' ').slice(0, 200)}: status ${status}: ${(stderr || stdout).trim().slice(-2000)}`);
  return stdout;
}

/** A process in the background, known by its pid. */
export class Background {
  stdout = '';
  stderr = '';
  /** Exit status; -1 when a signal ended it. */
  readonly ended: Promise<number>;
  private readonly child: ChildProcess;
  private readonly forget: () => void;

  constructor(argv: readonly string[], environment: Record<string, string> = {}) {
    const child = spawn(argv[0], argv.slice(1), { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment } });
    this.child = child;
    this.forget = removeAtExit(() => child.kill('SIGKILL'));
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    child.on('error', (error) => {
      this.stderr += error.message;
    });
    this.ended = new Promise((resolve) => child.once('close', (code) => resolve(code ?? -1)));
    void this.ended.then(() => this.forget());
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Ends it and waits until it has. @returns its standard output */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<string> {
    if (this.running) this.child.kill(signal);
    const force = setTimeout(() => this.child.kill('SIGKILL'), 3000);
    await this.ended;
    clearTimeout(force);
    return this.stdout;
  }

  /** Waits until its output matches. @throws Error with the output when it ends first, or after `timeoutMs` */
  async says(pattern: RegExp, timeoutMs = 30_000): Promise<void> {
    await until(
      `output that matches ${pattern}`,
      () => {
        if (pattern.test(this.stdout) || pattern.test(this.stderr)) return true;
        if (!this.running) throw new Error(`ended without saying ${pattern}: ${this.stderr || this.stdout}`);
        return false;
      },
      timeoutMs,
    );
  }
}

/** Polls until `check` is true. @throws Error `waited N s for WHAT` */
export async function until(what: string, check: () => boolean | Promise<boolean>, timeoutMs = 30_000, pollMs = 50): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    if (await check()) return;
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs / 1000} s for ${what}`);
    await sleep(pollMs);
  }
}

/** Namespaces of one test. Node names are short; the namespaces' own names are `${name}-${node}`. */
export class Netns {
  readonly name = uniqueName();
  private readonly nodes: string[] = [];
  private readonly undo = removeAtExit(() => {
    for (const node of this.nodes) spawnSync('ip', ['netns', 'del', this.of(node)], { stdio: 'ignore' });
  });

  of(node: string): string {
    return `${this.name}-${node}`;
  }

  /** Makes namespaces with `lo` up, without IPv6 and without reverse path filter. */
  async add(...nodes: string[]): Promise<void> {
    for (const node of nodes) {
      await runChecked(['ip', 'netns', 'add', this.of(node)]);
      this.nodes.push(node);
      await this.sh(
        node,
        'sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0; ip link set lo up',
      );
    }
  }

  /** Joins `nodeA devA` and `nodeB devB`, both up; an address is `a.b.c.d/len`. */
  async veth(a: string, devA: string, addressA: string | null, b: string, devB: string, addressB: string | null): Promise<void> {
    await runChecked(['ip', 'link', 'add', devA, 'netns', this.of(a), 'type', 'veth', 'peer', 'name', devB, 'netns', this.of(b)]);
    for (const [node, device, address] of [
      [a, devA, addressA],
      [b, devB, addressB],
    ] as const) {
      if (address !== null) await this.sh(node, `ip address add ${address} dev ${device}`);
      await this.sh(node, `ip link set ${device} up`);
    }
  }

  /** Runs a shell line on a node. @returns its standard output. @throws Error when its status is not 0 */
  sh(node: string, line: string): Promise<string> {
    return runChecked(['ip', 'netns', 'exec', this.of(node), 'sh', '-c', line]);
  }

  spawn(node: string, argv: readonly string[], environment: Record<string, string> = {}): Background {
    return new Background(['ip', 'netns', 'exec', this.of(node), ...argv], environment);
  }

  remove(): void {
    this.undo();
  }
}
