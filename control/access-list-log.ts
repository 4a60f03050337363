// What entries with `log` write: the first packet of a flow at once, then every five minutes how many more there were, as IOS does. Flows and lines are
// bounded: what is beyond is counted and told by one line a minute. Pure: the clock is injected.

import type { DataplaneEvent } from '../dataplane/tables/message.js';
import type { Ms } from './actions.js';
import { formatIpv4 } from './config/addresses.js';
import { describeProtocol, protocolsWithPorts } from './config/commands/service-names.js';

/** IOS's interval. */
const SummaryMs = 5 * 60_000;
const MissedMs = 60_000;
const MaxFlows = 1024;
/** First lines of flows. */
const LinesPerSecond = 20;
const LineBurst = 100;
const Icmp = 1;

export type Match = Extract<DataplaneEvent, { kind: 'acl-log' }>;

/** The entry that matched. */
export interface LoggedEntry {
  list: string;
  kind: 'standard' | 'extended';
  action: 'permit' | 'deny';
  /** Interface that the packet came by, for `log-input`. */
  interface: string | null;
}

export interface LogLine {
  mnemonic: string;
  text: string;
}

interface Flow {
  match: Match;
  entry: LoggedEntry;
  /** Packets that no line has told yet. */
  untold: number;
  nextAt: Ms;
}

function describePackets(count: number): string {
  return `${count} packet${count === 1 ? '' : 's'}`;
}

/** `%SEC-6-...`: ports, ICMP type and code, protocol, or for a standard list the source alone. */
export function logLine(match: Match, { list, kind, action, interface: input }: LoggedEntry, count: number): LogLine {
  const source = formatIpv4(match.src);
  const done = `list ${list} ${action === 'permit' ? 'permitted' : 'denied'}`;
  if (kind === 'standard') return { mnemonic: 'IPACCESSLOGS', text: `${done} ${source} ${describePackets(count)}` };
  const protocol = describeProtocol(match.protocol);
  const by = input === null ? '' : `(${input}) `;
  const destination = formatIpv4(match.dst);
  if (protocolsWithPorts.has(match.protocol)) {
    const text = `${done} ${protocol} ${source}(${match.sport}) ${by}-> ${destination}(${match.dport}), ${describePackets(count)}`;
    return { mnemonic: 'IPACCESSLOGP', text };
  }
  const ends = `${done} ${protocol} ${source} ${by}-> ${destination}`;
  if (match.protocol === Icmp)
    return { mnemonic: 'IPACCESSLOGDP', text: `${ends} (${match.sport}/${match.dport}), ${describePackets(count)}` };
  // IOS has one message for protocols that it knows by name and one for the others.
  return { mnemonic: protocol === String(match.protocol) ? 'IPACCESSLOGNP' : 'IPACCESSLOGRP', text: `${ends}, ${describePackets(count)}` };
}

export class AccessListLog {
  private readonly flows = new Map<string, Flow>();
  private missed = 0;
  private missedToldAt: Ms = Number.NEGATIVE_INFINITY;
  private tokens = LineBurst;
  private filledAt: Ms = 0;

  /** Flows that are kept. */
  get size(): number {
    return this.flows.size;
  }

  note(match: Match, entry: LoggedEntry, now: Ms): LogLine[] {
    const { counter, port, protocol, src, dst, sport, dport } = match;
    // A standard list knows sources only.
    const key = entry.kind === 'standard' ? `${counter} ${src}` : `${counter} ${port} ${protocol} ${src} ${dst} ${sport} ${dport}`;
    const known = this.flows.get(key);
    if (known) {
      known.untold += match.count;
      return [];
    }
    if (this.flows.size >= MaxFlows || !this.takeToken(now)) {
      this.miss(match.count);
      return [];
    }
    this.flows.set(key, { match, entry, untold: match.count - 1, nextAt: now + SummaryMs });
    return [logLine(match, entry, 1)];
  }

  /** Packets that no line will tell. */
  miss(count: number): void {
    this.missed += count;
  }

  /** Sums that are due; a flow that was quiet since the last one is forgotten. */
  tick(now: Ms): LogLine[] {
    const lines: LogLine[] = [];
    for (const [key, flow] of this.flows) {
      if (flow.nextAt > now) continue;
      if (flow.untold === 0) this.flows.delete(key);
      else lines.push(logLine(flow.match, flow.entry, flow.untold));
      flow.untold = 0;
      flow.nextAt = now + SummaryMs;
    }
    if (this.missed > 0 && now - this.missedToldAt >= MissedMs) {
      lines.push({ mnemonic: 'IPACCESSLOGRL', text: `access-list logging rate-limited or missed ${describePackets(this.missed)}` });
      this.missed = 0;
      this.missedToldAt = now;
    }
    return lines;
  }

  nextTick(): Ms | null {
    const times = [...this.flows.values()].map(({ nextAt }) => nextAt);
    if (this.missed > 0) times.push(Math.max(this.missedToldAt + MissedMs, 0));
    return times.length > 0 ? Math.min(...times) : null;
  }

  private takeToken(now: Ms): boolean {
    this.tokens = Math.min(LineBurst, this.tokens + (Math.max(0, now - this.filledAt) * LinesPerSecond) / 1000);
    this.filledAt = now;
    if (this.tokens < 1) return false;
    this.tokens--;
    return true;
  }
}
