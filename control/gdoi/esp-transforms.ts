// ESP transforms by name and by number (RFC 2407 §4.4.4 and §4.5, RFC 3602, RFC 4106, RFC 4543, RFC 4868).

import { authRow, cipherRow } from '../compile/transforms.js';
import { type EspAuthentication, type EspEncryption, isCombinedMode } from '../config/model.js';
import { EspAuthAlgorithm, EspTransform } from './codec/sat.js';

const encryptions: Record<EspEncryption, { transform: EspTransform; keyLength: number | null }> = {
  'esp-null': { transform: EspTransform.Null, keyLength: null },
  'esp-des': { transform: EspTransform.Des, keyLength: null },
  'esp-3des': { transform: EspTransform.TripleDes, keyLength: null },
  'esp-aes-128': { transform: EspTransform.AesCbc, keyLength: 128 },
  'esp-aes-192': { transform: EspTransform.AesCbc, keyLength: 192 },
  'esp-aes-256': { transform: EspTransform.AesCbc, keyLength: 256 },
  'esp-gcm-128': { transform: EspTransform.AesGcm16, keyLength: 128 },
  'esp-gcm-192': { transform: EspTransform.AesGcm16, keyLength: 192 },
  'esp-gcm-256': { transform: EspTransform.AesGcm16, keyLength: 256 },
  'esp-gmac-128': { transform: EspTransform.NullAuthAesGmac, keyLength: 128 },
  'esp-gmac-192': { transform: EspTransform.NullAuthAesGmac, keyLength: 192 },
  'esp-gmac-256': { transform: EspTransform.NullAuthAesGmac, keyLength: 256 },
  'esp-chacha20-poly1305': { transform: EspTransform.PrivateChaCha20Poly1305, keyLength: 256 },
};
const authentications: Record<EspAuthentication, EspAuthAlgorithm> = {
  'esp-md5-hmac': EspAuthAlgorithm.HmacMd5,
  'esp-sha-hmac': EspAuthAlgorithm.HmacSha1,
  'esp-sha256-hmac': EspAuthAlgorithm.HmacSha256,
  'esp-sha384-hmac': EspAuthAlgorithm.HmacSha384,
  'esp-sha512-hmac': EspAuthAlgorithm.HmacSha512,
};

/** RFC 4106 §4, RFC 4543 §3.2, RFC 7634 §2: behind the key of a combined mode. */
export const SaltBytes = 4;

/** Transform ID and key length attribute (null where it is not sent). */
export function transformNumbers(encryption: EspEncryption): { transform: number; keyLength: number | null } {
  return encryptions[encryption];
}

export function authenticationNumber(authentication: EspAuthentication): number {
  return authentications[authentication];
}

/** @param keyLength bits, null when the attribute is absent @returns null when there is no such transform here */
export function encryptionOf(transform: number, keyLength: number | null): EspEncryption | null {
  for (const [name, form] of Object.entries(encryptions)) {
    // DES, 3DES and NULL have no choice of key: a length attribute that says otherwise is refused (RFC 2451 §2).
    const only = form.transform === EspTransform.Des ? 64 : 192;
    const fits = form.keyLength === null ? keyLength === null || keyLength === 0 || keyLength === only : keyLength === form.keyLength;
    if (form.transform === transform && fits) return name as EspEncryption;
  }
  return null;
}

export function authenticationOf(number: number): EspAuthentication | null {
  for (const [name, value] of Object.entries(authentications)) if (value === number) return name as EspAuthentication;
  return null;
}

/** Bytes of key material, the salt counted apart. */
export function keyBytes(
  encryption: EspEncryption,
  authentication: EspAuthentication | null,
): { cipher: number; salt: number; integrity: number } {
  return {
    cipher: cipherRow(encryption).keyBytes,
    salt: isCombinedMode(encryption) ? SaltBytes : 0,
    integrity: authRow(authentication).keyBytes,
  };
}
