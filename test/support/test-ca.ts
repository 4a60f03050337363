// Certificates for tests that need no files: a root, CAs below it, end entities, good and bad ones.

import { generateKeyPairSync, type KeyObject, type X509Certificate } from 'node:crypto';
import type { NameAttribute } from '../../control/config/distinguished-name.js';
import { issueAuthority, issueCertificate, issueCrl, type Signer } from '../../control/pki/authority.js';
import type { CertificateStore } from '../../control/pki/certificate-store.js';
import { type Trust, verifyChain } from '../../control/pki/chain.js';
import { readCrl } from '../../control/pki/crl.js';
import { readCertificateFields } from '../../control/pki/der.js';
import type { CertificateIdentity } from '../../control/pki/trustpoint-state.js';

const DayMs = 86_400_000;
const keys = new Map<string, KeyObject>();

/** One key of 2048 bits per name, made once: making one takes a while. */
export function keyOf(name: string): KeyObject {
  const known = keys.get(name) ?? generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  keys.set(name, known);
  return known;
}

export function nameOf(cn: string): NameAttribute[] {
  return [
    { type: 'CN', value: cn },
    { type: 'O', value: 'Lab' },
  ];
}

export interface AuthorityOptions {
  parent?: Signer | null;
  pathLength?: number | null;
  now?: number;
  days?: number;
}

export function authority(cn: string, { parent = null, pathLength = null, now = Date.now(), days = 3650 }: AuthorityOptions = {}): Signer {
  const key = keyOf(cn);
  return { key, certificate: issueAuthority({ subject: nameOf(cn), publicKey: key, key, days, now, pathLength }, parent) };
}

export interface EntityOptions {
  dns?: string[];
  ip?: string[];
  now?: number;
  days?: number;
}

export function entity(
  cn: string,
  issuer: Signer,
  { dns = [], ip = [], now = Date.now(), days = 365 }: EntityOptions = {},
): X509Certificate {
  return issueCertificate({ subject: nameOf(cn), publicKey: keyOf(cn), names: { dns, ip }, days, now }, issuer);
}

export function identityOf(cn: string, certificate: X509Certificate, above: X509Certificate[] = []): CertificateIdentity {
  return {
    certificates: [certificate, ...above].map(({ raw }) => new Uint8Array(raw)),
    privateKey: keyOf(cn),
    subject: readCertificateFields(certificate.raw).subject,
    certificate,
  };
}

export function crlOf(issuer: Signer, revoked: X509Certificate[] = [], now = Date.now()): Uint8Array {
  return issueCrl(
    issuer,
    revoked.map(({ serialNumber }) => ({ serial: serialNumber, at: now })),
    1,
    30,
    now,
  );
}

export function trustOf(anchors: Signer[], options: Partial<Trust> & { lists?: Uint8Array[] } = {}): Trust {
  const { lists = [], ...rest } = options;
  return {
    anchors: anchors.map(({ certificate }) => certificate),
    intermediates: [],
    crls: lists.map(readCrl),
    revocationCheck: lists.length > 0 ? ['crl'] : ['none'],
    ...rest,
  };
}

/** What phase 1 sees of a PKI, in memory. */
export function storeOf(identity: CertificateIdentity | null, trust: Trust): CertificateStore {
  return {
    identity: () => identity,
    authorities: () => trust.anchors.map(({ raw }) => readCertificateFields(raw).subject),
    verify: (sent, now) => verifyChain(sent, trust, now),
  };
}

export { DayMs };
