// The clock of time-based anti-replay at a member (SAR, draft-weis; IOS: TBAR): what the key server said the group's pseudotime was, and what
// has passed since by the member's own clock. Pure.
//
// A message is never newer than its arrival: the pseudotime in it is a lower bound, and late copies of a rekey (it is repeated for half a minute,
// byte for byte) are low by as much. So a rekey moves the clock forward as far as it says, and back only by what clocks drift; a
// registration, which is an exchange of a moment, sets it.

import type { Action, Ms } from '../actions.js';
import type { MemberRecord } from './member-record.js';

export interface Pseudotime {
  /** Milliseconds since the group began... */
  value: Ms;
  /** ...when this member's clock showed this. */
  at: Ms;
}

/** How far a rekey takes the clock back: two crystals drift by less between rekeys. */
const DriftMs = 1000;
/** Beyond it the operator should know: IOS allows 10 s (%GDOI-3-PSEUDO_TIME_LARGE, _TOO_OLD). */
const SkewMs = 10_000;

export function pseudotimeAt({ value, at }: Pseudotime, now: Ms): Ms {
  return value + (now - at);
}

export interface PseudotimeNews {
  clock: Pseudotime;
  /** How far the key server is ahead of what this member thought, ms. */
  deltaMs: Ms;
  /** Beyond the skew that IOS allows. */
  judgement: 'fine' | 'large' | 'too old';
}

/** @param received ms, as a rekey says @param current null = the member had none */
export function followRekey(current: Pseudotime | null, received: Ms, now: Ms): PseudotimeNews {
  const clock = { value: received, at: now };
  if (!current) return { clock, deltaMs: 0, judgement: 'fine' };
  const deltaMs = received - pseudotimeAt(current, now);
  const judgement = deltaMs > SkewMs ? 'large' : deltaMs < -SkewMs ? 'too old' : 'fine';
  return { clock: deltaMs >= -DriftMs ? clock : current, deltaMs, judgement };
}

function secondsText(ms: Ms): string {
  return (ms / 1000).toFixed(2);
}

/** Takes down how far a rekey's pseudotime was from ours. @param current before the rekey @param received null = it carries none */
export function noteRekeyTime(group: string, record: MemberRecord, current: Pseudotime | null, received: Ms | null, now: Ms): Action[] {
  if (current === null || received === null) return [];
  const { deltaMs, judgement } = followRekey(current, received, now);
  record.maxTimeDeltaMs = Math.max(record.maxTimeDeltaMs ?? 0, Math.abs(deltaMs));
  if (judgement === 'fine') return [];
  record.timeSyncErrors = (record.timeSyncErrors ?? 0) + 1;
  const own = secondsText(pseudotimeAt(current, now));
  const [mnemonic, text] =
    judgement === 'large'
      ? [
          'PSEUDO_TIME_LARGE',
          `Pseudotime difference between key server (${secondsText(received)} sec) and GM (${own} sec) larger than expected in group ${group}. Adjust to new PST`,
        ]
      : [
          'PSEUDO_TIME_TOO_OLD',
          `Rekey received in group ${group} carries an old pseudotime: my_pst is ${own} sec, peer_pst is ${secondsText(received)} sec, allowable_skew is ${SkewMs / 1000} sec. Mine stays`,
        ];
  return [{ kind: 'log', facility: 'GDOI', severity: 3, mnemonic, text }];
}
