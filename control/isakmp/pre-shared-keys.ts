// Which pre-shared key belongs to a peer: by its address, longest mask first (`crypto isakmp key K address A [mask]`, `crypto keyring`), or, in
// aggressive mode, by the name that it calls itself.

import type { Ipv4, IsakmpKey, IsakmpProfile, Keyring } from '../config/model.js';
import { type Identification, IdType } from './identification.js';

/** What configuration says of pre-shared keys. */
export interface KeySources {
  /** Global ones. */
  keys: readonly IsakmpKey[];
  keyrings: ReadonlyMap<string, Keyring>;
  profiles: ReadonlyMap<string, IsakmpProfile>;
}

const OneHost = 0xffffffff;

function isIn(peer: Ipv4, { address, mask }: { address: Ipv4; mask: Ipv4 }): boolean {
  return ((peer ^ address) & mask) === 0;
}

function bytesOf(key: string | undefined): Uint8Array | null {
  return key === undefined ? null : new TextEncoder().encode(key);
}

/** Of one list. @returns the key's bytes, or null. Secret. */
export function findPreSharedKey(keys: readonly IsakmpKey[], peer: Ipv4): Uint8Array | null {
  let best: IsakmpKey | null = null;
  for (const item of keys) {
    if (!isIn(peer, item)) continue;
    if (best === null || item.mask >>> 0 > best.mask >>> 0) best = item;
  }
  return bytesOf(best?.key);
}

/** The first profile that is for the peer. */
export function profileOf(profiles: KeySources['profiles'], peer: Ipv4): IsakmpProfile | null {
  for (const profile of profiles.values()) if (profile.matchAddresses.some((range) => isIn(peer, range))) return profile;
  return null;
}

function keyringOf({ keyrings, profiles }: KeySources, peer: Ipv4): Keyring | null {
  const name = profileOf(profiles, peer)?.keyring ?? null;
  return name === null ? null : (keyrings.get(name) ?? null);
}

/** The keyring of the peer's profile first, then the global keys. @returns secret, or null */
export function findKeyByAddress(sources: KeySources, peer: Ipv4): Uint8Array | null {
  return findPreSharedKey(keyringOf(sources, peer)?.keys ?? [], peer) ?? findPreSharedKey(sources.keys, peer);
}

/**
 * For who begins aggressive mode: a name needs a key of its own, and an address a key for that host alone, since an answer is a hash of the
 * key. So a stranger under no such name or address gets nothing to guess at.
 * @returns secret, or null
 */
export function findKeyByIdentity(sources: KeySources, peer: Ipv4, id: Identification): Uint8Array | null {
  const keyring = keyringOf(sources, peer);
  if (id.type === IdType.Ipv4Address) {
    const own = (list: readonly IsakmpKey[]): readonly IsakmpKey[] => list.filter(({ mask }) => mask >>> 0 === OneHost);
    const claimed = id.data.reduce((sum, octet) => sum * 256 + octet, 0);
    if (claimed !== peer >>> 0) return null;
    return findPreSharedKey(own(keyring?.keys ?? []), peer) ?? findPreSharedKey(own(sources.keys), peer);
  }
  if (id.type !== IdType.Fqdn && id.type !== IdType.UserFqdn && id.type !== IdType.KeyId) return null;
  const name = new TextDecoder().decode(id.data);
  return bytesOf(keyring?.hostKeys.find(({ hostname }) => hostname === name)?.key);
}
