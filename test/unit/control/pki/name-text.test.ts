// Distinguished names in words: judged by node:crypto's own reading of the same certificate.

import t from 'tap';
import { readCertificateFields } from '../../../../control/pki/der.js';
import { describeName } from '../../../../control/pki/name-text.js';
import { authority, entity } from '../../../support/test-ca.js';

t.test('as node:crypto reads it, in one line', (t) => {
  const root = authority('Root');
  for (const cn of ['r1', 'Müller & Söhne', 'a=b']) {
    const certificate = entity(cn, root);
    t.equal(describeName(readCertificateFields(certificate.raw).subject), certificate.subject.replaceAll('\n', ','));
  }
  t.equal(
    describeName(readCertificateFields(entity('r1,O=Evil', root).raw).subject),
    'CN=r1\\,O=Evil,O=Lab',
    'a comma does not make an attribute',
  );
  t.end();
});

t.test('a name that is none', (t) => {
  for (const bytes of [[], [0x30, 0x80, 1], [0x30, 3, 0x31, 5, 0], [0x02, 1, 0]]) t.equal(describeName(Uint8Array.from(bytes)), null);
  t.equal(describeName(Uint8Array.of(0x30, 0)), '', 'an empty one is well-formed');
  t.end();
});
