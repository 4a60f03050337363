// Keeps the processes of one router alive. Does: start, restart either alone with back-off, kill one that fell silent, pass SIGHUP on, end
// them in order. Does not: read the configuration, touch the network, or look at what they log (their output is this process's own).
//
// A child's stdin is a pipe of which the supervisor holds the other end: end-of-file there tells it that the supervisor is gone, however
// it died. Children have their own sessions, so a Ctrl-C reaches them through the supervisor alone.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { SupervisedProcess } from '../control/api/process-list.js';
import { type CapabilityName, hasCapability, heldOf } from './capabilities.js';

export interface ChildCommand {
  name: string;
  args: string[];
  environment?: Record<string, string>;
  /** What of root's privileges it keeps, as setpriv names them (`net_admin`); default: all. */
  capabilities?: readonly CapabilityName[];
  /** Gets SIGHUP when the supervisor does. */
  reloads?: boolean;
}

export interface SupervisorEvents {
  log(severity: number, mnemonic: string, text: string): void;
  /** A process started or ended. */
  changed(list: SupervisedProcess[]): void;
  /** Every process works, for the first time. */
  ready(): void;
  /** Every process works: once a second, and not while one does not. */
  alive(): void;
  /** One of them tells in a few words how it is. */
  status(text: string): void;
  /** SIGHUP has been carried out. */
  reloaded(): void;
}

/** What a child says through node's channel (dataplane/port/liveness.ts, control/liveness.ts). */
interface ChildMessage {
  state: 'ready' | 'alive' | 'stopping' | 'reloaded';
  status?: string;
}

/** Exit statuses of sysexits.h that a restart cannot cure: configuration, permission. */
const Hopeless = new Set([77, 78]);
const FirstDelayMs = 100;
const LongestDelayMs = 5000;
/** A process that lived this long starts with a clean record. */
const SettledMs = 30_000;
const GraceMs = 5000;
/** A child that has spoken and then says nothing for so long is stuck. It blocks for seconds with a million routes. */
const SilenceMs = 60_000;

/** util-linux, in every Debian; where it is missing, and for whoever may not give up privileges (CAP_SETPCAP), children start with what we have. */
const Setpriv = '/usr/bin/setpriv';

function commandLine({ args, capabilities }: ChildCommand): string[] {
  const command = [process.execPath, ...process.execArgv, ...args]; // the launcher's options of V8
  if (!capabilities || process.getuid?.() !== 0 || !hasCapability('setpcap') || !existsSync(Setpriv)) return command;
  const kept = ['-all', ...heldOf(capabilities).map((name) => `+${name}`)].join(',');
  return [Setpriv, `--bounding-set=${kept}`, '--inh-caps=-all', '--no-new-privs', '--', ...command];
}

interface Child {
  command: ChildCommand;
  process: ChildProcess | null;
  startedAt: number;
  restarts: number;
  /** Deaths in a row without a settled life between them. */
  deaths: number;
  timer: NodeJS.Timeout | null;
  /** When it last spoke, null = not in this life. */
  spokeAt: number | null;
  isReady: boolean;
}

export class Supervisor {
  private readonly children: Child[];
  private stopping = false;
  private status = 0;
  private wasReady = false;
  private readonly watch: NodeJS.Timeout;
  private resolve!: (status: number) => void;
  /** Exit status for the supervisor, once every child has ended. */
  readonly ended = new Promise<number>((resolve) => {
    this.resolve = resolve;
  });

  /** @param silenceMs tests shorten it */
  constructor(
    commands: readonly ChildCommand[],
    private readonly events: SupervisorEvents,
    private readonly silenceMs = SilenceMs,
  ) {
    const idle = { process: null, startedAt: 0, restarts: 0, deaths: 0, timer: null, spokeAt: null, isReady: false };
    this.children = commands.map((command) => ({ command, ...idle }));
    this.watch = setInterval(() => this.look(), Math.min(1000, silenceMs / 2));
  }

  start(): void {
    for (const child of this.children) this.launch(child);
  }

  reload(): void {
    for (const child of this.children) if (child.command.reloads) child.process?.kill('SIGHUP');
  }

  /** SIGTERM to all, SIGKILL to what is left after a grace. */
  stop(status = 0): void {
    if (this.stopping) return;
    this.stopping = true;
    this.status = status;
    for (const child of this.children) {
      if (child.timer) clearTimeout(child.timer);
      child.process?.kill('SIGTERM');
    }
    const force = setTimeout(() => {
      for (const { command, process } of this.children) {
        if (!process) continue;
        this.events.log(3, 'KILLED', `${command.name} (pid ${process.pid}) did not end within ${GraceMs / 1000} s, killed`);
        process.kill('SIGKILL');
      }
    }, GraceMs);
    void this.ended.then(() => clearTimeout(force));
    this.endWhenEmpty();
  }

  /** Ends a child, which starts again at once: with the program that is installed now. */
  restart(name: string): void {
    this.children.find((child) => child.command.name === name)?.process?.kill('SIGTERM');
  }

  /** Once a second: who fell silent is killed, which starts it again. */
  private look(): void {
    const now = performance.now();
    const isSilent = ({ spokeAt }: Child) => spokeAt !== null && now - spokeAt > this.silenceMs;
    for (const child of this.children) {
      if (this.stopping || child.process === null || !isSilent(child)) continue;
      this.events.log(
        2,
        'STUCK',
        `${child.command.name} (pid ${child.process.pid}) has said nothing for ${this.silenceMs / 1000} s, killed`,
      );
      child.process.kill('SIGKILL');
    }
    if (this.children.every((child) => child.isReady && !isSilent(child))) this.events.alive();
  }

  private hear(child: Child, { state, status }: ChildMessage): void {
    child.spokeAt = performance.now();
    if (status !== undefined) this.events.status(status);
    if (state === 'reloaded') this.events.reloaded();
    if (state === 'ready') child.isReady = true;
    if (this.wasReady || this.stopping || !this.children.every(({ isReady }) => isReady)) return;
    this.wasReady = true;
    this.events.ready();
  }

  private launch(child: Child): void {
    child.timer = null;
    const { environment } = child.command;
    const [program, ...args] = commandLine(child.command);
    const started = spawn(program, args, {
      stdio: ['pipe', 'inherit', 'inherit', 'ipc'],
      detached: true,
      env: { ...process.env, NOTIFY_SOCKET: undefined, ...environment }, // to systemd the supervisor speaks
    });
    child.process = started;
    child.startedAt = Date.now();
    started.on('message', (message) => this.hear(child, message as ChildMessage));
    started.stdin?.on('error', () => undefined); // nothing is ever written: EPIPE cannot matter
    started.once('error', (error) => this.lose(child, `could not start: ${error.message}`, null));
    started.once('exit', (code, signal) => this.lose(child, signal ? `ended by ${signal}` : `ended with status ${code}`, code));
    this.report();
  }

  private lose(child: Child, how: string, code: number | null): void {
    const { process: lost, command } = child;
    if (!lost) return; // 'error' and 'exit' of one death
    child.process = null;
    child.spokeAt = null;
    child.isReady = false;
    lost.stdin?.destroy();
    this.report();
    if (this.stopping) {
      this.endWhenEmpty();
      return;
    }
    if (code !== null && Hopeless.has(code)) {
      this.events.log(2, 'STOP', `${command.name} (pid ${lost.pid ?? 'none'}) ${how}: a restart cannot help, stopping`);
      this.stop(1);
      return;
    }
    if (Date.now() - child.startedAt >= SettledMs) child.deaths = 0;
    const delay = child.deaths === 0 ? 0 : Math.min(FirstDelayMs * 2 ** (child.deaths - 1), LongestDelayMs);
    child.deaths++;
    child.restarts++;
    const when = delay === 0 ? 'at once' : `in ${delay} ms`;
    this.events.log(5, 'RESTART', `${command.name} (pid ${lost.pid ?? 'none'}) ${how}, starting it again ${when}`);
    if (delay === 0) this.launch(child);
    else child.timer = setTimeout(() => this.launch(child), delay);
  }

  private endWhenEmpty(): void {
    if (!this.children.every((child) => child.process === null)) return;
    clearInterval(this.watch);
    this.resolve(this.status);
  }

  private report(): void {
    this.events.changed(
      this.children.map(({ command, process, restarts }) => ({ name: command.name, pid: process?.pid ?? null, restarts })),
    );
  }
}
