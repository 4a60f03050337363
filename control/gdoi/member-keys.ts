// The keys a member holds of one group, and how a received policy changes them: wholly or not at all. Pure: no messages, no timers.

import type { Ms, RandomBytes } from '../actions.js';
import { isCombinedMode } from '../config/model.js';
import { equalBytes, toHex } from '../isakmp/bytes.js';
import { WireError } from '../isakmp/wire-error.js';
import type { GroupDeletion } from './codec/deletion.js';
import type { Kek, SenderIds, Tek } from './group-policy.js';
import { followRekey, type Pseudotime } from './pseudotime.js';
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
  /** Clock of time-based anti-replay; absent or null = no SA of the group needs one. */
  pseudotime?: Pseudotime | null;
}

export const noKeys: MemberKeys = { kek: null, teks: [], senderIds: null, quietUntil: 0, jitterMs: 0 };

const QuietMs = 2000;
/** A TEK with less than this is at its end: no member registers earlier for want of a rekey (rekey-timing.ts). */
const EndMs = 80_000;
/** Of one group: the policy that is offered and the one before it (received-policy.ts bounds one). */
const MaxHeldTeks = 64;
/** Of the 4,096 rows that all groups share. */
const MaxHeldEntries = 2000;
/** Above the numbers of `sa ipsec`. */
const FirstOwnNumber = 65536;

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

/**
 * Gives each new TEK the number of its SA, where the key server does not say it (codec/sat.ts): that of a TEK with the same entries; of the only SA
 * there is, when a rekey brings one for it; else a number of its own.
 */
function numberSas(held: readonly Tek[], added: readonly Tek[], isRekey: boolean): void {
  const known = new Set(held.map((tek) => tek.sa ?? 0));
  const lists = new Set(added.map(({ entries }) => JSON.stringify(entries)));
  let next = FirstOwnNumber;
  for (const tek of added) {
    if (tek.sa !== undefined) continue;
    const twin = [...held, ...added].find((other) => other !== tek && other.sa !== undefined && sameEntries(other, tek));
    if (twin) tek.sa = twin.sa;
    else if (isRekey && known.size === 1 && lists.size === 1) tek.sa = [...known][0];
    else {
      while (known.has(next)) next++;
      tek.sa = next;
      known.add(next);
    }
  }
}

/** Of the same SA and expiring before `tek`, the one that expires last: what senders use until `tek` takes over. */
function predecessorOf(tek: Tek, candidates: readonly Tek[]): Tek | null {
  let best: Tek | null = null;
  for (const other of candidates) {
    if (other.spi === tek.spi || other.expiresAt >= tek.expiresAt || (other.sa ?? 0) !== (tek.sa ?? 0)) continue;
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
    const successor = added.find((item) => (item.sa ?? 0) === (tek.sa ?? 0));
    if (successor) tek.expiresAt = Math.min(tek.expiresAt, Math.max(now + delay * 1000, successor.activatesAt));
  }
}

/** Different entries: a list that many TEKs have counts once, as in the tables. */
function countEntries(teks: Iterable<Tek>): number {
  return [...new Map([...teks].map((tek) => [JSON.stringify(tek.entries), tek.entries.length])).values()].reduce((a, b) => a + b, 0);
}

/**
 * The packet path's tables serve all groups, so one key server must not fill them (bad-input 21, 22): beyond the bounds, TEKs go that its last
 * message does not name, first those that nobody seals with any more, the oldest first.
 */
function boundTeks(teks: readonly Tek[], named: ReadonlySet<number>, now: Ms): Tek[] {
  const isBounded = (kept: readonly Tek[]): boolean =>
    kept.length <= MaxHeldTeks &&
    (kept.reduce((sum, { entries }) => sum + entries.length, 0) <= MaxHeldEntries || countEntries(kept) <= MaxHeldEntries);
  const replaced = (tek: Tek): boolean =>
    teks.some((other) => (other.sa ?? 0) === (tek.sa ?? 0) && other.activatesAt <= now && other.activatesAt > tek.activatesAt);
  let kept = [...teks];
  if (isBounded(kept)) return kept;
  const spare = teks.filter(({ spi }) => !named.has(spi)).map((tek) => ({ tek, replaced: replaced(tek) }));
  spare.sort((a, b) => Number(b.replaced) - Number(a.replaced) || a.tek.createdAt - b.tek.createdAt);
  for (const { tek } of spare) {
    kept = kept.filter((other) => other !== tek);
    if (isBounded(kept)) break;
  }
  return kept;
}

/** Known TEKs stay as they are (a repeated push extends nothing), new ones are added. @param spiTaken by another group */
function mergeTeks(held: readonly Tek[], policy: ReceivedPolicy, isRekey: boolean, spiTaken: (spi: number) => boolean, now: Ms): Tek[] {
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
  numberSas(merged, added, isRekey);
  const all = [...merged, ...added];
  for (const tek of added) tek.activatesAt = activation(predecessorOf(tek, all), policy.activationDelaySeconds, now);
  deactivate(merged, added, policy, now);
  const bounded = boundTeks(all, new Set(policy.teks.map(({ spi }) => spi)), now);
  return bounded.sort((a, b) => a.expiresAt - b.expiresAt);
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
  // be somebody else's (it may have lost its state): such a TEK is not kept (RFC 6407 §3.5). Nor is one of an SA that is gone from the policy.
  const named = new Set(policy.teks.map(({ spi }) => spi));
  const sas = new Set(policy.teks.map(({ sa }) => sa));
  const isKept = (tek: Tek) => named.has(tek.spi) || (!isCombinedMode(tek.encryption) && (sas.has(undefined) || sas.has(tek.sa)));
  const held = keys.teks.filter((tek) => tek.expiresAt > now && isKept(tek));
  const teks = mergeTeks(held, policy, false, spiTaken, now);
  const jitterMs = spread(reregisterSpreadSeconds(teks[teks.length - 1]?.lifetimeSeconds ?? 0), random);
  const pseudotime = policy.pseudotimeMs === null ? null : { value: policy.pseudotimeMs, at: now };
  return { kek: policy.kek, teks, senderIds: policy.senderIds, quietUntil: quietUntil(policy.teks, now), jitterMs, pseudotime };
}

/**
 * After a registration. A TEK that came without a successor shortly before its end (its SA has gone from the policy, or the key server is late)
 * is asked for again after half of what it has left, not every two seconds.
 */
function quietUntil(received: readonly Tek[], now: Ms): Ms {
  const newest = [...new Map([...received].sort((a, b) => a.expiresAt - b.expiresAt).map((tek) => [tek.sa ?? 0, tek])).values()];
  const lefts = newest.map((tek) => tek.expiresAt - now).filter((left) => left < EndMs);
  return now + (lefts.length > 0 ? Math.max(QuietMs, Math.min(...lefts) / 2) : QuietMs);
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
  const received = policy?.pseudotimeMs ?? null;
  return received === null
    ? { ...keys, teks, kek }
    : { ...keys, teks, kek, pseudotime: followRekey(keys.pseudotime ?? null, received, now).clock };
}

/** Can it open only? Sender IDs come by registration alone (RFC 6407 §5.6.4), and a push may have changed the group to a counter mode since. */
export function lacksSenderIds({ teks, senderIds }: MemberKeys): boolean {
  return senderIds === null && teks.some(({ encryption }) => isCombinedMode(encryption));
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
  // By expiry, newest last: what stays is the newest of each SA.
  const newest = [...new Map(keys.teks.map((tek) => [tek.sa ?? 0, tek])).values()];
  if (newest.length === 0) return keys.quietUntil;
  const times = [...newest, ...(keys.kek ? [keys.kek] : [])].map((key) => beforeExpiry(key, keys.jitterMs));
  return Math.max(keys.quietUntil, Math.min(...times));
}
