// Ports: of inside global addresses for new flows of PAT, and how long flows to a port may be quiet. Does not: make sessions.

import { NatPortTimeout, NatSeconds } from '../tables/layout.js';
import { mix } from './hash.js';
import type { NatRules } from './nat-rules.js';
import type { NatSessions } from './nat-sessions.js';
import { BankCount } from './shared.js';
import type { Tables } from './tables.js';

/** Of mix(): where the search begins is no secret. */
const SpreadA = 0x9e3779b1;
const SpreadB = 0x85ebca6b;

/**
 * A free global port for a flow, in the range of its inside port (as on IOS: 1..511, 512..1023, 1024..65535): the inside port itself if it can be, else
 * the first free one from a place that depends on the flow. @param step, @param offset a worker's share: ports p with p % step = offset
 * @param tries at the most @param rules of which ports are somebody's without a session @returns 1..65535, 0 = none was found
 */
export function findGlobalPort(
  sessions: NatSessions,
  protocol: number,
  global: number,
  wanted: number,
  outside: number,
  outsidePort: number,
  step: number,
  offset: number,
  tries: number,
  rules: NatRules | null = null,
): number {
  if (
    wanted > 0 &&
    wanted % step === offset &&
    sessions.findOutside(protocol, global, (wanted << 16) | outsidePort, outside) < 0 &&
    !rules?.isTaken(protocol, global, wanted)
  )
    return wanted;
  const low = wanted < 512 ? 1 : wanted < 1024 ? 512 : 1024;
  const high = wanted < 512 ? 511 : wanted < 1024 ? 1023 : 65535;
  const first = low + ((((offset - low) % step) + step) % step);
  const places = Math.floor((high - first) / step) + 1;
  if (places < 1) return 0;
  const begin = (mix(outside, wanted, outsidePort, global, SpreadA, SpreadB) >>> 0) % places;
  for (let i = 0; i < Math.min(tries, places); i++) {
    const port = first + ((begin + i) % places) * step;
    if (sessions.findOutside(protocol, global, (port << 16) | outsidePort, outside) >= 0) continue;
    if (!rules?.isTaken(protocol, global, port)) return port;
  }
  return 0;
}

/** `ip nat translation port-timeout`. @param port of whoever was asked first @returns NatRow.Limit of a new session */
export function portTimeout({ natPortTimeouts, counts }: Tables, protocol: number, port: number): number {
  for (let at = 0; at < counts[BankCount.NatPortTimeouts] * NatPortTimeout.Words; at += NatPortTimeout.Words)
    if (natPortTimeouts[at + NatPortTimeout.Protocol] === protocol && natPortTimeouts[at + NatPortTimeout.Port] === port) {
      const seconds = natPortTimeouts[at + NatPortTimeout.Seconds];
      return seconds === 0 ? NatSeconds.Never : seconds;
    }
  return 0;
}
