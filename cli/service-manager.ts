// What systemd is told of a router that it runs (sd_notify(3)): ready, reloading, ending, alive, and a line of status. Nothing where nobody
// asks. Node has no datagram sockets of the Unix kind, so systemd's own program speaks for us: the unit needs NotifyAccess=all.

import { spawn } from 'node:child_process';

/** A reload takes milliseconds; one that is never answered must not leave the service in "reloading". */
const ReloadMs = 10_000;
/** What is not taken in this time is not waited for. */
const SpeakMs = 5000;

export class ServiceManager {
  private readonly isAsked: boolean;
  /** Between two signs of life. */
  private readonly intervalMs: number;
  private saidAt = Number.NEGATIVE_INFINITY;
  private text = '';
  private timer: NodeJS.Timeout | null = null;

  /** @param say hands assignments over; tests put their own there */
  constructor(
    environment: NodeJS.ProcessEnv = process.env,
    private readonly say: (assignments: string[]) => void = makeSpeak(),
  ) {
    this.isAsked = Boolean(environment.NOTIFY_SOCKET);
    const watchdogMs = Number(environment.WATCHDOG_USEC ?? 0) / 1000;
    this.intervalMs = watchdogMs > 0 ? watchdogMs / 3 : Number.POSITIVE_INFINITY;
  }

  ready(): void {
    this.tell('READY=1', `STATUS=${this.text || 'running'}`);
  }

  /** Call as often as you like. */
  alive(now = performance.now()): void {
    if (now - this.saidAt < this.intervalMs || this.intervalMs === Number.POSITIVE_INFINITY) return;
    this.saidAt = now;
    this.tell('WATCHDOG=1');
  }

  /** @param text one line, for `systemctl status` */
  status(text: string): void {
    const line = text.replace(/\p{Cc}+/gu, ' ');
    if (line === this.text) return;
    this.text = line;
    this.tell(`STATUS=${line}`);
  }

  reloading(): void {
    if (!this.isAsked) return;
    this.tell('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
    if (this.timer) clearTimeout(this.timer);
    this.timer = setTimeout(() => this.reloaded(), ReloadMs).unref();
  }

  reloaded(): void {
    if (this.timer === null) return;
    clearTimeout(this.timer);
    this.timer = null;
    this.ready();
  }

  stopping(): void {
    this.tell('STOPPING=1');
  }

  private tell(...assignments: string[]): void {
    if (this.isAsked) this.say(assignments);
  }
}

/** @returns speaks, one call behind the other: two programs at a time overtake each other, and READY in front of RELOADING leaves systemd waiting for one */
function makeSpeak(): (assignments: string[]) => void {
  const waiting: string[][] = [];
  let isSpeaking = false;

  function next(): void {
    const assignments = waiting.shift();
    isSpeaking = assignments !== undefined;
    if (assignments === undefined) return;
    const program = spawn('systemd-notify', assignments, { stdio: 'ignore', timeout: SpeakMs }); // it waits until systemd has read it
    program.once('spawn', () => program.once('exit', next));
    program.once('error', next); // it could not be started: 'exit' does not come
  }

  return (assignments) => {
    waiting.push(assignments);
    if (!isSpeaking) next();
  };
}
