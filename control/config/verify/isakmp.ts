// IKE phase 1 and IPsec transforms: what is missing, what is weak. Weak is a warning: old peers may know nothing better.

import type { Config, IsakmpPolicy, TransformSet } from '../model.js';
import type { Findings } from './findings.js';

/** RFC 8247 §2.4 and RFC 9395 §2: 768 and 1024 bits are broken or close to it; 1536 is not recommended. */
const weakGroups: ReadonlyMap<number, string> = new Map([
  [1, '768 bits: an academic team can break it'],
  [2, '1024 bits: within reach of a state'],
  [5, '1536 bits: no longer recommended'],
]);

function verifyPolicy(policy: IsakmpPolicy, config: Config, findings: Findings): void {
  const name = `crypto isakmp policy ${policy.priority}`;
  if (policy.authentication === 'rsa-sig' && config.trustpoints.size === 0) {
    const hint = 'authentication pre-share, or crypto pki trustpoint';
    findings.error(policy, 'authentication', `${name}: rsa-sig (the default) needs a trustpoint`, hint);
  }
  if (policy.encryption === 'des') findings.warning(policy, 'encryption', `${name}: DES can be broken within a day`, 'encr aes 256');
  if (policy.encryption === '3des') findings.warning(policy, 'encryption', `${name}: 3DES is deprecated (64-bit blocks)`, 'encr aes 256');
  if (policy.hash === 'md5') findings.warning(policy, 'hash', `${name}: MD5 is deprecated`, 'hash sha256');
  const weak = weakGroups.get(policy.group);
  if (weak) findings.warning(policy, 'group', `${name}: Diffie-Hellman group ${policy.group} has ${weak}`, 'group 14 or higher');
}

export function verifyIsakmp(config: Config, findings: Findings): void {
  for (const policy of config.isakmpPolicies) verifyPolicy(policy, config, findings);
  const [group] = config.gdoiGroups.values();
  if (group && config.isakmpPolicies.length === 0) {
    findings.error(
      group,
      '',
      'there is no crypto isakmp policy, so no phase 1 can be agreed',
      'IOS falls back to DES and RSA signatures; we do not',
    );
  }
}

/** A keyring counts through the profiles that name it. */
export function verifyKeyrings(config: Config, findings: Findings): void {
  const used = new Set<string | null>();
  for (const profile of config.isakmpProfiles.values()) {
    used.add(profile.keyring);
    const name = `crypto isakmp profile ${profile.name}`;
    if (profile.keyring !== null && !config.keyrings.has(profile.keyring))
      findings.error(profile, 'keyring', `there is no crypto keyring ${profile.keyring}`);
    if (profile.matchAddresses.length === 0 && !profile.matchNames)
      findings.warning(profile, '', `${name} matches nobody`, 'match identity address A [MASK], or host NAME');
    if (profile.selfIdentity?.kind === 'user-fqdn' && config.isakmpPolicies.some(({ authentication }) => authentication === 'rsa-sig'))
      findings.warning(
        profile,
        'selfIdentity',
        `${name}: with certificates the identity is one that the certificate holds`,
        'self-identity fqdn',
      );
  }
  for (const keyring of config.keyrings.values()) {
    if (!used.has(keyring.name)) {
      const hint = 'crypto isakmp profile P, keyring, match identity address';
      findings.warning(keyring, '', `crypto keyring ${keyring.name} is in no profile: its keys are not used`, hint);
    }
  }
  verifyAggressive(config, findings);
}

function verifyAggressive(config: Config, findings: Findings): void {
  if (!config.isakmpPolicies.some(({ authentication }) => authentication === 'pre-share')) return;
  const message = 'aggressive mode gives away a hash of the pre-shared key, to guess at';
  const hint = 'a long random key, or authentication rsa-sig';
  if (config.isakmp.aggressiveMode) findings.warning(config.isakmp, 'aggressiveMode', message, hint);
  for (const profile of config.isakmpProfiles.values())
    if (profile.initiateAggressive) findings.warning(profile, 'initiateAggressive', message, hint);
}

export function verifyTrustpoints(config: Config, findings: Findings): void {
  for (const item of config.trustpoints.values()) {
    if (item.enrollmentPath === null) {
      const hint = 'enrollment url file:/PATH: PATH.ca, PATH.crt and PATH.crl are read';
      findings.error(item, '', `trustpoint ${item.name} has no enrollment url: there is nothing it could trust`, hint);
    }
    if ((item.rsaKeypair?.modulusBits ?? 2048) < 2048)
      findings.warning(
        item,
        'rsaKeypair',
        `trustpoint ${item.name}: an RSA key of ${item.rsaKeypair?.modulusBits} bits is weak`,
        '2048 or more',
      );
    if (item.revocationCheck[0] === 'none')
      findings.warning(item, 'revocationCheck', `trustpoint ${item.name}: revoked certificates are accepted`, 'revocation-check crl');
  }
}

function verifyDes({ ipsec }: Config, set: TransformSet, findings: Findings): void {
  const text = `transform set ${set.name}: single DES can be broken within a day`;
  if (ipsec.shield) findings.error(set, '', text, 'esp-aes 256; or permit it: crypto engine compliance shield disable');
  else findings.warning(set, '', text, 'esp-aes 256');
}

export function verifyIpsec(config: Config, findings: Findings): void {
  for (const set of config.transformSets.values()) {
    const name = `transform set ${set.name}`;
    if (set.encryption === 'esp-des') verifyDes(config, set, findings);
    if (set.encryption === 'esp-3des')
      findings.warning(set, '', `${name}: 3DES is deprecated (64-bit blocks)`, 'esp-aes 256 or esp-gcm 256');
    if (set.extended && config.ipsec.replayWindow === 0)
      findings.warning(
        set,
        'extended',
        `${name}: esn has no effect without a replay window`,
        'crypto ipsec security-association replay window-size 64',
      );
    if (set.extended && (set.encryption === 'esp-des' || set.encryption === 'esp-3des'))
      findings.warning(set, 'extended', `${name}: IOS XE has no esn with DES and 3DES, so with one there are 32 bits`);
    if (set.encryption === 'esp-null' || set.encryption.startsWith('esp-gmac'))
      findings.warning(set, '', `${name}: ${set.encryption === 'esp-null' ? 'esp-null' : 'esp-gmac'} does not encrypt`);
    if (set.authentication === 'esp-md5-hmac') findings.warning(set, '', `${name}: MD5 is deprecated`, 'esp-sha256-hmac');
  }
  for (const profile of config.ipsecProfiles.values()) {
    for (const name of profile.transformSets) {
      if (!config.transformSets.has(name)) findings.error(profile, 'transformSets', `there is no crypto ipsec transform-set ${name}`);
    }
    if (profile.lifetimeSeconds !== null && profile.lifetimeSeconds < 120) {
      findings.warning(profile, 'lifetimeSeconds', `a lifetime of ${profile.lifetimeSeconds} s is for tests: IOS takes no less than 120`);
    }
  }
}

export function verifyKeyExport(config: Config, findings: Findings): void {
  if (!config.keyExport) return;
  const message = 'keys may be exported: whoever may use this router can read all traffic that it encrypts';
  findings.warning(config, 'keyExport', message, 'no crypto key export wireshark, when the capture is read');
}
