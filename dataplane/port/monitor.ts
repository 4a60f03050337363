// Tells when netdevs, addresses, routes, neighbours of the kernel change: a child `ip monitor`, whose lines are only counted. What
// changed is read by a new dump, so a lost or misread line costs nothing. Does not: look at what it says.

import type { ChildProcess } from 'node:child_process';
import { spawnTied } from './run-command.js';

const QuietMs = 20;
const RestartMs = 500;

export class KernelMonitor {
  private child: ChildProcess | null = null;
  private timer: NodeJS.Timeout | null = null;
  private restart: NodeJS.Timeout | null = null;
  private closed = false;
  private notBefore = -Infinity;

  /**
   * @param objects as `ip monitor` calls them @param rest how many times as long as a call took to wait before the next, however much changes
   * @param changed called once per burst of changes, and once whenever watching (re)starts
   */
  constructor(
    private readonly objects: readonly string[],
    private readonly rest: number,
    private readonly changed: () => void,
    private readonly log: (text: string) => void,
  ) {}

  open(): void {
    this.restart = null;
    const child = spawnTied(['ip', '-4', 'monitor', ...this.objects], ['ignore', 'pipe', 'ignore']);
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
    const wait = Math.max(QuietMs, this.notBefore - performance.now());
    this.timer = setTimeout(() => {
      this.timer = null;
      const begin = performance.now();
      this.changed();
      const end = performance.now();
      this.notBefore = end + this.rest * (end - begin);
    }, wait);
  }

  private lose(child: ChildProcess, how: string): void {
    if (this.child !== child || this.closed) return;
    this.child = null;
    this.log(`ip monitor ended (${how}), starting it again`);
    this.restart = setTimeout(() => this.open(), RestartMs);
  }
}
