// What this router can prove itself with, to whom: pre-shared keys by address, certificates of its trustpoints.

import type { Ipv4, IsakmpPolicy, IsakmpProfile, IsakmpSettings } from '../config/model.js';
import type { CertificateStore } from '../pki/certificate-store.js';
import { type Authenticator, type OwnName, PreSharedKeyAuthenticator } from './authentication.js';
import { type Identification, IdType } from './identification.js';
import { sameHash } from './message-cipher.js';
import type { Phase1Sa } from './phase1-sa.js';
import { findKeyByAddress, findKeyByIdentity, type KeySources } from './pre-shared-keys.js';
import { profileFor } from './profiles.js';
import { SignatureAuthenticator } from './signature-authenticator.js';

type Method = IsakmpPolicy['authentication'];

export interface CredentialOptions extends KeySources {
  certificates: CertificateStore;
  settings: Pick<IsakmpSettings, 'identity'>;
  /** The router's full name. */
  hostname: string;
}

/** What an exchange knows of how its peer has proved itself. */
interface Proved {
  /** null: not yet, or by a certificate. */
  preSharedKey: Uint8Array | null;
  sa: Phase1Sa;
}

export class Credentials {
  constructor(private readonly options: CredentialOptions) {}

  /**
   * @param id what the peer calls itself, where it says so before it proves itself: aggressive mode
   * @param chosen the profile that is to be used, where we begin; null = whichever fits
   * @returns null when we have nothing to prove ourselves with, or nobody to believe
   */
  authenticator(method: Method, peer: Ipv4, id: Identification | null = null, chosen: string | null = null): Authenticator | null {
    const { certificates, settings, hostname, profiles } = this.options;
    if (method === 'rsa-sig') {
      const own = profileFor(profiles, peer, id, chosen)?.selfIdentity;
      const identity = own?.kind === 'address' ? 'address' : own?.kind === 'fqdn' ? 'hostname' : settings.identity;
      return SignatureAuthenticator.make({ store: certificates, identity, hostname: (own?.kind === 'fqdn' && own.name) || hostname });
    }
    const key = id === null ? findKeyByAddress(this.options, peer, chosen) : findKeyByIdentity(this.options, peer, id);
    return key && new PreSharedKeyAuthenticator(key, (peerId) => this.ownName(profileFor(profiles, peer, id ?? peerId, chosen)));
  }

  private ownName(profile: IsakmpProfile | null): OwnName | null {
    const { settings, hostname } = this.options;
    const own = profile?.selfIdentity ?? { kind: settings.identity === 'hostname' ? ('fqdn' as const) : ('address' as const), name: null };
    if (own.kind === 'address') return null;
    if (own.kind === 'user-fqdn') return { type: IdType.UserFqdn, text: own.name };
    return { type: IdType.Fqdn, text: own.name ?? hostname };
  }

  /** Those of the exchanges that are up by a pre-shared key which is their peer's no more: it was taken away, or is another one now. */
  withoutKey<E extends Proved>(exchanges: Iterable<E>): E[] {
    return [...exchanges].filter(
      ({ preSharedKey, sa }) => preSharedKey !== null && !this.keysOf(sa).some((key) => sameHash(key, preSharedKey)),
    );
  }

  /** Every key that such a peer may prove itself with, in either mode and by any profile that may have been used. Secret. */
  private keysOf({ remote, peerId, profile }: Phase1Sa): Uint8Array[] {
    const { options } = this;
    const byProfile = profile === undefined ? null : findKeyByAddress(options, remote.address, profile);
    const byName = peerId === null ? null : findKeyByIdentity(options, remote.address, peerId);
    return [byProfile, findKeyByAddress(options, remote.address), byName].filter((key) => key !== null);
  }

  /** Whether a profile wants aggressive mode with this peer. @param chosen as authenticator() */
  initiatesAggressive(peer: Ipv4, chosen: string | null = null): boolean {
    const { profiles } = this.options;
    return profileFor(profiles, peer, null, chosen)?.initiateAggressive ?? false;
  }

  /** Those of the policies that can be offered to a peer, or accepted from it. */
  usable(policies: readonly IsakmpPolicy[], peer: Ipv4, id: Identification | null = null, chosen: string | null = null): IsakmpPolicy[] {
    const can = new Map<Method, boolean>();
    for (const { authentication } of policies) {
      if (!can.has(authentication)) can.set(authentication, this.authenticator(authentication, peer, id, chosen) !== null);
    }
    return policies.filter(({ authentication }) => can.get(authentication));
  }
}

/** None of the policies is usable with a peer: why, for the log. */
export function whyUnusable(policies: readonly IsakmpPolicy[]): string {
  if (policies.length === 0) return 'no ISAKMP policy';
  const preShared = policies.some(({ authentication }) => authentication === 'pre-share');
  return preShared ? 'no pre-shared key' : 'no ISAKMP policy can be used: rsa-sig needs a certificate';
}
