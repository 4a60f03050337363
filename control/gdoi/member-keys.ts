// The keys a member holds of one group, and how a received policy changes them: wholly or not at all. Pure: no messages, no timers.

import type { Ms, RandomBytes } from '../actions.js';
import { equalBytes, toHex } from '../isakmp/bytes.js';
import { WireError } from '../isakmp/wire-error.js';
import type { GroupDeletion } from './codec/deletion.js';
import { isCounterMode } from './esp-transforms.js';
import type { Kek, SenderIds, Tek } from './group-policy.js';
import type { ReceivedPolicy } from './received-policy.js';
import { defaultSwitchMarginSeconds, reregisterMarginSeconds, reregisterSpreadSeconds, spread } from './rekey-timing.js';

export interface MemberKeys {
  kek: Kek | null;
  /** By expiry, newest last. */
  teks: Tek[];
  senderIds: SenderIds | null;
  /** Earliest time of the next registration: a key server with tiny lifetimes must not make us storm it. */
  quietUntil: Ms;
  /** Spreads the members of a group when they register again. */
  jitterMs: Ms;
}

export const noKeys: MemberKeys = { kek: null, teks: [], senderIds: null, quietUntil: 0, jitterMs: 0 };

const QuietMs = 2000;

function reject(clause: string, message: string): WireError {
  return new WireError(clause, message, 'gdoi_policy_rejected');
}

function sameKeys(a: Tek, b: Tek): boolean {
  return (
    a.encryption === b.encryption &&
    a.authentication === b.authentication &&
    equalBytes(a.encryptionKey, b.encryptionKey) &&
    equalBytes(a.salt, b.salt) &&
    equalBytes(a.integrityKey, b.integrityKey)
  );
}

function sameEntries(a: Tek, b: Tek): boolean {
  return JSON.stringify(a.entries) === JSON.stringify(b.entries);
}

/** Of those that expire before `tek`, the one that expires last: what senders use until `tek` takes over. */
function predecessorOf(tek: Tek, candidates: readonly Tek[], anyEntries: boolean): Tek | null {
  let best: Tek | null = null;
  for (const other of candidates) {
    if (other.spi === tek.spi || other.expiresAt >= tek.expiresAt || !(anyEntries || sameEntries(other, tek))) continue;
    if (!best || other.expiresAt > best.expiresAt) best = other;
  }
  return best;
}

/** RFC 5374 §4.2.1: a sender waits until all receivers have the new SA; it never outwaits the old one. */
function activation(predecessor: Tek | null, delaySeconds: number | null, now: Ms): Ms {
  if (!predecessor) return now;
  const wanted =
    delaySeconds === null
      ? predecessor.expiresAt - defaultSwitchMarginSeconds(predecessor.lifetimeSeconds) * 1000
      : now + delaySeconds * 1000;
  return Math.max(now, Math.min(wanted, predecessor.expiresAt));
}

/** RFC 6407 §5.4.1: what the new SAs replace, and the policy does not name again, goes when its delay is over; not before they are in use. */
function deactivate(held: Tek[], added: readonly Tek[], policy: ReceivedPolicy, now: Ms): void {
  const { deactivationDelaySeconds: delay } = policy;
  if (delay === null) return;
  for (const tek of held) {
    if (policy.teks.some(({ spi }) => spi === tek.spi)) continue;
    // A push may renew one SA of several: only what has the same entries is replaced for sure.
    const successor = added.find((item) => sameEntries(item, tek));
    if (successor) tek.expiresAt = Math.min(tek.expiresAt, Math.max(now + delay * 1000, successor.activatesAt));
  }
}

/** Known TEKs stay as they are (a repeated push extends nothing), new ones are added. @param spiTaken by another group */
function mergeTeks(held: readonly Tek[], policy: ReceivedPolicy, anyEntries: boolean, spiTaken: (spi: number) => boolean, now: Ms): Tek[] {
  const added: Tek[] = [];
  const merged = held.map((tek) => {
    const same = policy.teks.find((item) => item.spi === tek.spi);
    return { ...tek, expiresAt: same ? Math.min(tek.expiresAt, same.expiresAt) : tek.expiresAt };
  });
  for (const tek of policy.teks) {
    if (spiTaken(tek.spi)) throw reject('RFC 6407 §5.5', `SPI ${tek.spi} is in use by another group`);
    const known = held.find((item) => item.spi === tek.spi);
    if (known && !sameKeys(known, tek)) throw reject('RFC 6407 §5.5', `SPI ${tek.spi} again with another key`);
    if (!known) added.push(tek);
  }
  const all = [...merged, ...added];
  for (const tek of added) tek.activatesAt = activation(predecessorOf(tek, all, anyEntries), policy.activationDelaySeconds, now);
  deactivate(merged, added, policy, now);
  return all.sort((a, b) => a.expiresAt - b.expiresAt);
}

/** A registration. @throws WireError when the policy cannot be taken as a whole */
export function applyPull(
  keys: MemberKeys,
  policy: ReceivedPolicy,
  spiTaken: (spi: number) => boolean,
  random: RandomBytes,
  now: Ms,
): MemberKeys {
  // New sender IDs are unique under the TEKs that came with them; under a counter-mode TEK that the key server no longer names they might
  // be somebody else's (it may have lost its state): such a TEK is not kept (RFC 6407 §3.5).
  const held = keys.teks.filter(
    (tek) => tek.expiresAt > now && (!isCounterMode(tek.encryption) || policy.teks.some((item) => item.spi === tek.spi)),
  );
  const teks = mergeTeks(held, policy, false, spiTaken, now);
  const jitterMs = spread(reregisterSpreadSeconds(teks[teks.length - 1]?.lifetimeSeconds ?? 0), random);
  return { kek: policy.kek, teks, senderIds: policy.senderIds, quietUntil: now + QuietMs, jitterMs };
}

/** A push that was opened and verified under `keys.kek`. @throws WireError when its policy cannot be taken as a whole: keys stay */
export function applyPush(
  keys: MemberKeys,
  push: { sequence: number; deletions: readonly GroupDeletion[]; policy: ReceivedPolicy | null },
  spiTaken: (spi: number) => boolean,
  now: Ms,
): MemberKeys {
  let { teks, kek } = keys;
  for (const deletion of push.deletions) {
    if (deletion.kind === 'tek') teks = teks.filter((tek) => deletion.spi !== null && tek.spi !== deletion.spi);
    else if (kek && (deletion.spi === null || deletion.spi === toHex(kek.spi))) kek = null;
  }
  if (kek) kek = { ...kek, sequence: push.sequence };
  const { policy } = push;
  if (policy) {
    teks = mergeTeks(
      teks.filter((tek) => tek.expiresAt > now),
      policy,
      true,
      spiTaken,
      now,
    );
    if (policy.kek && kek && equalBytes(policy.kek.spi, kek.spi)) {
      if (!equalBytes(policy.kek.key, kek.key)) throw reject('RFC 6407 §5.3', 'KEK SPI again with another key');
    } else if (policy.kek) kek = policy.kek;
  }
  return { ...keys, teks, kek };
}

/** What has expired goes. @returns the same object when nothing has */
export function dropExpired(keys: MemberKeys, now: Ms): MemberKeys {
  const teks = keys.teks.filter((tek) => tek.expiresAt > now);
  const kek = keys.kek && keys.kek.expiresAt > now ? keys.kek : null;
  return teks.length === keys.teks.length && kek === keys.kek ? keys : { ...keys, teks, kek };
}

/** Before `expiresAt`, by the margin and this member's share of the spread: of a short lifetime a shorter share. */
function beforeExpiry({ expiresAt, lifetimeSeconds }: Tek | Kek, jitterMs: Ms): Ms {
  const jitter = Math.min(jitterMs, reregisterSpreadSeconds(lifetimeSeconds) * 1000);
  return expiresAt - reregisterMarginSeconds(lifetimeSeconds) * 1000 - jitter;
}

/** When a member registers again if no rekey comes: before the newest TEK, and before the KEK, expires. Without a KEK there are no rekeys to miss. */
export function reregistrationTime(keys: MemberKeys): Ms {
  const newest = keys.teks[keys.teks.length - 1];
  if (!newest) return keys.quietUntil;
  const times = [newest, ...(keys.kek ? [keys.kek] : [])].map((key) => beforeExpiry(key, keys.jitterMs));
  return Math.max(keys.quietUntil, Math.min(...times));
}
