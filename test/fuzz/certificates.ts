// Everything that reads DER and PEM of the PKI, on damaged input: only CertificateError may come out, and a damaged certificate is never good.

import { pemOf } from '../../control/pki/authority-directory.js';
import { CertificateError } from '../../control/pki/certificate-error.js';
import { verifyChain } from '../../control/pki/chain.js';
import { readCrl, readPem } from '../../control/pki/crl.js';
import { nameKey, readCertificateFields } from '../../control/pki/der.js';
import { readUse } from '../../control/pki/extensions.js';
import { describeName } from '../../control/pki/name-text.js';
import { buildRequest, readRequest } from '../../control/pki/request.js';
import { authority, crlOf, entity, keyOf, nameOf, trustOf } from '../support/test-ca.js';

export const root = authority('Root');
export const own = entity('r1', root, { dns: ['r1.example.net'], ip: ['10.0.0.1'] });
const trust = trustOf([root]);
const now = Date.now();

function tryRead(read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    if (error.clause === '' || error.message === '') throw new Error('refused without clause or reason');
  }
}

/** @param bytes DER of something */
export function fuzz(bytes: Uint8Array): void {
  tryRead(() => readUse(readCertificateFields(bytes).extensions));
  tryRead(() => readCrl(bytes).signedBy(root.certificate.publicKey));
  tryRead(() => void nameKey(bytes));
  const text = describeName(bytes);
  if (text !== null && (text.length > 255 || /\p{Cc}/u.test(text))) throw new Error('a name that could break a line of the log');
  for (const label of ['CERTIFICATE', 'X509 CRL']) tryRead(() => void readPem(pemOf(bytes, label)));
  tryRead(() => void readRequest(pemOf(bytes, 'CERTIFICATE REQUEST')));
  tryRead(() => void readPem(Buffer.from(bytes).toString('latin1')));
  tryRead(() => {
    verifyChain([bytes], trust, now);
    if (Buffer.compare(bytes, own.raw) !== 0) throw new Error('a damaged certificate is taken for good');
  });
}

const request = buildRequest(keyOf('r1'), nameOf('r1'), { dns: ['r1.example.net'], ip: [] });
/** SEQUENCE in SEQUENCE, deeper than any parser should follow (bad-input 28). */
const nested = Array.from({ length: 2000 }, () => [0x30, 0x80]).flat();
export const seeds: readonly Uint8Array[] = [
  own.raw,
  crlOf(root, [own]),
  Buffer.from(request.split('\n').slice(1, -2).join(''), 'base64'),
  readCertificateFields(own.raw).subject,
  Uint8Array.from(nested),
].map((bytes) => new Uint8Array(bytes));
