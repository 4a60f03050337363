// Trustpoints over their files: enrolment, renewal, damage, restart.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { parseConfig } from '../../../../control/config/parse.js';
import { issueCertificate } from '../../../../control/pki/authority.js';
import { pemOf } from '../../../../control/pki/authority-directory.js';
import { readRequest } from '../../../../control/pki/request.js';
import { RsaKeys } from '../../../../control/pki/rsa-keys.js';
import { Trustpoints } from '../../../../control/pki/trustpoints.js';
import { SealedStore } from '../../../../control/store/sealed-store.js';
import { authority, crlOf, entity } from '../../../support/test-ca.js';

const folder = mkdtempSync(join(tmpdir(), 'groupwire-trustpoints-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const path = (name: string): string => join(folder, name);
const store = await SealedStore.open(path('state'));
const keys = new RsaKeys(store);
const { config } = parseConfig(`hostname R1
ip domain name example.net
crypto pki trustpoint LAB
 enrollment url file:${path('r1')}
 subject-name CN=r1,O=Lab
 ip-address 10.0.0.1
 rsakeypair K 1024
`);
const logs: string[] = [];
const log = {
  write: (facility: string, severity: number, mnemonic: string, text: string) =>
    void logs.push(`%${facility}-${severity}-${mnemonic}: ${text}`),
};
const root = authority('Root');

t.test('from nothing to a certificate that peers accept', async (t) => {
  const trustpoints = new Trustpoints(store, keys, log);
  trustpoints.configure(config);
  t.equal(trustpoints.identity([]), null, 'not enrolled yet');
  t.throws(() => trustpoints.verify([new Uint8Array(3)], Date.now()), /no trustpoint has a CA certificate/);
  const request = readRequest(readFileSync(path('r1.req'), 'utf8'));
  t.match(logs, [/KEYGEN: RSA key K \(1024 bits\)/, /CERTENROLL/], 'key and request');

  const own = issueCertificate(
    { subject: request.subject, publicKey: request.publicKey, names: request.alternativeNames, days: 9, now: Date.now() },
    root,
  );
  writeFileSync(path('r1.ca'), pemOf(root.certificate.raw, 'CERTIFICATE'));
  writeFileSync(path('r1.crt'), pemOf(own.raw, 'CERTIFICATE'));
  trustpoints.refresh();
  t.equal(trustpoints.identity([])?.certificate.serialNumber, own.serialNumber, 'enrolled');
  t.ok(own.checkIP('10.0.0.1') && own.checkHost('R1.example.net'), 'with the names that were asked for');
  t.equal(trustpoints.authorities().length, 1, 'certificate requests name the root');
  t.throws(
    () => trustpoints.verify([new Uint8Array(own.raw)], Date.now()),
    /no revocation list in force/,
    'revocation-check crl is the default',
  );

  writeFileSync(path('r1.crl'), pemOf(crlOf(root), 'X509 CRL'));
  trustpoints.refresh();
  t.equal(trustpoints.verify([new Uint8Array(own.raw)], Date.now()).certificate.serialNumber, own.serialNumber, 'with a list');
  writeFileSync(path('r1.crl'), pemOf(crlOf(root, [own]), 'X509 CRL'));
  trustpoints.refresh();
  t.throws(() => trustpoints.verify([new Uint8Array(own.raw)], Date.now()), /is revoked/, 'with a newer list');
  t.notMatch(logs.join('\n'), /PRIVATE/, 'no key in the log');
});

t.test('a restart without the files', async (t) => {
  for (const suffix of ['ca', 'crt', 'crl', 'req']) rmSync(path(`r1.${suffix}`));
  const trustpoints = new Trustpoints(store, new RsaKeys(store), log);
  trustpoints.configure(config);
  t.ok(trustpoints.identity([]), 'still enrolled');
  t.notOk(existsSync(path('r1.req')), 'no request is written');
});

t.test('damaged and wrong files are said once, and take nothing else away', async (t) => {
  const trustpoints = new Trustpoints(store, keys, log);
  trustpoints.configure(config);
  logs.length = 0;
  writeFileSync(path('r1.crl'), 'rubbish -----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n');
  trustpoints.refresh();
  trustpoints.refresh();
  t.match(logs, [/^%PKI-3-FILE_UNUSABLE: Trustpoint LAB: .*r1\.crl: a revocation list is malformed/], 'once');
  t.ok(trustpoints.identity([]), 'our certificate stays');
  writeFileSync(path('r1.crt'), pemOf(entity('r2', root).raw, 'CERTIFICATE'));
  trustpoints.refresh();
  t.match(logs.at(-1), /certificate request written|for another key/, 'a certificate for another key');
  t.ok(
    logs.some((line) => /r1\.crt: the certificate is for another key/.test(line)),
    'is said',
  );
  writeFileSync(path('r1.ca'), pemOf(entity('r2', root).raw, 'CERTIFICATE'));
  trustpoints.refresh();
  t.ok(
    logs.some((line) => /r1\.ca: a certificate that is no CA/.test(line)),
    'an end entity is no CA',
  );
});
