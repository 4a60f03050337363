// When a key server renews keys and how the change-over is spread, so that no packet is lost:
//
//   create                        rekey                 activates        old expires
//   |------------ old TEK lifetime --|---- lead ----------------------------|
//                                    |-- repetitions --|                    |
//                                    |-- activation delay --|-- new sends --|
//
// Members that got none of them register again, spread over the time between the last repetition and the re-registration margin:
//
//   rekey                                   |-- spread --|-- margin -- old expires
//
// Repetitions end before anyone seals with the new TEK, and late receivers (their delay starts with the copy they got) still switch
// before the old one expires. Facts: gdoi-wire §2 3.1 (rekey 90 s before expiry plus the retransmit allowance).

import type { Ms, RandomBytes } from '../actions.js';

const LeadSeconds = 90;
/** Share of a short lifetime that the lead may take. */
const LeadShare = 0.4;

export interface RetransmitPolicy {
  retransmitSeconds: number;
  retransmitNumber: number;
}

/** Seconds before expiry at which the successor is pushed. */
export function rekeyLeadSeconds(lifetimeSeconds: number, policy: RetransmitPolicy): number {
  return Math.min(LeadSeconds + policy.retransmitSeconds * policy.retransmitNumber, lifetimeSeconds * LeadShare);
}

/** ACTIVATION_TIME_DELAY of a push (RFC 5374 §4.2.1), whole seconds. @param oldRemainingSeconds of the TEK that is replaced, the least of several */
export function activationDelaySeconds(oldRemainingSeconds: number, policy: RetransmitPolicy): number {
  return Math.max(0, Math.floor(Math.min(Math.max(policy.retransmitSeconds * policy.retransmitNumber, 1), oldRemainingSeconds / 2)));
}

/**
 * Seconds between repetitions of one push.
 * @param delaySeconds activation delay it carries, 0 = none (then the repetitions have half of what remains)
 * @param remainingSeconds until what is replaced expires
 */
export function retransmitIntervalSeconds(delaySeconds: number, remainingSeconds: number, policy: RetransmitPolicy): number {
  const { retransmitSeconds, retransmitNumber } = policy;
  if (retransmitNumber === 0 || remainingSeconds <= 0) return retransmitSeconds;
  const room = delaySeconds > 0 ? Math.min(delaySeconds, remainingSeconds * 0.75 - delaySeconds) : remainingSeconds / 2;
  return Math.min(retransmitSeconds, Math.max(room / retransmitNumber, 0.1));
}

const ShortenedSeconds = 90;
const ShortenedShare = 0.05;
const MaxShortenedSeconds = 3600;

/** What a TEK may still live when an operator replaces it (gdoi-wire §1.11). @param lifetimeSeconds as configured */
export function shortenedLifetimeSeconds(remainingSeconds: number, lifetimeSeconds: number): number {
  return Math.min(remainingSeconds, Math.max(ShortenedSeconds, Math.min(lifetimeSeconds * ShortenedShare, MaxShortenedSeconds)));
}

/** Member: seconds before the newest TEK's expiry at which it registers again when no rekey came. */
export function reregisterMarginSeconds(lifetimeSeconds: number): number {
  return Math.min(60, lifetimeSeconds * 0.2);
}

/**
 * Member: seconds before that margin over which the members of a group spread, so that a thousand of them do not come back in the same
 * second. Within the 30 s that the lead leaves behind the last repetition.
 */
export function reregisterSpreadSeconds(lifetimeSeconds: number): number {
  return Math.min(20, reregisterMarginSeconds(lifetimeSeconds) / 3);
}

/** @returns milliseconds, evenly from 0 to `seconds` */
export function spread(seconds: number, random: RandomBytes): Ms {
  const [high, low] = random(2);
  return Math.floor(((high * 256 + low) / 65536) * seconds * 1000);
}

/** Member without an activation delay from the key server: how long before the old TEK's expiry it switches. */
export function defaultSwitchMarginSeconds(lifetimeSeconds: number): number {
  return Math.min(30, lifetimeSeconds / 4);
}
