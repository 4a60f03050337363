// A push after which a member can not go on with what it has: it took keys away, or brought a counter mode to who has no sender IDs. When the
// member registers again, and what it says. Members of a group come back one after the other.

import type { Action, Ms, RandomBytes } from '../actions.js';
import { lacksSenderIds, type MemberKeys, reregistrationTime } from './member-keys.js';
import { spread } from './rekey-timing.js';

/** Without keys nothing is protected, or nothing sent: every second counts, but a thousand members learn it in the same one. */
const MaxWithoutKeysSeconds = 5;

/** @returns null when the keys are enough to go on */
export function afterPush(group: string, keys: MemberKeys, random: RandomBytes, now: Ms): { until: Ms; log: Action } | null {
  const lacksIds = lacksSenderIds(keys);
  if (keys.kek && keys.teks.length > 0 && !lacksIds) return null;
  const log = (mnemonic: string, text: string): Action => ({ kind: 'log', facility: 'GDOI', severity: 4, mnemonic, text });
  if (keys.teks.length === 0) {
    const wait = spread(MaxWithoutKeysSeconds, random);
    const text = `GM receive REMOVAL-NOW in group ${group} to cleanup downloaded policy now. Re-registration will start in a randomly chosen period of ${Math.ceil(wait / 1000)} sec`;
    return { until: now + wait, log: log('GM_RECV_DELETE_IMMEDIATE', text) };
  }
  if (lacksIds) {
    const wait = spread(MaxWithoutKeysSeconds, random);
    const text = `Re-registration for group ${group} starts in ${Math.ceil(wait / 1000)} sec: the rekey has a counter mode, and sender IDs come by registration alone`;
    return { until: now + wait, log: log('GM_RE_REGISTER', text) };
  }
  // No rekey can come any more: before the usual time, when the TEKs are about to expire.
  const until = now + spread(Math.max(0, reregistrationTime(keys) - now) / 1000, random);
  const text = `GM received delete-msg from KS in group ${group}. TEKs lifetime are reduced and re-registration will start before SA expiry`;
  return { until, log: log('GM_RECV_DELETE', text) };
}
