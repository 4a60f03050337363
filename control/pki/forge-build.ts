// Building with node-forge: names, subject alternative names, and signing what forge has built with node:crypto, so that private keys are
// used by OpenSSL alone.

import { createPublicKey, type KeyObject, sign } from 'node:crypto';
import forge from 'node-forge';
import type { NameAttribute, NameType } from '../config/distinguished-name.js';
import { fromBinary } from './der.js';

const { asn1, pki } = forge;
const { Type } = asn1;

/** Attribute types of X.520 and RFC 4519, and the string type each is written as. */
const attributeForms: Record<NameType, { oid: string; string: forge.asn1.Type }> = {
  CN: { oid: '2.5.4.3', string: Type.UTF8 },
  C: { oid: '2.5.4.6', string: Type.PRINTABLESTRING },
  DC: { oid: '0.9.2342.19200300.100.1.25', string: Type.IA5STRING },
  E: { oid: '1.2.840.113549.1.9.1', string: Type.IA5STRING },
  L: { oid: '2.5.4.7', string: Type.UTF8 },
  O: { oid: '2.5.4.10', string: Type.UTF8 },
  OU: { oid: '2.5.4.11', string: Type.UTF8 },
  SERIALNUMBER: { oid: '2.5.4.5', string: Type.PRINTABLESTRING },
  ST: { oid: '2.5.4.8', string: Type.UTF8 },
};

export interface AlternativeNames {
  dns: readonly string[];
  /** Dotted. */
  ip: readonly string[];
}

export function forgeName(attributes: readonly NameAttribute[]): forge.pki.CertificateField[] {
  return attributes.map(({ type, value }) => {
    const { oid, string } = attributeForms[type];
    return { type: oid, value, valueTagClass: string as unknown as forge.asn1.Class };
  });
}

/** null when there is none. */
export function alternativeNamesExtension({ dns, ip }: AlternativeNames): object | null {
  const altNames = [...dns.map((value) => ({ type: 2, value })), ...ip.map((address) => ({ type: 7, ip: address }))];
  return altNames.length > 0 ? { name: 'subjectAltName', altNames } : null;
}

export function forgePublicKey(key: KeyObject): forge.pki.rsa.PublicKey {
  const half = key.type === 'public' ? key : createPublicKey(key);
  return pki.publicKeyFromPem(half.export({ type: 'spki', format: 'pem' }) as string) as forge.pki.rsa.PublicKey;
}

/** In place of forge's private key: called once forge has put together what is to be signed. @param body gives it */
export function signerOf(key: KeyObject, body: () => forge.asn1.Asn1 | null): forge.pki.rsa.PrivateKey {
  const signer = {
    sign(): string {
      const node = body();
      if (!node) throw new TypeError('nothing to sign');
      return sign('sha256', fromBinary(asn1.toDer(node).getBytes()), key).toString('latin1');
    },
  };
  return signer as unknown as forge.pki.rsa.PrivateKey;
}
