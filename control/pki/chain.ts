// Is a peer's certificate good? Path validation, RFC 5280 §6.1 with what RFC 4945 §5 says for IKE. Does: signatures (by node:crypto), issuer and CA
// flags, validity, path length, key usage, critical extensions, revocation lists. Does not: name constraints and policy mappings (their
// extensions are critical, so such a certificate is refused), OCSP, cross-certificates with backtracking.

import type { KeyObject, X509Certificate } from 'node:crypto';
import { CertificateError } from './certificate-error.js';
import { type Crl, readCertificate, signatureHashes } from './crl.js';
import { type CertificateFields, readCertificateFields } from './der.js';
import { type CertificateUse, readUse } from './extensions.js';
import { PublicKeyError, readPublicKey } from './push-signature.js';

/** Certificates of one chain, root and end entity included: more is a waste of our time. */
export const MaxChain = 6;
/** Certificates that one peer may send. */
export const MaxSent = 10;

/** Whom one trustpoint trusts. */
export interface Trust {
  /** Self-signed. */
  anchors: readonly X509Certificate[];
  /** Of the trustpoint's own files: peers need not send them. */
  intermediates: readonly X509Certificate[];
  crls: readonly Crl[];
  /** Tried in order: `crl` needs a list in force, `none` is content without. */
  revocationCheck: readonly ('crl' | 'none')[];
}

export interface VerifiedCertificate {
  certificate: X509Certificate;
  publicKey: KeyObject;
  /** DER Name. */
  subject: Uint8Array;
}

interface Link {
  certificate: X509Certificate;
  fields: CertificateFields;
  use: CertificateUse;
}

function refuse(clause: string, message: string): CertificateError {
  return new CertificateError('untrusted', clause, message);
}

/** Serial numbers are shown as `show crypto pki certificates` lists them. */
function nameOf(certificate: X509Certificate): string {
  return `certificate with serial number ${certificate.serialNumber.slice(0, 40)}`;
}

/**
 * @param sent DER certificates of the peer, its own first (RFC 4945 §3.3.6) @param now Unix ms
 * @throws CertificateError
 */
export function verifyChain(sent: readonly Uint8Array[], trust: Trust, now: number): VerifiedCertificate {
  if (sent.length === 0) throw new CertificateError('malformed', 'RFC 4945 §3.3', 'the peer sent no certificate');
  if (sent.length > MaxSent) throw refuse('RFC 4945 §3.3', `the peer sent ${sent.length} certificates: at most ${MaxSent}`);
  const [own, ...others] = sent.map(readCertificate);
  const chain = buildChain(own, [...others, ...trust.intermediates], trust.anchors);
  // From the root down: each link's fields are read once its signature is known to be good.
  const links = chain.map((certificate): Link => {
    const fields = readCertificateFields(certificate.raw);
    return { certificate, fields, use: readUse(fields.extensions) };
  });
  for (const [i, link] of links.entries()) checkLink(link, i, now);
  checkEndEntity(links[0]);
  for (let i = 0; i + 1 < links.length; i++) checkRevocation(links[i], links[i + 1], trust, now);
  return { certificate: own, publicKey: readKey(own), subject: links[0].fields.subject };
}

/** @returns end entity first, root last; every signature is verified */
function buildChain(own: X509Certificate, others: readonly X509Certificate[], anchors: readonly X509Certificate[]): X509Certificate[] {
  const chain = [own];
  for (;;) {
    const current = chain[chain.length - 1];
    checkAlgorithm(current);
    const anchor = anchors.find((item) => isIssuedBy(current, item));
    if (anchor) return chain.length < MaxChain ? [...chain, anchor] : tooLong();
    const next = others.find((item) => !chain.includes(item) && item.ca && isIssuedBy(current, item));
    if (!next) throw refuse('RFC 5280 §6.1.3', `no trusted CA has issued the ${nameOf(current)}`);
    chain.push(next);
    if (chain.length >= MaxChain) return tooLong();
  }
}

function tooLong(): never {
  throw refuse('RFC 5280 §6.1.4', `a chain of more than ${MaxChain} certificates`);
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
  } catch {
    return false; // a key that OpenSSL does not take
  }
}

function checkAlgorithm(certificate: X509Certificate): void {
  const oid = certificate.signatureAlgorithmOid ?? 'none';
  if (!signatureHashes.has(oid)) throw refuse('RFC 8247 §3.1', `the ${nameOf(certificate)} is signed with algorithm ${oid}`);
}

/** @param below certificates between this one and the end entity, the end entity included */
function checkLink({ certificate, use }: Link, below: number, now: number): void {
  if (now < certificate.validFromDate.getTime()) {
    throw new CertificateError(
      'not-yet-valid',
      'RFC 5280 §6.1.3',
      `the ${nameOf(certificate)} is not valid before ${certificate.validFrom}`,
    );
  }
  if (now > certificate.validToDate.getTime()) {
    throw new CertificateError('expired', 'RFC 5280 §6.1.3', `the ${nameOf(certificate)} has expired on ${certificate.validTo}`);
  }
  const [unknown] = use.unknownCritical;
  if (unknown !== undefined) throw refuse('RFC 5280 §4.2', `the ${nameOf(certificate)} has the critical extension ${unknown}`);
  if (below > 0 && below - 1 > use.pathLength) {
    throw refuse('RFC 5280 §4.2.1.9', `the ${nameOf(certificate)} allows ${use.pathLength} CA certificates below it`);
  }
}

function checkEndEntity({ certificate, use }: Link): void {
  if (!use.signs) throw refuse('RFC 4945 §5.1.3.2', `the ${nameOf(certificate)} is not for signatures`);
  if (!use.ike) throw refuse('RFC 4945 §5.1.3.12', `the ${nameOf(certificate)} is not for IKE`);
}

function checkRevocation(link: Link, issuer: Link, trust: Trust, now: number): void {
  for (const method of trust.revocationCheck) {
    if (method === 'none') return;
    const list = listInForce(link, issuer, trust, now);
    if (list?.revoked.has(link.certificate.serialNumber)) {
      throw new CertificateError('revoked', 'RFC 5280 §6.3', `the ${nameOf(link.certificate)} is revoked`);
    }
    if (list) return;
  }
  throw new CertificateError('no-crl', 'RFC 5280 §6.3', `no revocation list in force for the ${nameOf(link.certificate)}`);
}

/** The newest that the issuer signed. */
function listInForce({ fields }: Link, issuer: Link, trust: Trust, now: number): Crl | undefined {
  return trust.crls
    .filter((crl) => Buffer.compare(crl.issuer, fields.issuer) === 0 && crl.thisUpdate <= now && now <= crl.nextUpdate)
    .filter((crl) => issuer.use.signsCrls && crl.signedBy(issuer.certificate.publicKey))
    .sort((a, b) => b.thisUpdate - a.thisUpdate)[0];
}

function readKey(certificate: X509Certificate): KeyObject {
  try {
    return readPublicKey(certificate.publicKey.export({ type: 'spki', format: 'der' }));
  } catch (error) {
    const why = error instanceof PublicKeyError ? error.message : 'key is not readable';
    throw new CertificateError('malformed', 'RFC 4945 §5.1.2', `the ${nameOf(certificate)}: ${why}`);
  }
}
