// What a trustpoint holds: the CA's certificates, our own, revocation lists; read from PEM texts, checked as they are taken.

import type { KeyObject, X509Certificate } from 'node:crypto';
import { CertificateError } from './certificate-error.js';
import type { Trust } from './chain.js';
import { type Crl, readPem } from './crl.js';
import { readCertificateFields } from './der.js';

/** The files of `enrollment url file:PATH`, named as IOS names those on a TFTP server, and `.crl`. */
export const suffixes = ['.ca', '.crt', '.crl'] as const;
export type Suffix = (typeof suffixes)[number];
/** PEM texts, null where there is none. */
export type TrustpointTexts = Record<Suffix, string | null>;
export const noTexts: TrustpointTexts = { '.ca': null, '.crt': null, '.crl': null };

/** What proves us. */
export interface CertificateIdentity {
  /** DER, our own first, then intermediates. */
  certificates: Uint8Array[];
  privateKey: KeyObject;
  /** DER Name of our certificate. */
  subject: Uint8Array;
  /** Of our certificate, to choose an ID that it bears out. */
  certificate: X509Certificate;
}

export interface TrustpointState {
  name: string;
  trust: Trust;
  /** DER Names for certificate requests: of the anchors. */
  authorities: Uint8Array[];
  identity: CertificateIdentity | null;
}

function ownName({ raw }: X509Certificate): Uint8Array {
  return readCertificateFields(raw).subject;
}

function isRoot(certificate: X509Certificate): boolean {
  return certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey);
}

/** The `.ca` file: roots are what signed themselves, the rest stands between. @throws CertificateError */
function readAuthorities(text: string | null): { anchors: X509Certificate[]; intermediates: X509Certificate[] } {
  const certificates = text === null ? [] : readPem(text).certificates;
  for (const item of certificates)
    if (!item.ca) throw new CertificateError('untrusted', 'RFC 5280 §4.2.1.9', 'a certificate that is no CA’s');
  return { anchors: certificates.filter(isRoot), intermediates: certificates.filter((item) => !isRoot(item)) };
}

/** @throws CertificateError when it is not for our key */
function readIdentity(text: string | null, privateKey: KeyObject | null): CertificateIdentity | null {
  if (text === null || privateKey === null) return null;
  const [own, ...rest] = readPem(text).certificates;
  if (!own) return null;
  if (!own.checkPrivateKey(privateKey)) {
    throw new CertificateError('identity', 'RFC 2986 §3', 'the certificate is for another key than the trustpoint’s: enroll again');
  }
  // RFC 4945 §3.3.7: the root need not be sent, as whoever trusts it has it.
  const sent = [own, ...rest.filter((item) => !isRoot(item))].map(({ raw }) => new Uint8Array(raw));
  return { certificates: sent, privateKey, subject: ownName(own), certificate: own };
}

/**
 * @param problem told about each file that is damaged; the others are used
 * @returns what can be used of the texts
 */
export function readState(
  name: string,
  texts: TrustpointTexts,
  privateKey: KeyObject | null,
  revocationCheck: Trust['revocationCheck'],
  problem: (suffix: Suffix, error: CertificateError) => void,
): TrustpointState {
  const attempt = <T>(suffix: Suffix, read: () => T, otherwise: T): T => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error;
      problem(suffix, error);
      return otherwise;
    }
  };
  const { anchors, intermediates } = attempt('.ca', () => readAuthorities(texts['.ca']), { anchors: [], intermediates: [] });
  const crls = attempt<Crl[]>('.crl', () => (texts['.crl'] === null ? [] : readPem(texts['.crl']).crls), []);
  const identity = attempt('.crt', () => readIdentity(texts['.crt'], privateKey), null);
  return { name, trust: { anchors, intermediates, crls, revocationCheck }, authorities: anchors.map(ownName), identity };
}
