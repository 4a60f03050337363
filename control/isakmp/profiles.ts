// Which ISAKMP profile is for a peer, and what follows from it: `match identity` by what the peer calls itself (RFC 2407 §4.6.2), or, before it has said so and
// where a pre-shared key is bound to it, by the address that it has.

import type { Ms, RandomBytes } from '../actions.js';
import { isInPrefix } from '../config/addresses.js';
import type { Ipv4, IsakmpProfile } from '../config/model.js';
import { readU32 } from './bytes.js';
import { type Identification, IdType } from './identification.js';
import { Liveness, type LivenessSettings } from './liveness.js';
import type { Phase1Sa } from './phase1-sa.js';

export type Profiles = ReadonlyMap<string, IsakmpProfile>;

/** Names are compared without regard to case (RFC 4343); of users what stands behind the `@`. */
function isNamed({ kind, name }: NonNullable<IsakmpProfile['matchNames']>[number], { type, data }: Identification): boolean {
  const claimed = new TextDecoder().decode(data).toLowerCase();
  const wanted = name.toLowerCase();
  if (kind === 'host') return type === IdType.Fqdn && claimed === wanted;
  if (kind === 'host-domain') return type === IdType.Fqdn && claimed.endsWith(`.${wanted}`);
  if (kind === 'user') return type === IdType.UserFqdn && claimed === wanted;
  return type === IdType.UserFqdn && claimed.slice(claimed.lastIndexOf('@') + 1) === wanted && claimed.includes('@');
}

function matches({ matchAddresses, matchNames = [] }: IsakmpProfile, id: Identification): boolean {
  if (id.type === IdType.Ipv4Address) return matchAddresses.some(({ address, mask }) => isInPrefix(readU32(id.data, 0), address, mask));
  return matchNames.some((name) => isNamed(name, id));
}

/** The first that fits. @param id null = not said yet @param peer null = its address proves nothing */
export function profileOf(profiles: Profiles, peer: Ipv4 | null, id: Identification | null): IsakmpProfile | null {
  for (const profile of profiles.values()) {
    if (id !== null && matches(profile, id)) return profile;
    if (peer !== null && profile.matchAddresses.some(({ address, mask }) => isInPrefix(peer, address, mask))) return profile;
  }
  return null;
}

/** The profile that is to be used with a peer. @param chosen by name, where we begin; null = the first that fits */
export function profileFor(profiles: Profiles, peer: Ipv4, id: Identification | null, chosen: string | null): IsakmpProfile | null {
  return chosen === null ? profileOf(profiles, peer, id) : (profiles.get(chosen) ?? null);
}

/** An SA has come up: what profile it has, and what keeps it alive. */
export function startProfile(
  sa: Phase1Sa,
  { profiles, settings }: { profiles: Profiles; settings: LivenessSettings },
  random: RandomBytes,
  now: Ms,
): Liveness {
  // With certificates the ID is proved and the address is not.
  const peer = sa.policy.authentication === 'pre-share' ? sa.remote.address : null;
  const profile = profileOf(profiles, peer, sa.peerId);
  if (profile) sa.profile = profile.name;
  return new Liveness(sa, { ...settings, keepalive: profile?.keepalive ?? settings.keepalive }, random, now);
}
