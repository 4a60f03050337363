// Which pre-shared key belongs to a peer: by its address, longest mask first (`crypto isakmp key K address A [mask]`, `crypto keyring`), or, in
// aggressive mode, by the name that it calls itself.

import { AllOnes, isInPrefix } from '../config/addresses.js';
import type { Ipv4, IsakmpKey, Keyring } from '../config/model.js';
import { type Identification, IdType } from './identification.js';
import { type Profiles, profileFor } from './profiles.js';

/** What configuration says of pre-shared keys. */
export interface KeySources {
  /** Global ones. */
  keys: readonly IsakmpKey[];
  keyrings: ReadonlyMap<string, Keyring>;
  profiles: Profiles;
}

function bytesOf(key: string | undefined): Uint8Array | null {
  return key === undefined ? null : new TextEncoder().encode(key);
}

/** Of one list. @returns the key's bytes, or null. Secret. */
export function findPreSharedKey(keys: readonly IsakmpKey[], peer: Ipv4): Uint8Array | null {
  let best: IsakmpKey | null = null;
  for (const item of keys) {
    if (!isInPrefix(peer, item.address, item.mask)) continue;
    if (best === null || item.mask >>> 0 > best.mask >>> 0) best = item;
  }
  return bytesOf(best?.key);
}

function keyringOf(
  { keyrings, profiles }: KeySources,
  peer: Ipv4,
  id: Identification | null,
  chosen: string | null = null,
): Keyring | null {
  const name = profileFor(profiles, peer, id, chosen)?.keyring ?? null;
  return name === null ? null : (keyrings.get(name) ?? null);
}

/** Keyrings of profiles that are for names: main mode wants the key before there is a name (RFC 2409 §5.4), so their addresses count. */
function keyringsByName({ keyrings, profiles }: KeySources): Keyring[] {
  return [...profiles.values()].flatMap(({ keyring, matchNames = [] }) =>
    keyring === null || matchNames.length === 0 ? [] : (keyrings.get(keyring) ?? []),
  );
}

/** The keyring of the peer's profile first, then those of profiles for names, then the global keys. @param chosen the profile that is to be used; null = whichever fits @returns secret, or null */
export function findKeyByAddress(sources: KeySources, peer: Ipv4, chosen: string | null = null): Uint8Array | null {
  const lists = [keyringOf(sources, peer, null, chosen) ?? [], chosen === null ? keyringsByName(sources) : []]
    .flat()
    .map(({ keys }) => keys);
  for (const keys of [...lists, sources.keys]) {
    const key = findPreSharedKey(keys, peer);
    if (key) return key;
  }
  return null;
}

/**
 * For who begins aggressive mode: a name needs a key of its own, and an address a key for that host alone, since an answer is a hash of the
 * key. So a stranger under no such name or address gets nothing to guess at.
 * @returns secret, or null
 */
export function findKeyByIdentity(sources: KeySources, peer: Ipv4, id: Identification): Uint8Array | null {
  const keyring = keyringOf(sources, peer, id);
  if (id.type === IdType.Ipv4Address) {
    const own = (list: readonly IsakmpKey[]): readonly IsakmpKey[] => list.filter(({ mask }) => mask >>> 0 === AllOnes);
    const claimed = id.data.reduce((sum, octet) => sum * 256 + octet, 0);
    if (claimed !== peer >>> 0) return null;
    return findPreSharedKey(own(keyring?.keys ?? []), peer) ?? findPreSharedKey(own(sources.keys), peer);
  }
  if (id.type !== IdType.Fqdn && id.type !== IdType.UserFqdn && id.type !== IdType.KeyId) return null;
  const name = new TextDecoder().decode(id.data);
  return bytesOf(keyring?.hostKeys.find(({ hostname }) => hostname === name)?.key);
}
