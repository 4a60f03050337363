// What traceroute does, as a plan: UDP to ports that nobody listens on, with a TTL that grows by one, until the destination says so.

import type { HopEvent, ProbeEvent } from '../api/probe-events.js';
import { formatIpv4 } from '../config/addresses.js';
import type { TracerouteCommand } from '../config/exec-probe.js';
import { hasArrived, type Outcome, type Plan } from './probe-run.js';

/** IP header, UDP header and nothing: IOS sends 28 bytes. */
const ProbeSize = 28;

/** Unreachables other than the closed port (RFC 792, RFC 1812 §5.2.7.1), as IOS prints them. */
const unreachableMarks = new Map([
  [0, '!N'],
  [1, '!H'],
  [2, '!P'],
  [9, '!A'],
  [10, '!A'],
  [13, '!A'],
]);
const Unreachable = 3;
const SourceQuench = 4;
const TimeExceeded = 11;

export function markOfHop(outcome: Outcome): string {
  if (outcome.kind === 'timeout' || outcome.kind === 'refused') return '*';
  if (outcome.kind === 'reply' || outcome.type === TimeExceeded || hasArrived(outcome)) return '';
  if (outcome.type === SourceQuench) return 'Q';
  return outcome.type === Unreachable ? (unreachableMarks.get(outcome.code) ?? '!U') : '?';
}

/** The destination, or somebody on the way who says that there is none. */
function isEnd(outcome: Outcome): boolean {
  return hasArrived(outcome) || (outcome.kind === 'error' && outcome.type === Unreachable);
}

export function* traceroutePlan({ probes, minTtl, maxTtl, timeoutSeconds, port }: TracerouteCommand): Plan<ProbeEvent> {
  let sent = 0;
  for (let ttl = minTtl; ttl <= maxTtl; ttl++) {
    let ended = false;
    for (let i = 0; i < probes; i++) {
      const to = ((port + sent++ - 1) % 65535) + 1;
      const outcome = yield { probe: { size: ProbeSize, ttl, timeoutMs: timeoutSeconds * 1000, port: to } };
      ended ||= isEnd(outcome);
      yield { tell: hopEvent(ttl, outcome, i === probes - 1) };
    }
    if (ended) return;
  }
}

function hopEvent(ttl: number, outcome: Outcome, last: boolean): HopEvent {
  const answered = outcome.kind === 'reply' || outcome.kind === 'error';
  return {
    kind: 'hop',
    ttl,
    from: answered ? formatIpv4(outcome.from) : null,
    ms: answered ? outcome.ms : null,
    mark: markOfHop(outcome),
    last,
  };
}
