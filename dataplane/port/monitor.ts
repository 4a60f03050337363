// Tells when the kernel's netdevs, addresses, routes or settings change: a child `ip monitor`, whose lines are only counted. What
// changed is read by a new dump, so a lost or misread line costs nothing. Does not: look at what it says.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { searchPath } from './run-command.js';

const QuietMs = 20;
const RestartMs = 500;

export class KernelMonitor {
  private child: ChildProcess | null = null;
  private timer: NodeJS.Timeout | null = null;
  private restart: NodeJS.Timeout | null = null;
  private closed = false;

  /** @param changed called once per burst of changes, and once whenever watching (re)starts */
  constructor(
    private readonly changed: () => void,
    private readonly log: (text: string) => void,
  ) {}

  open(): void {
    this.restart = null;
    // setpriv (util-linux) lets the kernel end the child with us, even after kill -9.
    const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));
    const command = ['ip', '-4', 'monitor', 'link', 'address', 'route', 'rule', 'netconf'];
    const [program, args] = setpriv ? [setpriv, ['--pdeathsig', 'KILL', ...command]] : [command[0], command.slice(1)];
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'], env: { PATH: searchPath(), LC_ALL: 'C' } });
    this.child = child;
    child.stdout?.on('data', () => this.note());
    child.once('error', (error) => this.lose(child, error.message));
    child.once('exit', (code, signal) => this.lose(child, signal ?? `status ${code}`));
    this.note();
  }

  close(): void {
    this.closed = true;
    if (this.timer) clearTimeout(this.timer);
    if (this.restart) clearTimeout(this.restart);
    this.child?.kill('SIGKILL');
  }

  private note(): void {
    if (this.timer || this.closed) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      this.changed();
    }, QuietMs);
  }

  private lose(child: ChildProcess, how: string): void {
    if (this.child !== child || this.closed) return;
    this.child = null;
    this.log(`ip monitor ended (${how}), starting it again`);
    this.restart = setTimeout(() => this.open(), RestartMs);
  }
}
