// Certificate revocation lists, RFC 5280 §5. Does: full lists of one issuer. Does not: delta and indirect lists, distribution points
// (their extensions are critical, so such a list is refused).

import { type KeyObject, verify, X509Certificate } from 'node:crypto';
import forge from 'node-forge';
import { CertificateError } from './certificate-error.js';
import {
  type Asn1,
  elements,
  fromBinary,
  integerHex,
  isContext,
  MaxCrlLength,
  oidOf,
  readDer,
  readExtensions,
  signatureBits,
  timeOf,
  writeDer,
} from './der.js';
import { nameLines } from './name-text.js';

/** Hashes that may sign certificates and lists; MD5 and SHA-1 collide (RFC 9155 asks the same of TLS). */
export const signatureHashes = new Map([
  ['1.2.840.113549.1.1.11', 'sha256'],
  ['1.2.840.113549.1.1.12', 'sha384'],
  ['1.2.840.113549.1.1.13', 'sha512'],
  ['1.2.840.10045.4.3.2', 'sha256'],
  ['1.2.840.10045.4.3.3', 'sha384'],
  ['1.2.840.10045.4.3.4', 'sha512'],
]);
const what = 'a revocation list';

export interface Crl {
  /** DER Name. */
  issuer: Uint8Array;
  /** For `show`: one `CN=...` per line. */
  issuerText: string;
  /** Unix ms. */
  thisUpdate: number;
  /** Unix ms: after it the list says nothing any more. */
  nextUpdate: number;
  /** Serial numbers in upper-case hexadecimal. */
  revoked: Set<string>;
  signedBy(key: KeyObject): boolean;
}

/** @throws CertificateError */
export function readCrl(der: Uint8Array): Crl {
  const [list, algorithm, signature] = elements(readDer(der, what, MaxCrlLength), what);
  const oid = oidOf(elements(algorithm, what)[0], what);
  const hash = signatureHashes.get(oid);
  if (!hash) throw new CertificateError('malformed', 'RFC 5280 §5.1.1.2', `${what} signed with algorithm ${oid}`);
  const bits = signatureBits(signature, what);
  const signed = writeDer(list);
  return { ...readList(list), signedBy: (key) => verifies(hash, signed, key, bits) };
}

function verifies(hash: string, signed: Uint8Array, key: KeyObject, signature: Uint8Array): boolean {
  try {
    return verify(hash, signed, key, signature);
  } catch {
    return false; // a key of another kind than the signature
  }
}

/** TBSCertList: version?, signature, issuer, thisUpdate, nextUpdate?, revokedCertificates?, [0] extensions? */
function readList(node: Asn1): Omit<Crl, 'signedBy'> {
  const fields = [...elements(node, what)];
  if (fields[0]?.type === forge.asn1.Type.INTEGER) fields.shift();
  const [, issuer, thisUpdate, nextUpdate, ...rest] = fields;
  elements(issuer, what);
  if (!nextUpdate || Array.isArray(nextUpdate.value))
    throw new CertificateError('malformed', 'RFC 5280 §5.1.2.5', `${what} without nextUpdate`);
  const tail = rest.find((item) => isContext(item, 0));
  if (tail) refuseCritical(elements(tail, what)[0]);
  const entries = rest.find((item) => !isContext(item, 0));
  return {
    issuer: writeDer(issuer),
    issuerText: nameLines(issuer),
    thisUpdate: timeOf(thisUpdate, what),
    nextUpdate: timeOf(nextUpdate, what),
    revoked: new Set(entries ? elements(entries, what).map(readEntry) : []),
  };
}

function readEntry(node: Asn1): string {
  const [serial, , extensions] = elements(node, what);
  if (extensions) refuseCritical(extensions);
  return integerHex(serial, what);
}

function refuseCritical(node: Asn1): void {
  for (const { critical, oid } of readExtensions(node, what)) {
    if (critical) throw new CertificateError('malformed', 'RFC 5280 §5.2', `${what} with the critical extension ${oid}`);
  }
}

/** Certificates, and revocation lists, of a PEM text in their order; other blocks are left out. @throws CertificateError */
export function readPem(text: string): { certificates: X509Certificate[]; crls: Crl[] } {
  const certificates: X509Certificate[] = [];
  const crls: Crl[] = [];
  if (text.length > 2 * MaxCrlLength) throw new CertificateError('malformed', 'RFC 7468 §2', `a PEM file of ${text.length} characters`);
  let blocks: forge.pem.ObjectPEM[];
  try {
    blocks = forge.pem.decode(text);
  } catch {
    throw new CertificateError('malformed', 'RFC 7468 §2', 'not a PEM file');
  }
  for (const { type, body } of blocks) {
    if (type === 'X509 CRL') crls.push(readCrl(fromBinary(body)));
    else if (type === 'CERTIFICATE') certificates.push(readCertificate(fromBinary(body)));
  }
  return { certificates, crls };
}

/** @throws CertificateError */
export function readCertificate(der: Uint8Array): X509Certificate {
  try {
    const certificate = new X509Certificate(der);
    // Trailing bytes would be taken silently.
    if (Buffer.compare(certificate.raw, der) === 0) return certificate;
  } catch {
    // said below
  }
  throw new CertificateError('malformed', 'RFC 5280 §4.1', 'a certificate is malformed');
}
