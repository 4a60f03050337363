// Distinguished names as text, for people: attribute types by their short names, control characters replaced.

import { CertificateError } from './certificate-error.js';
import { type Asn1, contents, elements, fromBinary, oidOf, readDer } from './der.js';

const what = 'a distinguished name';
/** A peer's name may be as long as a datagram; a line of a log is not. */
const LongestText = 255;
const shortNames: Record<string, string> = {
  '2.5.4.3': 'CN',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '0.9.2342.19200300.100.1.25': 'DC',
};

/** @returns `[type, value]` of each attribute @throws CertificateError */
function attributesOf(name: Asn1): [type: string, value: string][] {
  return elements(name, what)
    .flatMap((rdn) => elements(rdn, what))
    .map((attribute) => {
      const [type, value] = elements(attribute, what);
      const oid = oidOf(type, what);
      const text = new TextDecoder().decode(fromBinary(contents(value, what))).replace(/\p{Cc}/gu, '?');
      return [shortNames[oid] ?? oid, text];
    });
}

/** A Name as node:crypto writes those of certificates, a line per attribute. @throws CertificateError */
export function nameLines(name: Asn1): string {
  return attributesOf(name)
    .map(([type, value]) => `${type}=${value}`)
    .join('\n');
}

/** `CN=r1,O=Example` (RFC 4514 §2). @param der a Name, from a peer @returns null when it is malformed */
export function describeName(der: Uint8Array): string | null {
  try {
    const attributes = attributesOf(readDer(der, what)).map(([type, value]) => `${type}=${value.replace(/[,+"\\<>;]/g, '\\$&')}`);
    return attributes.join(',').slice(0, LongestText);
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    return null;
  }
}
