// A GROUPKEY-PUSH at a member, from its bytes to the keys that follow: opened, verified, judged and applied as a whole, or refused.

import type { Ms } from '../actions.js';
import { WireError } from '../isakmp/wire-error.js';
import type { Kek } from './group-policy.js';
import { openPush } from './groupkey-push.js';
import type { MemberEnvironment } from './member-environment.js';
import { applyPush, type MemberKeys } from './member-keys.js';
import { judgeOffer, takeKeys } from './received-policy.js';

export interface ReceivedRekey {
  sequence: number;
  keys: MemberKeys;
  /** Of the group, as the rekey says; null = it does not. */
  pseudotimeMs: Ms | null;
}

/** @param kek whose cookies the message has @throws WireError: nothing is to be changed */
export function receiveRekey(
  bytes: Uint8Array,
  kek: Kek,
  keys: MemberKeys,
  group: string,
  environment: Pick<MemberEnvironment, 'admit' | 'spiTaken'>,
  now: Ms,
): ReceivedRekey {
  const opened = openPush(kek, bytes);
  try {
    const { policy: sent, sequence } = opened;
    const policy = sent && environment.admit(takeKeys(judgeOffer(sent.sa), sent.packets, 'push', kek, 0, now), group);
    const next = applyPush(keys, { ...opened, policy }, (spi) => environment.spiTaken(spi, group), now);
    return { sequence, keys: next, pseudotimeMs: policy?.pseudotimeMs ?? null };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new WireError(error.clause, error.message, 'gdoi_push_rejected_policy');
  }
}
