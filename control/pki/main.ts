// `groupwire pki`: a local CA for routers that authenticate with certificates. Started by the cli; prints what it did, one clear line on error.

import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { NameError, parseDistinguishedName } from '../config/distinguished-name.js';
import { buildPkcs12, issueAuthority, issueCertificate } from './authority.js';
import { AuthorityDirectory, AuthorityError, pemOf, writeWhole } from './authority-directory.js';
import { CertificateError } from './certificate-error.js';
import { type CertificateRequest, readRequest } from './request.js';

const usage = `groupwire pki: a local CA

  groupwire pki init-ca --ca DIR --subject NAME [--parent DIR] [--path-length N] [--days N] [--bits N]
  groupwire pki issue   --ca DIR --request FILE --out FILE [--subject NAME] [--dns NAME]... [--ip ADDRESS]... [--days N]
  groupwire pki issue   --ca DIR --subject NAME --key-out FILE --out FILE [--dns ...] [--pkcs12 FILE --password-file FILE]
  groupwire pki revoke  --ca DIR --serial HEX | --certificate FILE
  groupwire pki crl     --ca DIR [--days N] [--out FILE]
  groupwire pki list    --ca DIR

NAME is like CN=r1.example.net,O=Lab. The files of a trustpoint with 'enrollment url file:/etc/groupwire/r1': r1.req is the router's
request, r1.ca a copy of DIR/ca.pem, r1.crt what 'issue' wrote, r1.crl a copy of DIR/crl.pem.
`;
const YearDays = 365;
const CrlDays = 30;
const MaxDays = 36_500;

const { values, positionals } = readArguments();
type Values = typeof values;

function readArguments() {
  const text = { type: 'string' } as const;
  const list = { type: 'string', multiple: true } as const;
  const about = { ca: text, subject: text, parent: text, 'path-length': text, days: text, bits: text } as const;
  const files = { request: text, out: text, 'key-out': text, pkcs12: text, 'password-file': text, certificate: text } as const;
  const options = { ...about, ...files, dns: list, ip: list, serial: text, help: { type: 'boolean', short: 'h' } } as const;
  try {
    return parseArgs({ options, allowPositionals: true, strict: true });
  } catch (error) {
    return fail((error as Error).message.split('. ')[0]);
  }
}

function fail(message: string): never {
  process.stderr.write(`groupwire pki: ${message.replace(/[\p{Cc}\s]+/gu, ' ').trim()}\n`);
  process.exit(1);
}

function required(name: 'ca' | 'subject' | 'out'): string {
  return values[name] ?? fail(`--${name} is missing (groupwire pki --help)`);
}

function number(name: 'days' | 'bits' | 'path-length', fallback: number, low: number, high: number): number {
  const text = values[name];
  if (text === undefined) return fallback;
  if (!/^\d{1,6}$/.test(text) || Number(text) < low || Number(text) > high) fail(`--${name}: a number from ${low} to ${high}`);
  return Number(text);
}

function newKey(bits: number): KeyObject {
  return generateKeyPairSync('rsa', { modulusLength: bits, publicExponent: 0x10001 }).privateKey;
}

function initAuthority(): string {
  const parent = values.parent === undefined ? null : AuthorityDirectory.open(values.parent);
  const key = newKey(number('bits', 3072, 2048, 8192));
  const pathLength = values['path-length'] === undefined ? null : number('path-length', 0, 0, 4);
  const now = Date.now();
  const options = {
    subject: parseDistinguishedName(required('subject')),
    publicKey: key,
    key,
    days: number('days', 10 * YearDays, 1, MaxDays),
    now,
  };
  const certificate = issueAuthority({ ...options, pathLength }, parent?.signer ?? null);
  const directory = AuthorityDirectory.create(required('ca'), { certificate, key }, parent);
  directory.save(CrlDays, now);
  if (parent) {
    parent.record(certificate);
    parent.save(CrlDays, now);
  }
  return `${directory.path}: CA ${certificate.subject.split('\n').join(',')}, SHA-256 fingerprint ${certificate.fingerprint256}\n`;
}

/** Key and names to certify: of a request, or new ones. @returns also the private key when we made it */
function readWanted(): Omit<CertificateRequest, 'subject'> & { subject: Uint8Array | null; privateKey: KeyObject | null } {
  if (values.request !== undefined) return { ...readRequest(readFileSync(values.request, 'utf8')), privateKey: null };
  if (values['key-out'] === undefined) fail('--request FILE, or --subject and --key-out for a new key');
  const privateKey = newKey(number('bits', 2048, 2048, 8192));
  return { publicKey: privateKey, subject: null, alternativeNames: null, privateKey };
}

function issue(): string {
  const directory = AuthorityDirectory.open(required('ca'));
  const out = required('out');
  const wanted = readWanted();
  const subject = values.subject === undefined && wanted.subject ? wanted.subject : parseDistinguishedName(required('subject'));
  const asked = { dns: values.dns ?? [], ip: values.ip ?? [] };
  const names = asked.dns.length + asked.ip.length > 0 ? asked : wanted.alternativeNames;
  const days = number('days', YearDays, 1, MaxDays);
  const certificate = issueCertificate({ subject, publicKey: wanted.publicKey, names, days, now: Date.now() }, directory.signer);
  const pem = pemOf(certificate.raw, 'CERTIFICATE');
  writeOutputs(wanted.privateKey, certificate, directory);
  // The CAs between it and the root go along: peers may know the root alone.
  writeWhole(out, pem + directory.chain);
  directory.record(certificate);
  directory.save(CrlDays, Date.now());
  const alternative = certificate.subjectAltName ? ` (${certificate.subjectAltName})` : '';
  return `${out}: ${certificate.subject.split('\n').join(',')}${alternative}, serial number ${certificate.serialNumber}\n`;
}

function writeOutputs(key: KeyObject | null, certificate: X509Certificate, directory: AuthorityDirectory): void {
  if (!key) {
    if (values.pkcs12 !== undefined) fail('--pkcs12 needs a key that is made here: --key-out');
    return;
  }
  writeWhole(values['key-out'] as string, key.export({ type: 'pkcs8', format: 'pem' }) as string, 0o600);
  if (values.pkcs12 === undefined) return;
  const file = values['password-file'] ?? fail('--pkcs12 needs --password-file FILE');
  const password = readFileSync(file, 'utf8').split('\n')[0];
  if (password.length === 0) fail(`${file} is empty`);
  const chain = [certificate.raw, directory.signer.certificate.raw];
  writeWhole(values.pkcs12, buildPkcs12(key, chain, password, certificate.subject.split('\n').join(',')), 0o600);
}

function revoke(): string {
  const directory = AuthorityDirectory.open(required('ca'));
  const serial = values.certificate === undefined ? values.serial : new X509Certificate(readFileSync(values.certificate)).serialNumber;
  if (serial === undefined) fail('--serial HEX or --certificate FILE is missing');
  directory.revoke(serial, Date.now());
  directory.save(CrlDays, Date.now());
  return `${directory.path}/crl.pem: serial number ${serial.toUpperCase()} is revoked\n`;
}

function renewCrl(): string {
  const directory = AuthorityDirectory.open(required('ca'));
  const days = number('days', CrlDays, 1, MaxDays);
  const text = directory.save(days, Date.now());
  if (values.out !== undefined) writeWhole(values.out, text);
  return `${values.out ?? `${directory.path}/crl.pem`}: number ${directory.issued.crlNumber}, good for ${days} days\n`;
}

function list(): string {
  const { certificates } = AuthorityDirectory.open(required('ca')).issued;
  const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
  return certificates
    .map(
      ({ serial, subject, notAfter, revokedAt }) =>
        `${serial}  ${revokedAt === null ? `until ${day(notAfter)}` : `revoked ${day(revokedAt)}`}  ${subject}\n`,
    )
    .join('');
}

const commands: Record<string, () => string> = { 'init-ca': initAuthority, issue, revoke, crl: renewCrl, list };

function run(given: Values, [name, ...rest]: string[]): string {
  if (given.help || name === undefined) return usage;
  const command = Object.hasOwn(commands, name) ? commands[name] : fail(`no such command: ${name} (groupwire pki --help)`);
  if (rest.length > 0) fail(`unexpected argument '${rest[0]}'`);
  return command();
}

try {
  process.stdout.write(run(values, positionals));
} catch (error) {
  const known = error instanceof AuthorityError || error instanceof CertificateError || error instanceof NameError;
  if (!known && typeof (error as NodeJS.ErrnoException).code !== 'string') throw error;
  fail((error as Error).message);
}
