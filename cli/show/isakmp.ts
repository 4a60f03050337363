// `show crypto isakmp policy`.

import type { IsakmpPolicyState, Snapshot } from '../../control/api/snapshot.js';

const encryptionNames: Record<IsakmpPolicyState['encryption'], string> = {
  des: 'DES - Data Encryption Standard (56 bit keys).',
  '3des': 'Three key triple DES',
  'aes-128': 'AES - Advanced Encryption Standard (128 bit keys).',
  'aes-192': 'AES - Advanced Encryption Standard (192 bit keys).',
  'aes-256': 'AES - Advanced Encryption Standard (256 bit keys).',
};
const hashNames: Record<IsakmpPolicyState['hash'], string> = {
  md5: 'Message Digest 5',
  sha: 'Secure Hash Standard',
  sha256: 'Secure Hash Standard 2 (256 bit)',
  sha384: 'Secure Hash Standard 2 (384 bit)',
  sha512: 'Secure Hash Standard 2 (512 bit)',
};
const authenticationNames: Record<IsakmpPolicyState['authentication'], string> = {
  'pre-share': 'Pre-Shared Key',
  'rsa-sig': 'Rivest-Shamir-Adleman Signature',
};
/** Sizes of the groups as IOS prints them. */
const groupSizes: Record<number, string> = {
  1: '768 bit',
  2: '1024 bit',
  5: '1536 bit',
  14: '2048 bit',
  15: '3072 bit',
  16: '4096 bit',
  19: '256 bit',
  20: '384 bit',
  21: '521 bit',
};

/** What IOS has behind the configured policies, and lists though signatures are nothing that a pre-shared-key peer agrees to. */
const defaultSuite: Omit<IsakmpPolicyState, 'priority'> = {
  encryption: 'des',
  hash: 'sha',
  authentication: 'rsa-sig',
  group: 1,
  lifetimeSeconds: 86_400,
};

/** Policies in order of priority, then the default one. IOS sets the values apart with tabs. */
export function renderIsakmpPolicies(snapshot: Snapshot): string[] {
  return [
    '',
    'Global IKE policy',
    ...snapshot.isakmpPolicies.flatMap((policy) => renderPolicy(`Protection suite of priority ${policy.priority}`, policy)),
    ...renderPolicy('Default protection suite', defaultSuite),
  ];
}

function renderPolicy(title: string, policy: Omit<IsakmpPolicyState, 'priority'>): string[] {
  return [
    title,
    `\tencryption algorithm:\t${encryptionNames[policy.encryption]}`,
    `\thash algorithm:\t\t${hashNames[policy.hash]}`,
    `\tauthentication method:\t${authenticationNames[policy.authentication]}`,
    `\tDiffie-Hellman group:\t#${policy.group} (${groupSizes[policy.group] ?? 'unknown size'})`,
    `\tlifetime:\t\t${policy.lifetimeSeconds} seconds, no volume limit`,
  ];
}
