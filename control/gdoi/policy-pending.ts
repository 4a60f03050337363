// Key server: what members have against what the configuration says now. A changed policy waits for the next rekey, as on IOS.

import { isCombinedMode } from '../config/model.js';
import type { Tek } from './group-policy.js';
import type { SaPolicy } from './policy.js';
import type { ServerKeys } from './server-keys.js';

/** Of a TEK or a policy: what a rekey would change. Order of fields is fixed here, so that equal means equal. */
function substance(item: Tek | SaPolicy): string {
  const { encryption, authentication, lifetimeSeconds, replayWindow, replaySeconds = 0, udp = false, receiveOnly = false, entries } = item;
  return JSON.stringify([encryption, authentication, lifetimeSeconds, replayWindow, replaySeconds, udp, receiveOnly, entries]);
}

/** @returns true when a rekey now would give members something else than new keys */
export function policyPending(keys: ServerKeys, policies: readonly SaPolicy[]): boolean {
  // A rekey shortens what it replaces (server-replace.ts): a TEK of an SA that is gone and still has its full life was not replaced.
  const gone = keys.teks.some(
    (tek) => !policies.some(({ sequence }) => sequence === tek.sa) && tek.expiresAt === tek.createdAt + tek.lifetimeSeconds * 1000,
  );
  const changed = policies.some((policy) => {
    const tek = keys.newest(policy.sequence);
    return !tek || substance(tek) !== substance(policy);
  });
  const counters = policies.some(({ encryption }) => isCombinedMode(encryption));
  const size = counters && keys.senderIds.bits !== keys.wantedSenderIdBits;
  return gone || changed || size || keys.kekOutdated();
}
