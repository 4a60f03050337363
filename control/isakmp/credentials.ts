// What this router can prove itself with, to whom: pre-shared keys by address, certificates of its trustpoints.

import type { Ipv4, IsakmpPolicy, IsakmpProfile, IsakmpSettings } from '../config/model.js';
import type { CertificateStore } from '../pki/certificate-store.js';
import { type Authenticator, type OwnName, PreSharedKeyAuthenticator } from './authentication.js';
import { type Identification, IdType } from './identification.js';
import type { Phase1Sa } from './phase1-sa.js';
import { findKeyByAddress, findKeyByIdentity, type KeySources } from './pre-shared-keys.js';
import { profileOf } from './profiles.js';
import { SignatureAuthenticator } from './signature-authenticator.js';

type Method = IsakmpPolicy['authentication'];

export interface CredentialOptions extends KeySources {
  certificates: CertificateStore;
  settings: Pick<IsakmpSettings, 'identity'>;
  /** The router's full name. */
  hostname: string;
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
    const profileFor = (peerId: Identification | null): IsakmpProfile | null =>
      chosen === null ? profileOf(profiles, peer, id ?? peerId) : (profiles.get(chosen) ?? null);
    if (method === 'rsa-sig') {
      const own = profileFor(null)?.selfIdentity;
      const identity = own?.kind === 'address' ? 'address' : own?.kind === 'fqdn' ? 'hostname' : settings.identity;
      return SignatureAuthenticator.make({ store: certificates, identity, hostname: (own?.kind === 'fqdn' && own.name) || hostname });
    }
    const key = id === null ? findKeyByAddress(this.options, peer, chosen) : findKeyByIdentity(this.options, peer, id);
    return key && new PreSharedKeyAuthenticator(key, (peerId) => this.ownName(profileFor(peerId)));
  }

  private ownName(profile: IsakmpProfile | null): OwnName | null {
    const { settings, hostname } = this.options;
    const own = profile?.selfIdentity ?? { kind: settings.identity === 'hostname' ? ('fqdn' as const) : ('address' as const), name: null };
    if (own.kind === 'address') return null;
    if (own.kind === 'user-fqdn') return { type: IdType.UserFqdn, text: own.name };
    return { type: IdType.Fqdn, text: own.name ?? hostname };
  }

  /** Those of the SAs that are up by a pre-shared key, and whose peers have none any more. */
  withoutKey(sas: readonly Phase1Sa[]): Phase1Sa[] {
    return sas.filter(({ policy, peerId, remote, profile }) => {
      if (policy.authentication !== 'pre-share' || peerId === null) return false;
      const byAddress = findKeyByAddress(this.options, remote.address, profile ?? null);
      return byAddress === null && findKeyByIdentity(this.options, remote.address, peerId) === null;
    });
  }

  /** Whether a profile wants aggressive mode with this peer. @param chosen as authenticator() */
  initiatesAggressive(peer: Ipv4, chosen: string | null = null): boolean {
    const { profiles } = this.options;
    return (chosen === null ? profileOf(profiles, peer, null) : profiles.get(chosen))?.initiateAggressive ?? false;
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
