// A key server's rekeys in the ordinary course of time: new TEKs and KEKs before the old ones expire, and the last push again after a restart.

import type { Action, Ms } from '../actions.js';
import { MaxSequence } from './groupkey-push.js';
import type { SaPolicy } from './policy.js';
import { activationDelaySeconds } from './rekey-timing.js';
import type { ServerGroup } from './server-group.js';

/** After a restart, a KEK younger than this may not have reached all members. */
const ResumeMs = 60_000;

/** Members may not have got the last push before we died: it goes out again. Those that have it keep what they have. */
export function resumeRekey(group: ServerGroup, now: Ms): Action[] {
  const { kek, previousKek, teks } = group.keys;
  const remaining = Math.min(...teks.map((tek) => (tek.expiresAt - now) / 1000));
  if (kek && previousKek && kek.sequence === 0 && now - kek.createdAt < ResumeMs)
    return group.push({ kek: previousKek, teks: [...teks], successor: kek, remainingSeconds: remaining }, now);
  if (!kek || group.keys.pendingSeconds(teks, now) === 0) return [];
  return group.push({ kek, teks: [...teks], successor: null, remainingSeconds: remaining }, now);
}

/** New TEKs for `policies`, a new KEK when asked for, and the push that brings them. @param all the push names the old TEKs too */
export function renew(group: ServerGroup, policies: readonly SaPolicy[], newKek: boolean, now: Ms, all = false): Action[] {
  const { keys } = group;
  keys.dropExpired(now);
  const replaced = policies.map((policy) => keys.newest(policy.sequence)).filter((tek) => tek !== null);
  const oldRemaining = replaced.length > 0 ? Math.min(...replaced.map((tek) => (tek.expiresAt - now) / 1000)) : 0;
  const delay = activationDelaySeconds(oldRemaining, keys.retransmit);
  const fresh = keys.addTeks(policies, now, now + delay * 1000);
  const { deactivationDelaySeconds: deactivation } = keys.deactivation(delay);
  if (deactivation !== undefined) for (const tek of replaced) tek.expiresAt = Math.min(tek.expiresAt, now + deactivation * 1000);
  const signer = keys.signer();
  const { kek } = keys;
  if (!kek || !signer || !keys.kekUsable(signer, now)) {
    // Members could not open or verify a push: they register again before their TEKs expire.
    keys.kek = signer ? keys.makeKek(signer, now) : null;
    group.rekeys.invalidateOffers();
    return [{ kind: 'policy-changed', group: group.name }];
  }
  const teks = all ? [...keys.teks] : fresh;
  if (!newKek && kek.sequence + 1 < MaxSequence) return group.push({ kek, teks, successor: null, remainingSeconds: oldRemaining }, now);
  // RFC 6407 §5.6.1: a rekey holds at least one TEK. All that are live: a member that missed one gets it now.
  const remaining = fresh.length > 0 ? oldRemaining : (kek.expiresAt - now) / 1000;
  return group.push({ kek, teks: [...keys.teks], successor: keys.makeKek(signer, now), remainingSeconds: remaining }, now);
}
