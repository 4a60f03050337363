// Runs the plans of ping, traceroute and the MTU doctor over the dataplane's sockets (dataplane/port/probe-sockets.ts): the only I/O of this folder.
// A session ends with its plan, with the operator (the connection that asked is gone), or with the dataplane.

import { randomInt } from 'node:crypto';
import type { FromProber, ProbeSocket, ToProber } from '../../dataplane/tables/probe.js';
import type { CounterSet } from '../api/counters.js';
import type { ProbeEvent } from '../api/probe-events.js';
import { formatIpv4 } from '../config/addresses.js';
import { parseExec } from '../config/exec.js';
import { defaultPattern, type ProbeCommand, type ProbeSource } from '../config/exec-probe.js';
import type { Config } from '../config/model.js';
import type { Router } from '../router.js';
import { encapsulationsTo } from './encapsulations.js';
import { mtuPathPlan } from './mtu-path.js';
import { pingPlan } from './ping.js';
import { type Moment, type Plan, type ProbeAction, ProbeRun } from './probe-run.js';
import { traceroutePlan } from './traceroute.js';

/** What is asked of the link to the dataplane. */
export interface ProbeLink {
  /** Set by the prober: what the dataplane says of sessions, and null when it is lost. */
  onProbe: ((message: Exclude<FromProber, { type: 'probe-opened' }> | null, bytes: Uint8Array) => void) | null;
  /** @returns '' or what is wrong */
  openProbe(session: number, socket: ProbeSocket): Promise<string>;
  sendProbe(message: Exclude<ToProber, { type: 'probe-open' }>, bytes?: Uint8Array): void;
}

/** Its message is IOS's `% ...` line. */
export class ProbeError extends Error {}

export const probeCounters = [
  { name: 'probes_sent', help: 'Packets sent by ping, traceroute and show mtu path' },
  { name: 'probes_answered', help: 'Of them, those that a reply or an ICMP error came for' },
  { name: 'probes_timed_out', help: 'Of them, those that nothing came for in time' },
];

const Udp = 17;
const Icmp = 1;
const UsualMtu = 1500;

/** CLOCK_MONOTONIC, as the dataplane's. */
export function monotonicNow(): Moment {
  return Number(process.hrtime.bigint()) / 1e6;
}

interface Session {
  take(message: Exclude<FromProber, { type: 'probe-opened' }>, bytes: Uint8Array): void;
  fail(text: string): void;
}

export class Prober {
  private readonly sessions = new Map<number, Session>();
  private nextSession = randomInt(1 << 30);

  constructor(
    private readonly link: ProbeLink,
    private readonly router: Router,
    private readonly counters: CounterSet,
  ) {
    link.onProbe = (message, bytes) => {
      if (message) this.sessions.get(message.session)?.take(message, bytes);
      else for (const session of this.sessions.values()) session.fail('% The dataplane does not answer');
    };
  }

  /**
   * @param line of exec @param signal ends it early @param tell gets the events as they come
   * @returns when it has ended. @throws ProbeError before the first event
   */
  async run(line: string, signal: AbortSignal, tell: (event: ProbeEvent) => void): Promise<void> {
    const command = readCommand(line);
    const source = addressOf(command.source, this.router.config);
    const socket: ProbeSocket = {
      protocol: command.kind === 'traceroute' ? Udp : Icmp,
      source,
      tos: command.kind === 'ping' ? command.tos : 0,
      dontFragment: command.kind === 'mtu path' || (command.kind === 'ping' && command.dontFragment),
    };
    const number = this.nextSession++;
    const error = await this.link.openProbe(number, socket);
    if (error !== '') throw new ProbeError(`% ${error}`);
    tell({ kind: 'begin', target: formatIpv4(command.target), source: source === null ? null : formatIpv4(source) });
    const identity = {
      destination: command.target,
      identifier: randomInt(0x10000),
      pattern: command.kind === 'ping' ? (command.pattern ?? defaultPattern) : defaultPattern,
    };
    try {
      await this.drive(number, new ProbeRun(this.planOf(command, source), identity), signal, tell);
    } finally {
      this.sessions.delete(number);
      this.link.sendProbe({ type: 'probe-close', session: number });
    }
  }

  private planOf(command: ProbeCommand, source: number | null): Plan<ProbeEvent> {
    switch (command.kind) {
      case 'ping':
        return pingPlan(command);
      case 'traceroute':
        return traceroutePlan(command);
      case 'mtu path':
        return mtuPathPlan(command, startOf(this.router.config), (mtu) => encapsulationsTo(command.target, source, mtu, this.router));
    }
  }

  /** Adds one when something came of it. */
  private counted(name: string, actions: ProbeAction<ProbeEvent>[]): ProbeAction<ProbeEvent>[] {
    if (actions.length > 0) this.counters.add(name);
    return actions;
  }

  private drive(number: number, run: ProbeRun<ProbeEvent>, signal: AbortSignal, tell: (event: ProbeEvent) => void): Promise<void> {
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | null = null;
      const end = (): void => {
        if (timer) clearTimeout(timer);
        signal.removeEventListener('abort', end);
        this.sessions.delete(number);
        resolve();
      };
      const perform = (actions: ProbeAction<ProbeEvent>[]): void => {
        for (const action of actions) {
          if (action.kind === 'tell') tell(action.event);
          else if (action.kind === 'end') {
            end();
            return;
          } else {
            const { bytes, destination, ttl } = action;
            this.counters.add('probes_sent');
            this.link.sendProbe({ type: 'probe-send', session: number, number: action.number, destination, ttl }, bytes);
          }
        }
        if (timer) clearTimeout(timer);
        const { deadline } = run;
        timer =
          deadline === null
            ? null
            : setTimeout(
                () => perform(this.counted('probes_timed_out', run.tick(monotonicNow()))),
                Math.max(1, Math.ceil(deadline - monotonicNow())),
              );
      };
      signal.addEventListener('abort', end);
      this.sessions.set(number, {
        take: (message, bytes) =>
          perform(
            message.type === 'probe-sent'
              ? run.sent(message.number, message.errno, message.at)
              : this.counted('probes_answered', run.receive(bytes, message.at)),
          ),
        fail: (text) => {
          tell({ kind: 'failed', text });
          end();
        },
      });
      if (signal.aborted) end();
      else perform(run.begin(monotonicNow()));
    });
  }
}

/** Larger than the largest MTU of an interface, what is asked first cannot be. */
function startOf(config: Config): number {
  return Math.max(UsualMtu, ...[...config.interfaces.values()].map(({ ipMtu }) => ipMtu ?? 0));
}

function readCommand(line: string): ProbeCommand {
  const command = parseExec(line);
  if ('error' in command) throw new ProbeError(command.error);
  if (command.kind !== 'ping' && command.kind !== 'traceroute' && command.kind !== 'mtu path')
    throw new ProbeError('% neither ping, traceroute nor show mtu path');
  return command;
}

/** IOS's words when an interface has no address. */
function addressOf(source: ProbeSource, config: Config): number | null {
  if (source === null) return null;
  if ('address' in source) {
    const isOwn = [...config.interfaces.values()].some(({ addresses }) => addresses.some(({ address }) => address === source.address));
    if (!isOwn) throw new ProbeError(`% Invalid source address- IP address not on any of our up interfaces: ${formatIpv4(source.address)}`);
    return source.address;
  }
  const address = config.interfaces.get(source.interface)?.addresses[0]?.address;
  if (address === undefined) throw new ProbeError(`% Invalid source interface- IP not enabled or interface is down: ${source.interface}`);
  return address;
}
