// What this router can prove itself with, to whom: pre-shared keys by address, certificates of its trustpoints.

import type { Ipv4, IsakmpKey, IsakmpPolicy, IsakmpSettings } from '../config/model.js';
import type { CertificateStore } from '../pki/certificate-store.js';
import { type Authenticator, PreSharedKeyAuthenticator } from './authentication.js';
import { findPreSharedKey } from './pre-shared-keys.js';
import { SignatureAuthenticator } from './signature-authenticator.js';

type Method = IsakmpPolicy['authentication'];

export interface CredentialOptions {
  keys: readonly IsakmpKey[];
  certificates: CertificateStore;
  settings: Pick<IsakmpSettings, 'identity'>;
  /** The router's full name. */
  hostname: string;
}

export class Credentials {
  constructor(private readonly options: CredentialOptions) {}

  /** @returns null when we have nothing to prove ourselves with, or nobody to believe */
  authenticator(method: Method, peer: Ipv4): Authenticator | null {
    const { keys, certificates, settings, hostname } = this.options;
    if (method === 'rsa-sig') return SignatureAuthenticator.make({ store: certificates, identity: settings.identity, hostname });
    const key = findPreSharedKey(keys, peer);
    return key && new PreSharedKeyAuthenticator(key, settings.identity === 'hostname' ? hostname : null);
  }

  /** Those of the policies that can be offered to a peer, or accepted from it. */
  usable(policies: readonly IsakmpPolicy[], peer: Ipv4): IsakmpPolicy[] {
    const can = new Map<Method, boolean>();
    for (const { authentication } of policies) {
      if (!can.has(authentication)) can.set(authentication, this.authenticator(authentication, peer) !== null);
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
