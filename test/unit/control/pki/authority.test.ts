// What the local CA makes, judged by openssl: requests, certificates, revocation lists, PKCS #12.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { CertificateError } from '../../../../control/pki/certificate-error.js';
import { readPem } from '../../../../control/pki/crl.js';
import { nameKey, readCertificateFields } from '../../../../control/pki/der.js';
import { buildRequest, readRequest } from '../../../../control/pki/request.js';
import { keyOf, nameOf } from '../../../support/test-ca.js';

const folder = mkdtempSync(join(tmpdir(), 'groupwire-ca-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const path = (name: string): string => join(folder, name);
const program = join(import.meta.dirname, '../../../../control/pki/main.js');
const openssl = (...words: string[]): string => execFileSync('openssl', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

function pki(...words: string[]): string {
  return execFileSync(process.execPath, [program, ...words], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function refusal(...words: string[]): string {
  try {
    pki(...words);
    return 'done';
  } catch (error) {
    return (error as { stderr: string }).stderr;
  }
}

t.test('requests', async (t) => {
  const text = buildRequest(keyOf('r1'), nameOf('r1'), { dns: ['r1.example.net'], ip: ['10.0.0.1'] });
  writeFileSync(path('r.req'), text);
  t.match(
    openssl('req', '-in', path('r.req'), '-verify', '-noout', '-text'),
    /DNS:r1\.example\.net, IP Address:10\.0\.0\.1/,
    'openssl reads it',
  );
  const request = readRequest(text);
  t.equal(request.publicKey.equals(keyOf('r1')) || request.publicKey.asymmetricKeyType, 'rsa', 'key');
  t.ok(request.alternativeNames, 'names are asked for');
  t.equal(buildRequest(keyOf('r1'), nameOf('r1'), { dns: ['r1.example.net'], ip: ['10.0.0.1'] }), text, 'the same again');
  const der = Buffer.from(text.split('\n').slice(1, -2).join(''), 'base64');
  for (let at = 0; at < der.length; at += 5) {
    const changed = Buffer.from(der);
    changed[at] ^= 4;
    const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${changed.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
    t.throws(() => readRequest(pem), CertificateError, `byte ${at} changed`);
  }
});

t.test('a CA from its beginning to a revocation', async (t) => {
  t.match(
    pki('init-ca', '--ca', path('root'), '--subject', 'CN=Root,O=Lab,C=DE', '--bits', '2048'),
    /CA CN=Root,O=Lab,C=DE, SHA-256 fingerprint/,
  );
  t.match(
    pki('init-ca', '--ca', path('sub'), '--parent', path('root'), '--subject', 'CN=Sub', '--path-length', '0', '--bits', '2048'),
    /CA CN=Sub/,
  );
  t.equal(statSync(path('root/key.pem')).mode & 0o777, 0o600, 'the key is the owner’s alone');
  t.match(
    pki('issue', '--ca', path('sub'), '--request', path('r.req'), '--out', path('r.crt')),
    /CN=r1,O=Lab \(DNS:r1\.example\.net, IP Address:10\.0\.0\.1\)/,
  );
  t.match(openssl('verify', '-CAfile', path('root/ca.pem'), '-untrusted', path('sub/ca.pem'), path('r.crt')), /OK/, 'openssl verifies it');
  writeFileSync(path('password'), 'a password\n');
  pki(
    'issue',
    '--ca',
    path('root'),
    '--subject',
    'CN=x',
    '--key-out',
    path('x.key'),
    '--out',
    path('x.crt'),
    '--pkcs12',
    path('x.p12'),
    '--password-file',
    path('password'),
  );
  t.match(
    openssl('pkcs12', '-in', path('x.p12'), '-passin', 'pass:a password', '-nodes'),
    /subject=CN = x[\s\S]*BEGIN PRIVATE KEY/,
    'PKCS #12',
  );
  t.match(pki('revoke', '--ca', path('root'), '--certificate', path('x.crt')), /is revoked/);
  writeFileSync(path('with-list'), readFileSync(path('root/ca.pem'), 'utf8') + readFileSync(path('root/crl.pem'), 'utf8'));
  t.throws(() => openssl('verify', '-crl_check', '-CAfile', path('with-list'), path('x.crt')), /revoked/, 'openssl refuses it');
  t.match(
    openssl('crl', '-in', path('root/crl.pem'), '-CAfile', path('root/ca.pem'), '-noout', '-text'),
    /Version 2[\s\S]*CRL Number[\s\S]*Serial Number/,
  );
  t.match(pki('list', '--ca', path('root')), /until 20\d\d-\d\d-\d\d {2}CN=Sub\n[0-9A-F]+ {2}revoked .*CN=x\n/, 'list');
  t.match(pki('crl', '--ca', path('root'), '--days', '7', '--out', path('out.crl')), /good for 7 days/);
  t.ok(existsSync(path('out.crl')), 'written');
  const { crls, certificates } = readPem(readFileSync(path('sub/crl.pem'), 'utf8') + readFileSync(path('r.crt'), 'utf8'));
  t.same([crls.length, certificates.length], [2, 3], 'files hold the chain');
});

t.test('names that RFC 5280 §7.1 calls equal', async (t) => {
  const config = (string: string): string =>
    `[req]\nstring_mask=${string}\ndistinguished_name=dn\nprompt=no\n[dn]\nCN=Router  One\nO=LAB\n`;
  const subjectOf = (string: string, change: (text: string) => string = (text) => text): string => {
    writeFileSync(path('openssl.cnf'), change(config(string)));
    openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', path('k'), '-out', path('c'), '-config', path('openssl.cnf'));
    return nameKey(readCertificateFields(readPem(readFileSync(path('c'), 'utf8')).certificates[0].raw).subject);
  };
  const one = subjectOf('default');
  t.equal(subjectOf('utf8only'), one, 'other string types');
  t.equal(
    subjectOf('default', (text) => text.replace('Router  One', 'router one')),
    one,
    'case and spaces',
  );
  t.not(
    subjectOf('default', (text) => text.replace('One', 'Two')),
    one,
    'another name',
  );
  t.not(
    subjectOf('default', (text) => text.replace('O=LAB', 'OU=LAB')),
    one,
    'another attribute',
  );
});

t.test('wrong calls', async (t) => {
  t.match(refusal('issue', '--ca', path('none'), '--out', path('x')), /none is no CA/);
  t.match(refusal('init-ca', '--ca', path('root'), '--subject', 'CN=x'), /is a CA already/);
  t.match(refusal('init-ca', '--ca', path('z'), '--subject', 'x'), /no TYPE=VALUE/);
  t.match(refusal('revoke', '--ca', path('root'), '--serial', 'FF'), /issued no certificate with serial number FF/);
  t.match(refusal('issue', '--ca', path('root'), '--request', path('password'), '--out', path('x')), /no PEM of that kind/);
  t.match(refusal('dance'), /no such command: dance/);
  t.match(refusal('issue', '--frob'), /Unknown option '--frob'/);
  t.match(refusal('init-ca', '--ca', path('y'), '--subject', 'CN=y', '--bits', '12'), /--bits: a number from 2048/);
  writeFileSync(path('root/issued.json'), '{');
  t.match(refusal('list', '--ca', path('root')), /is damaged/);
});
