// The few fields of certificates that node:crypto does not show: names as DER, key usage, path length, critical extensions. ASN.1 is read by
// node-forge, bounded in size and depth; whatever it throws becomes a CertificateError. Signatures are never forge's business.

import forge from 'node-forge';
import { CertificateError } from './certificate-error.js';

const { asn1 } = forge;
export type Asn1 = forge.asn1.Asn1;

/** A chain of certificates must fit UDP; a revocation list is the operator's own and may be long. */
export const MaxCertificateLength = 16_384;
export const MaxCrlLength = 4 << 20;
/** Deeper than any certificate: names in a GeneralNames in an extension have eight. */
const MaxDepth = 24;

export function toBinary(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

export function fromBinary(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

function malformed(what: string): CertificateError {
  return new CertificateError('malformed', 'RFC 5280 §4.1', `${what} is malformed`);
}

/** @param what it should be, for the error @throws CertificateError */
export function readDer(der: Uint8Array, what: string, maxLength: number = MaxCertificateLength): Asn1 {
  if (der.length > maxLength)
    throw new CertificateError('malformed', 'RFC 5280 §4.1', `${what} of ${der.length} bytes: at most ${maxLength}`);
  try {
    const options = { strict: true, parseAllBytes: true, decodeBitStrings: false, maxDepth: MaxDepth };
    return asn1.fromDer(toBinary(der), options as unknown as boolean);
  } catch {
    throw malformed(what);
  }
}

/** @throws CertificateError when there is none */
export function writeDer(node: Asn1 | undefined): Uint8Array {
  if (!node) throw malformed('a structure');
  return fromBinary(asn1.toDer(node).getBytes());
}

/** Elements of a SEQUENCE or SET. @throws CertificateError when it is a primitive */
export function elements(node: Asn1 | undefined, what: string): Asn1[] {
  if (!node || !Array.isArray(node.value)) throw malformed(what);
  const { tagClass, type, value } = node;
  if (tagClass === asn1.Class.UNIVERSAL && type !== asn1.Type.SEQUENCE && type !== asn1.Type.SET) throw malformed(what);
  return value;
}

/** Contents of a primitive, as a binary string. @throws CertificateError */
export function contents(node: Asn1 | undefined, what: string): string {
  if (!node || typeof node.value !== 'string') throw malformed(what);
  return node.value;
}

/** A BIT STRING of whole octets: a signature. @throws CertificateError */
export function signatureBits(node: Asn1 | undefined, what: string): Uint8Array {
  const bytes = fromBinary(contents(node, what));
  if (node?.tagClass !== asn1.Class.UNIVERSAL || node.type !== asn1.Type.BITSTRING || bytes[0] !== 0) throw malformed(what);
  return bytes.subarray(1);
}

export function isContext(node: Asn1 | undefined, tag: number): boolean {
  return node !== undefined && node.tagClass === asn1.Class.CONTEXT_SPECIFIC && (node.type as number) === tag;
}

/** X.690 §8.19.2: no arc begins with 0x80, and the last one ends. forge reads on, so that one OID would have many encodings. */
function hasWholeArcs(text: string): boolean {
  let begins = true;
  for (let at = 0; at < text.length; at++) {
    const octet = text.charCodeAt(at);
    if (begins && octet === 0x80) return false;
    begins = octet < 0x80;
  }
  return begins;
}

export function oidOf(node: Asn1 | undefined, what: string): string {
  const text = contents(node, what);
  if (text.length === 0 || text.length > 32) throw malformed(what);
  if (!hasWholeArcs(text)) throw malformed(what);
  try {
    return asn1.derToOid(forge.util.createBuffer(text));
  } catch {
    throw malformed(what);
  }
}

/** An unsigned INTEGER up to 20 octets (RFC 5280 §4.1.2.2) as upper-case hexadecimal without leading zeros, as node:crypto writes serial numbers. */
export function integerHex(node: Asn1 | undefined, what: string): string {
  const bytes = fromBinary(contents(node, what));
  if (bytes.length === 0 || bytes.length > 21) throw malformed(what);
  const hex = Buffer.from(bytes).toString('hex').toUpperCase();
  let from = 0;
  while (from + 2 < hex.length && hex.startsWith('00', from)) from += 2;
  return hex.slice(from);
}

/** @throws CertificateError */
export function timeOf(node: Asn1 | undefined, what: string): number {
  const text = contents(node, what);
  const utc = node?.type === asn1.Type.UTCTIME;
  if (!utc && node?.type !== asn1.Type.GENERALIZEDTIME) throw malformed(what);
  try {
    const time = (utc ? asn1.utcTimeToDate(text) : asn1.generalizedTimeToDate(text)).getTime();
    if (Number.isFinite(time)) return time;
  } catch {
    // said below
  }
  throw malformed(what);
}

/** String types of attribute values, and how what forge gives becomes text. It has decoded BMPString already. */
const textDecoders = new Map<number, (text: string) => string>([
  [asn1.Type.UTF8, (text) => new TextDecoder().decode(fromBinary(text))],
  [asn1.Type.PRINTABLESTRING, (text) => text],
  [asn1.Type.IA5STRING, (text) => text],
  [asn1.Type.BMPSTRING, (text) => text],
]);

/** RFC 5280 §7.1: string types do not count, nor case, nor how many spaces. */
function foldValue(value: Asn1, what: string): string {
  const text = contents(value, what);
  const decode = value.tagClass === asn1.Class.UNIVERSAL ? textDecoders.get(value.type) : undefined;
  if (!decode) return `#${value.tagClass}.${value.type}.${Buffer.from(text, 'latin1').toString('hex')}`;
  return foldText(decode(text));
}

function foldText(text: string): string {
  const words = text.normalize('NFKC').toLowerCase().split(' ');
  return `=${words.filter((word) => word !== '').join(' ')}`;
}

/** One attribute as nameKey() has it. */
export function attributeKey(oid: string, value: string): string {
  return `${oid} ${foldText(value)}`;
}

/** A text that is the same for names that RFC 5280 §7.1 calls equal, and differs for others. @param der a Name @throws CertificateError */
export function nameKey(der: Uint8Array): string {
  const what = 'a distinguished name';
  const rdns = elements(readDer(der, what), what).map((rdn) =>
    elements(rdn, what)
      .map((attribute) => {
        const [type, value] = elements(attribute, what);
        if (!value) throw malformed(what);
        return `${oidOf(type, what)} ${foldValue(value, what)}`;
      })
      .sort(),
  );
  return JSON.stringify(rdns);
}

export interface Extension {
  oid: string;
  critical: boolean;
  /** DER of the extension's value. */
  value: Uint8Array;
}

/** @param node SEQUENCE OF Extension @throws CertificateError */
export function readExtensions(node: Asn1, what: string): Extension[] {
  return elements(node, what).map((item) => {
    const fields = elements(item, what);
    const critical = fields.length === 3 && contents(fields[1], what) !== '\0';
    return { oid: oidOf(fields[0], what), critical, value: fromBinary(contents(fields[fields.length - 1], what)) };
  });
}

export interface CertificateFields {
  /** DER Names. */
  subject: Uint8Array;
  issuer: Uint8Array;
  extensions: Extension[];
}

/** Fields of TBSCertificate (RFC 5280 §4.1). @throws CertificateError */
export function readCertificateFields(der: Uint8Array): CertificateFields {
  const what = 'a certificate';
  const tbs = elements(elements(readDer(der, what), what)[0], what);
  const first = isContext(tbs[0], 0) ? 1 : 0;
  // version?, serial, signature, issuer, validity, subject, SubjectPublicKeyInfo, unique identifiers?, extensions?
  const [, , issuer, , subject] = tbs.slice(first);
  elements(issuer, what);
  elements(subject, what);
  const tail = tbs.slice(first + 6).find((node) => isContext(node, 3));
  const extensions = tail ? readExtensions(elements(tail, what)[0], what) : [];
  return { subject: writeDer(subject), issuer: writeDer(issuer), extensions };
}
