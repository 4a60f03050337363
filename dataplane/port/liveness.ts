// Says to whoever started this process that it works: to the supervisor through node's channel, or to systemd where it started us itself
// (sd_notify(3), Type=notify). beat() is called once a second by a main thread that has just seen every worker turn, so silence means
// that one of them is stuck. Node has no datagram sockets of the Unix kind: systemd's own program speaks for us.

import { spawn } from 'node:child_process';
import { findProgram } from './run-command.js';

export type LifeState = 'ready' | 'alive' | 'stopping';

/** What systemd calls them. */
const assignments: Record<LifeState, string> = { ready: 'READY=1', alive: 'WATCHDOG=1', stopping: 'STOPPING=1' };

/** To systemd three times within its patience. @param watchdogUsec $WATCHDOG_USEC @returns 0 = it does not ask */
export function beatInterval(watchdogUsec: string | undefined): number {
  const usec = Number(watchdogUsec ?? 0);
  return usec > 0 ? Math.max(1, Math.floor(usec / 3e6)) : 0;
}

export class Liveness {
  private readonly program = process.env.NOTIFY_SOCKET ? findProgram('systemd-notify') : null;
  private readonly every = beatInterval(process.env.WATCHDOG_USEC);
  private seconds = 0;

  ready(): void {
    this.tell('ready');
  }

  stopping(): void {
    this.tell('stopping');
  }

  /** Call once a second. */
  beat(): void {
    if (process.send) this.tell('alive');
    else if (this.every > 0 && ++this.seconds % this.every === 0) this.tell('alive');
  }

  private tell(state: LifeState): void {
    if (process.send) {
      if (process.connected) process.send({ state }, () => undefined); // a supervisor that is gone is told by the end of stdin
    } else if (this.program !== null) spawn(this.program, [assignments[state]], { stdio: 'ignore' }).on('error', () => undefined);
  }
}
