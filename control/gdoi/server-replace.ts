// What a key server does at an operator's word, or when its sender IDs are used up: keys go before their time. Each ends with a push to those
// who are members now.
//
//   rekey               new TEKs; the old ones are given up soon (facts: MIN(remaining, MAX(90 s, MIN(5 %, 3600 s))))
//   rekey replace-now   Delete of all TEKs and new ones in one push: members change at once, what is on the way is lost
//   members             Delete of the KEK, the old TEKs shortened: members register again, one after the other, before those expire
//   members now         Delete of everything (RFC 6407 §5.9): members register again at once
//
// After `members` no key of before is worth anything: whom the key server does not register any more is out of the group.

import type { Action, Ms } from '../actions.js';
import { writeDeleteAll, writeDeleteKek, writeDeleteTeks } from './codec/deletion.js';
import { MaxSequence } from './groupkey-push.js';
import { shortenedLifetimeSeconds } from './rekey-timing.js';
import type { ServerGroup } from './server-group.js';

/** Share of the shortened lifetime after which senders take the new TEK: members have registered again by then (rekey-timing.ts). */
const ActivationShare = 0.85;

/** The TEKs in use end sooner. @returns seconds until the first of them expires, 0 without any */
export function shortenTeks(group: ServerGroup, now: Ms): number {
  for (const tek of group.keys.teks) {
    const seconds = shortenedLifetimeSeconds((tek.expiresAt - now) / 1000, tek.lifetimeSeconds);
    tek.expiresAt = Math.min(tek.expiresAt, Math.ceil(now + seconds * 1000));
  }
  return Math.max(0, Math.min(...group.keys.teks.map((tek) => (tek.expiresAt - now) / 1000)));
}

/** `crypto gdoi ks rekey replace-now`. @returns null when members could not open the push */
export function replaceNow(group: ServerGroup, now: Ms): Action[] | null {
  const { keys } = group;
  const signer = keys.signer();
  const { kek } = keys;
  if (!kek || !signer || !keys.kekUsable(signer, now) || kek.sequence + 1 >= MaxSequence) return null;
  keys.teks = [];
  keys.addTeks(group.policies, now, now);
  const successor = keys.kekOutdated() ? keys.makeKek(signer, now) : null;
  const remainingSeconds = (kek.expiresAt - now) / 1000;
  return group.push({ kek, teks: keys.teks, successor, deletions: writeDeleteTeks(), remainingSeconds }, now);
}

/** `clear crypto gdoi ks members [now]`. */
export function removeMembers(group: ServerGroup, immediately: boolean, now: Ms): Action[] {
  return immediately ? startOver(group, now) : removeInTime(group, now);
}

function removeInTime(group: ServerGroup, now: Ms): Action[] {
  const { keys } = group;
  const signer = keys.signer();
  const { kek } = keys;
  keys.dropExpired(now);
  const old = [...keys.teks];
  const remaining = shortenTeks(group, now);
  keys.addTeks(group.policies, now, now + Math.floor(remaining * ActivationShare * 1000));
  let pushed: Action[] = [];
  if (kek && signer && keys.kekUsable(signer, now) && kek.sequence < MaxSequence) {
    const deletions = writeDeleteKek(kek.spi);
    pushed = group.push({ kek, teks: old, successor: null, deletions, remainingSeconds: remaining }, now);
  }
  keys.previousKek = kek;
  keys.kek = signer ? keys.makeKek(signer, now) : null;
  return forgetMembers(group, pushed);
}

/** All keys are deleted and replaced, sender IDs begin at 0 (RFC 6407 §3.5 steps 5 and 6); members register again. */
export function startOver(group: ServerGroup, now: Ms): Action[] {
  const { keys } = group;
  const signer = keys.signer();
  const { kek } = keys;
  keys.replaceAll(group.policies, signer, now);
  let pushed: Action[] = [];
  if (kek && signer && kek.sequence < MaxSequence) {
    const remainingSeconds = (kek.expiresAt - now) / 1000;
    pushed = group.push({ kek, teks: [], successor: null, deletions: writeDeleteAll(), remainingSeconds }, now);
  }
  return forgetMembers(group, pushed);
}

/** What was offered before must not be completed, not even with this push. */
function forgetMembers(group: ServerGroup, pushed: Action[]): Action[] {
  group.rekeys.invalidateOffers();
  group.members.clear();
  return [{ kind: 'policy-changed', group: group.name }, ...pushed];
}
