import t from 'tap';
import { readCertificateFields } from '../../control/pki/der.js';
import { buildRequest } from '../../control/pki/request.js';
import { crlOf, keyOf, nameOf } from '../support/test-ca.js';
import { fuzz, own, root } from './certificates.js';
import { run } from './mutations.js';

const request = buildRequest(keyOf('r1'), nameOf('r1'), { dns: ['r1.example.net'], ip: [] });
const der = Buffer.from(request.split('\n').slice(1, -2).join(''), 'base64');
/** SEQUENCE in SEQUENCE, deeper than any parser should follow (bad-input 28). */
const nested = Array.from({ length: 2000 }, () => [0x30, 0x80]).flat();
const seeds = [own.raw, crlOf(root, [own]), der, readCertificateFields(own.raw).subject, new Uint8Array(nested)].map(
  (bytes) => new Uint8Array(bytes),
);

t.test('certificates, lists, requests, names', async (t) => {
  for (const seed of seeds) fuzz(seed);
  t.equal(run(fuzz, seeds, 4000), null, 'only CertificateError, and never good');
});
