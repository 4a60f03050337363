// One ping, traceroute or search for a path MTU: a plan says what to send next, and this sends it, waits, and tells the plan what came of it.
// One probe is under way at a time, as on IOS. Sans-I/O: times are given, actions are returned. Does not: know sockets or sessions.

import { type Answer, readAnswer } from './answer.js';
import { buildEcho, buildUdp, Size } from './echo.js';

/** Milliseconds of a monotonic clock, with fraction. */
export type Moment = number;

export interface Probe {
  /** Bytes of the whole IPv4 datagram. */
  size: number;
  ttl: number;
  timeoutMs: number;
  /** UDP destination; null = ICMP echo. */
  port: number | null;
}

/** What came of a probe. Addresses unsigned. */
export type Outcome =
  | { kind: 'reply'; from: number; ms: number /** The data came back as it was sent. */; same: boolean }
  | { kind: 'error'; from: number; ms: number; type: number; code: number; mtu: number }
  | { kind: 'timeout' }
  /** The kernel did not send it. */
  | { kind: 'refused'; errno: number };

/** What a plan wants: a probe (and is resumed with its outcome), or that something is told. */
export type Step<Event> = { probe: Probe } | { tell: Event };
export type Plan<Event> = Generator<Step<Event>, void, Outcome>;

export type ProbeAction<Event> =
  | { kind: 'send'; number: number; destination: number; ttl: number; bytes: Uint8Array }
  | { kind: 'tell'; event: Event }
  | { kind: 'end' };

export interface ProbeIdentity {
  destination: number;
  /** ICMP identifier and UDP source port: random, so that nobody else's answers fit. */
  identifier: number;
  /** 16 bits that fill the data. */
  pattern: number;
}

const Udp = 17;
const Icmp = 1;
const Esp = 50;
const PortUnreachable = 3;
/** RFC 6335 §6: dynamic ports. */
const FirstDynamicPort = 49152;

interface Waiting {
  probe: Probe;
  number: number;
  sentAt: Moment;
  bytes: Uint8Array;
}

export class ProbeRun<Event> {
  private waiting: Waiting | null = null;
  private nextNumber = 0;
  private ended = false;

  constructor(
    private readonly plan: Plan<Event>,
    private readonly identity: ProbeIdentity,
  ) {}

  /** When tick() is due; null = nothing is waited for. */
  get deadline(): Moment | null {
    return this.waiting && this.waiting.sentAt + this.waiting.probe.timeoutMs;
  }

  begin(now: Moment): ProbeAction<Event>[] {
    return this.advance({ kind: 'timeout' }, now); // the first resumption's value goes nowhere
  }

  /** The kernel has taken a probe, or not. @param at when it was asked to */
  sent(number: number, errno: number, at: Moment): ProbeAction<Event>[] {
    const { waiting } = this;
    if (!waiting || waiting.number !== number) return [];
    waiting.sentAt = at;
    return errno === 0 ? [] : this.advance({ kind: 'refused', errno }, at);
  }

  /** Any ICMP that came to this host. */
  receive(datagram: Uint8Array, at: Moment): ProbeAction<Event>[] {
    const answer = this.waiting && readAnswer(datagram);
    const outcome = this.waiting && answer && this.outcomeOf(this.waiting, answer, at);
    return outcome ? this.advance(outcome, at) : [];
  }

  tick(now: Moment): ProbeAction<Event>[] {
    const { deadline } = this;
    return deadline === null || now < deadline ? [] : this.advance({ kind: 'timeout' }, now);
  }

  private outcomeOf(waiting: Waiting, answer: Answer, at: Moment): Outcome | null {
    const ms = Math.max(0, at - waiting.sentAt);
    if (answer.kind === 'reply') {
      if (answer.identifier !== this.identity.identifier || answer.sequence !== (waiting.number & 0xffff)) return null;
      if (waiting.probe.port !== null) return null;
      const sentData = waiting.bytes.subarray(Size.IcmpHeader);
      const same = answer.data.length === sentData.length && answer.data.every((byte, i) => byte === sentData[i]);
      return { kind: 'reply', from: answer.from, ms, same };
    }
    if (!this.isAbout(waiting, answer)) return null;
    const { from, type, code, mtu } = answer;
    return { kind: 'error', from, ms, type, code, mtu };
  }

  /** Is it about the probe under way? What a router on the way quotes of header-preserving ESP is the ends alone. */
  private isAbout({ probe, number }: Waiting, { quoted }: Extract<Answer, { kind: 'error' }>): boolean {
    if (quoted.destination !== this.identity.destination) return false;
    if (quoted.protocol === Esp) return true;
    const { words } = quoted;
    if (!words) return false;
    if (probe.port !== null) return quoted.protocol === Udp && words[0] === this.sourcePort && words[1] === probe.port;
    return quoted.protocol === Icmp && words[0] === 0x0800 && words[2] === this.identity.identifier && words[3] === (number & 0xffff);
  }

  private get sourcePort(): number {
    return this.identity.identifier | FirstDynamicPort;
  }

  private advance(outcome: Outcome, now: Moment): ProbeAction<Event>[] {
    const actions: ProbeAction<Event>[] = [];
    this.waiting = null;
    while (!this.ended) {
      const { done, value } = this.plan.next(outcome);
      if (done) {
        this.ended = true;
        actions.push({ kind: 'end' });
      } else if ('tell' in value) actions.push({ kind: 'tell', event: value.tell });
      else {
        actions.push(this.send(value.probe, now));
        break;
      }
    }
    return actions;
  }

  private send(probe: Probe, now: Moment): ProbeAction<Event> {
    const number = this.nextNumber++;
    const { destination, identifier, pattern } = this.identity;
    const bytes =
      probe.port === null ? buildEcho(identifier, number & 0xffff, probe.size, pattern) : buildUdp(this.sourcePort, probe.port, probe.size);
    this.waiting = { probe, number, sentAt: now, bytes };
    return { kind: 'send', number, destination, ttl: probe.ttl, bytes };
  }
}

/** Has the probe reached its destination: its echo came back, or its port is closed there? */
export function hasArrived(outcome: Outcome): boolean {
  return outcome.kind === 'reply' || (outcome.kind === 'error' && outcome.type === 3 && outcome.code === PortUnreachable);
}
