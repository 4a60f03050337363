// The local CA of `groupwire pki`: certificates and revocation lists, put together by node-forge and signed by node:crypto. No files here.

import { type KeyObject, randomBytes, sign, type X509Certificate } from 'node:crypto';
import forge from 'node-forge';
import type { NameAttribute } from '../config/distinguished-name.js';
import { readCertificate } from './crl.js';
import { type Asn1, fromBinary, readCertificateFields, readDer, toBinary, writeDer } from './der.js';
import { type AlternativeNames, alternativeNamesExtension, forgeName, forgePublicKey, signerOf } from './forge-build.js';

const { asn1, pki, md } = forge;
const { Class, Type } = asn1;
const DayMs = 86_400_000;
/** Clocks differ: what is issued now is valid for a peer whose clock is a little late. */
const BackdateMs = 3_600_000;
const Sha256WithRsa = '1.2.840.113549.1.1.11';

export interface Signer {
  certificate: X509Certificate;
  key: KeyObject;
}

/** A DER Name, or the attributes of one. */
export type Subject = readonly NameAttribute[] | Uint8Array;

export interface NewCertificate {
  subject: Subject;
  publicKey: KeyObject;
  days: number;
  now: number;
}

export function newSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0] & 0x7f) | 0x40; // positive, and of full length
  return bytes.toString('hex').toUpperCase();
}

function fieldsOf(subject: Subject): forge.pki.CertificateField[] {
  if (!(subject instanceof Uint8Array)) return forgeName(subject);
  // forge takes names as attributes: its own reader of RDNs, on a name that readDer() has taken.
  const reader = pki as unknown as { RDNAttributesAsArray(rdn: Asn1): forge.pki.CertificateField[] };
  return reader.RDNAttributesAsArray(readDer(subject, 'a name'));
}

/** @param issuer null = self-signed with `key` */
function make(options: NewCertificate, issuer: Signer | null, key: KeyObject, serial: string, extensions: object[]): X509Certificate {
  const certificate = pki.createCertificate();
  certificate.publicKey = forgePublicKey(options.publicKey);
  certificate.serialNumber = serial;
  certificate.validity.notBefore = new Date(options.now - BackdateMs);
  const end = options.now + options.days * DayMs;
  certificate.validity.notAfter = new Date(issuer ? Math.min(end, issuer.certificate.validToDate.getTime()) : end);
  certificate.setSubject(fieldsOf(options.subject));
  certificate.setIssuer(issuer ? fieldsOf(readCertificateFields(issuer.certificate.raw).subject) : fieldsOf(options.subject));
  certificate.setExtensions([...extensions, { name: 'subjectKeyIdentifier' }]);
  certificate.sign(
    signerOf(key, () => certificate.tbsCertificate as Asn1),
    md.sha256.create(),
  );
  return readCertificate(writeDer(pki.certificateToAsn1(certificate)));
}

/** A CA certificate. @param parent null = a root @param pathLength CA certificates below it, null = any number */
export function issueAuthority(
  options: NewCertificate & { key: KeyObject; pathLength: number | null },
  parent: Signer | null,
): X509Certificate {
  const constraints = { name: 'basicConstraints', cA: true, critical: true };
  const limited = options.pathLength === null ? constraints : { ...constraints, pathLenConstraint: options.pathLength };
  const usage = { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true };
  return make(options, parent, parent?.key ?? options.key, newSerial(), [limited, usage]);
}

/** @param names a GeneralNames in DER, or what goes into one */
export function issueCertificate(
  options: NewCertificate & { names: AlternativeNames | Uint8Array | null },
  issuer: Signer,
): X509Certificate {
  const { names } = options;
  const alternative =
    names instanceof Uint8Array ? { id: '2.5.29.17', critical: false, value: toBinary(names) } : names && alternativeNamesExtension(names);
  const extensions = [
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, critical: true },
    ...(alternative ? [alternative] : []),
  ];
  return make(options, issuer, issuer.key, newSerial(), extensions);
}

export interface Revocation {
  /** Upper-case hexadecimal. */
  serial: string;
  /** Unix ms. */
  at: number;
}

function time(ms: number): Asn1 {
  const date = new Date(ms);
  // RFC 5280 §5.1.2.4: UTCTime through 2049.
  return date.getUTCFullYear() < 2050
    ? asn1.create(Class.UNIVERSAL, Type.UTCTIME, false, asn1.dateToUtcTime(date) as unknown as string)
    : asn1.create(Class.UNIVERSAL, Type.GENERALIZEDTIME, false, asn1.dateToGeneralizedTime(date) as unknown as string);
}

function sequence(...items: Asn1[]): Asn1 {
  return asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, items);
}

/** @param hex of an unsigned number; DER wants the shortest form, with a zero in front of a high bit */
function integer(hex: string): Asn1 {
  let digits = hex.length % 2 === 0 ? hex : `0${hex}`;
  while (digits.length > 2 && digits.startsWith('00')) digits = digits.slice(2);
  const bytes = Buffer.from(Number.parseInt(digits.slice(0, 2), 16) > 0x7f ? `00${digits}` : digits, 'hex');
  return asn1.create(Class.UNIVERSAL, Type.INTEGER, false, bytes.toString('latin1'));
}

function algorithm(): Asn1 {
  const oid = asn1.create(Class.UNIVERSAL, Type.OID, false, asn1.oidToDer(Sha256WithRsa).getBytes());
  return sequence(oid, asn1.create(Class.UNIVERSAL, Type.NULL, false, ''));
}

/** A revocation list of version 2 (RFC 5280 §5) with its number. @param number of the list, growing @returns DER */
export function issueCrl(issuer: Signer, revocations: readonly Revocation[], number: number, days: number, now: number): Uint8Array {
  const octets = (value: Asn1): Asn1 => asn1.create(Class.UNIVERSAL, Type.OCTETSTRING, false, asn1.toDer(value).getBytes());
  const crlNumber = sequence(
    asn1.create(Class.UNIVERSAL, Type.OID, false, asn1.oidToDer('2.5.29.20').getBytes()),
    octets(integer(number.toString(16))),
  );
  const entries = revocations.map(({ serial, at }) => sequence(integer(serial), time(at)));
  const list = sequence(
    integer('01'),
    algorithm(),
    readDer(readCertificateFields(issuer.certificate.raw).subject, 'a name'),
    time(now - BackdateMs),
    time(now + days * DayMs),
    ...(entries.length > 0 ? [sequence(...entries)] : []),
    asn1.create(Class.CONTEXT_SPECIFIC, 0 as forge.asn1.Type, true, [sequence(crlNumber)]),
  );
  const signature = sign('sha256', writeDer(list), issuer.key).toString('latin1');
  return writeDer(sequence(list, algorithm(), asn1.create(Class.UNIVERSAL, Type.BITSTRING, false, `\0${signature}`)));
}

/** @param chain DER, the certificate of `key` first @returns PKCS #12 in DER, sealed with AES-256 under the password */
export function buildPkcs12(key: KeyObject, chain: readonly Uint8Array[], password: string, name: string): Uint8Array {
  const privateKey = pki.privateKeyFromPem(key.export({ type: 'pkcs1', format: 'pem' }) as string);
  const certificates = chain.map((der) => pki.certificateFromAsn1(asn1.fromDer(toBinary(der))));
  const options = { algorithm: 'aes256' as const, friendlyName: name, count: 100_000 };
  const bundle = forge.pkcs12.toPkcs12Asn1(privateKey, certificates, password, options as object);
  return fromBinary(asn1.toDer(bundle).getBytes());
}
