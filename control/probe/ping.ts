// What ping does, as a plan: every size of the sweep in turn, from the smallest, as often as it is to be repeated; IOS's marks.

import type { EchoEvent, ProbeEvent } from '../api/probe-events.js';
import { formatIpv4 } from '../config/addresses.js';
import type { PingCommand, Sweep } from '../config/exec-probe.js';
import type { Outcome, Plan } from './probe-run.js';

/** Of IOS's own datagrams. */
export const EchoTtl = 255;
/** errno: larger than the way out of this host takes. */
export const Emsgsize = 90;

const Unreachable = 3;
const FragmentationNeeded = 4;
const SourceQuench = 4;
const TimeExceeded = 11;

export function sweepSizes({ min, max, interval }: Sweep): number[] {
  return Array.from({ length: Math.floor((max - min) / interval) + 1 }, (_, i) => min + i * interval);
}

function errorMark(type: number, code: number): EchoEvent['mark'] {
  if (type === Unreachable) return code === FragmentationNeeded ? 'M' : 'U';
  if (type === SourceQuench) return 'Q';
  return type === TimeExceeded ? '&' : '?';
}

/** @param validate a reply with other data is no success: `?` */
export function markOf(outcome: Outcome, validate: boolean): EchoEvent['mark'] {
  switch (outcome.kind) {
    case 'reply':
      return validate && !outcome.same ? '?' : '!';
    case 'error':
      return errorMark(outcome.type, outcome.code);
    case 'timeout':
      return '.';
    case 'refused':
      return outcome.errno === Emsgsize ? 'M' : '.';
  }
}

export function* pingPlan({ repeat, size, sweep, timeoutSeconds, validate }: PingCommand): Plan<ProbeEvent> {
  const sizes = sweep ? sweepSizes(sweep) : [size];
  for (let round = 0; round < repeat; round++) {
    for (const bytes of sizes) {
      const outcome = yield { probe: { size: bytes, ttl: EchoTtl, timeoutMs: timeoutSeconds * 1000, port: null } };
      yield { tell: echoEvent(bytes, outcome, validate) };
    }
  }
}

function echoEvent(size: number, outcome: Outcome, validate: boolean): EchoEvent {
  const answered = outcome.kind === 'reply' || outcome.kind === 'error';
  return {
    kind: 'echo',
    size,
    mark: markOf(outcome, validate),
    ms: outcome.kind === 'reply' ? outcome.ms : null,
    from: answered ? formatIpv4(outcome.from) : null,
    mtu: outcome.kind === 'error' ? outcome.mtu : 0,
  };
}
