// Certificate requests, PKCS #10 (RFC 2986): made for a trustpoint, read by the local CA.

import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import forge from 'node-forge';
import type { NameAttribute } from '../config/distinguished-name.js';
import { CertificateError } from './certificate-error.js';
import { signatureHashes } from './crl.js';
import { elements, fromBinary, isContext, oidOf, readDer, readExtensions, signatureBits, writeDer } from './der.js';
import { type AlternativeNames, alternativeNamesExtension, forgeName, forgePublicKey, signerOf } from './forge-build.js';
import { PublicKeyError, readPublicKey } from './push-signature.js';

const { pki, md } = forge;
const what = 'the certificate request';
const ExtensionRequest = '1.2.840.113549.1.9.14';
const SubjectAltName = '2.5.29.17';

/** @returns PEM; the same for the same key and names */
export function buildRequest(key: KeyObject, subject: readonly NameAttribute[], names: AlternativeNames): string {
  const request = pki.createCertificationRequest();
  request.publicKey = forgePublicKey(key);
  request.setSubject(forgeName(subject));
  const extension = alternativeNamesExtension(names);
  if (extension) request.setAttributes([{ name: 'extensionRequest', extensions: [extension] } as never]);
  request.sign(
    signerOf(key, () => request.certificationRequestInfo),
    md.sha256.create(),
  );
  return pki.certificationRequestToPem(request).replaceAll('\r\n', '\n');
}

export interface CertificateRequest {
  publicKey: KeyObject;
  /** DER Name. */
  subject: Uint8Array;
  /** DER of a GeneralNames, null when none was asked for. */
  alternativeNames: Uint8Array | null;
}

/** Reads a request and verifies that its maker has the private key. @param text PEM @throws CertificateError */
export function readRequest(text: string): CertificateRequest {
  const [info, algorithm, signature] = elements(readDer(decode(text), what), what);
  const [, subject, spki, attributes] = elements(info, what);
  elements(subject, what);
  const publicKey = readRequestKey(writeDer(spki));
  const hash = signatureHashes.get(oidOf(elements(algorithm, what)[0], what));
  const bits = signatureBits(signature, what);
  if (!hash || !verify(hash, writeDer(info), publicKey, bits)) {
    throw new CertificateError('untrusted', 'RFC 2986 §4.2', 'the certificate request is not signed by its key');
  }
  return { publicKey, subject: writeDer(subject), alternativeNames: attributes ? readNames(attributes) : null };
}

function decode(text: string): Uint8Array {
  try {
    const block = forge.pem.decode(text).find(({ type }) => type === 'CERTIFICATE REQUEST' || type === 'NEW CERTIFICATE REQUEST');
    if (block) return fromBinary(block.body);
  } catch {
    // said below
  }
  throw new CertificateError('malformed', 'RFC 7468 §7', `${what} is no PEM of that kind`);
}

function readRequestKey(spki: Uint8Array): KeyObject {
  try {
    createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
    return readPublicKey(spki);
  } catch (error) {
    throw new CertificateError('malformed', 'RFC 2986 §4.1', error instanceof PublicKeyError ? error.message : 'the key is not readable');
  }
}

/** The subject alternative name in the extensionRequest attribute (RFC 2985 §5.4.2). */
function readNames(attributes: forge.asn1.Asn1): Uint8Array | null {
  if (!isContext(attributes, 0)) return null;
  for (const attribute of elements(attributes, what)) {
    const [type, values] = elements(attribute, what);
    if (oidOf(type, what) !== ExtensionRequest) continue;
    const extensions = readExtensions(elements(values, what)[0], what);
    return extensions.find(({ oid }) => oid === SubjectAltName)?.value ?? null;
  }
  return null;
}
