// What a certificate's extensions allow (RFC 5280 §4.2, RFC 4945 §5.1.3). Read after the certificate's signature is verified.

import { type Asn1, contents, type Extension, elements, integerHex, oidOf, readDer } from './der.js';

const enum Oid {
  KeyUsage = '2.5.29.15',
  SubjectAltName = '2.5.29.17',
  BasicConstraints = '2.5.29.19',
  ExtendedKeyUsage = '2.5.29.37',
}
/** Those we act upon, and certificate policies, whose presence asks nothing of us without a required policy. */
const known = new Set<string>([Oid.KeyUsage, Oid.SubjectAltName, Oid.BasicConstraints, Oid.ExtendedKeyUsage, '2.5.29.32']);
/** id-kp-ipsecIKE (RFC 4945 §5.1.3.12), any, and those that older CAs put into certificates for IKE. */
const ikePurposes = new Set([
  '1.3.6.1.5.5.7.3.17',
  '2.5.29.37.0',
  '1.3.6.1.5.5.8.2.2',
  '1.3.6.1.5.5.7.3.5',
  '1.3.6.1.5.5.7.3.6',
  '1.3.6.1.5.5.7.3.7',
]);

export interface CertificateUse {
  /** digitalSignature or nonRepudiation, or no key usage at all (RFC 4945 §5.1.3.2). */
  signs: boolean;
  /** For IKE, or for nothing in particular. */
  ike: boolean;
  /** May have signed revocation lists (cRLSign). */
  signsCrls: boolean;
  /** CA certificates that may stand below it (RFC 5280 §4.2.1.9); Infinity when it does not say. */
  pathLength: number;
  /** Critical ones that we do not know: the certificate must be refused (RFC 5280 §4.2). */
  unknownCritical: string[];
}

/** @throws CertificateError when one of them is malformed */
export function readUse(extensions: readonly Extension[]): CertificateUse {
  const find = (oid: string): Asn1 | null => {
    const found = extensions.find((item) => item.oid === oid);
    return found ? readDer(found.value, 'an extension') : null;
  };
  const usage = find(Oid.KeyUsage);
  // BIT STRING: a count of unused bits, then bits from the most significant: 0 digitalSignature, 1 nonRepudiation, 6 cRLSign.
  const bits = usage ? contents(usage, 'key usage').charCodeAt(1) || 0 : 0xff;
  const purposes = find(Oid.ExtendedKeyUsage);
  const constraints = find(Oid.BasicConstraints);
  const length = constraints ? elements(constraints, 'basic constraints')[1] : undefined;
  return {
    signs: (bits & 0xc0) !== 0,
    ike: purposes === null || elements(purposes, 'extended key usage').some((item) => ikePurposes.has(oidOf(item, 'extended key usage'))),
    signsCrls: (bits & 0x02) !== 0,
    pathLength: length ? Number.parseInt(integerHex(length, 'basic constraints'), 16) : Number.POSITIVE_INFINITY,
    unknownCritical: extensions.filter((item) => item.critical && !known.has(item.oid)).map(({ oid }) => oid),
  };
}
