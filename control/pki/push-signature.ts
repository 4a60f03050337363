// RSA signatures of GROUPKEY-PUSH messages (RFC 6407 §5.3.6.1: EMSA-PKCS1-v1_5; gdoi-wire facts §0: the field also signs the raw hash
// without DigestInfo). Signs per RFC. Verifies both encodings and nothing looser: the block that the signature decrypts to is compared
// as a whole with the block it must be, so there is no parsing of DigestInfo and nothing for garbage to hide in (CVE-2018-16151 ff.).

import { constants, createHash, createPublicKey, type KeyObject, privateEncrypt, publicDecrypt, sign, timingSafeEqual } from 'node:crypto';

export type SignatureHash = 'md5' | 'sha' | 'sha256' | 'sha384' | 'sha512';
/** `digest-info` is EMSA-PKCS1-v1_5; `raw` puts the bare hash into the block. */
export type SignatureEncoding = 'digest-info' | 'raw';

const MinModulusBytes = 128;
const MaxModulusBytes = 2048;
/** OpenSSL's own bound for exponents: larger ones are only good for burning time. */
const MaxExponent = 2n ** 64n;

const opensslNames: Record<SignatureHash, string> = { md5: 'md5', sha: 'sha1', sha256: 'sha256', sha384: 'sha384', sha512: 'sha512' };

/** DER of DigestInfo up to the hash itself (RFC 8017 §9.2 note 1). */
const digestInfoPrefixes: Record<SignatureHash, string> = {
  md5: '3020300c06082a864886f70d020505000410',
  sha: '3021300906052b0e03021a05000414',
  sha256: '3031300d060960864801650304020105000420',
  sha384: '3041300d060960864801650304020205000430',
  sha512: '3051300d060960864801650304020305000440',
};

/** Why a public key is not acceptable. */
export class PublicKeyError extends Error {}

export function hashBytes(hash: SignatureHash, parts: readonly Uint8Array[]): Uint8Array {
  const digest = createHash(opensslNames[hash]);
  for (const part of parts) digest.update(part);
  return new Uint8Array(digest.digest());
}

/** Keys that were read, as long as their bytes are held: a member asks with every push, and reading costs more than verifying. */
const readKeys = new WeakMap<Uint8Array, KeyObject>();

/**
 * Reads and checks the key that verifies pushes (bad-input 27: tiny, zero or even modulus, exponent 0, 1 or even).
 * @param spki DER SubjectPublicKeyInfo; never changed afterwards @throws PublicKeyError
 */
export function readPublicKey(spki: Uint8Array): KeyObject {
  const known = readKeys.get(spki);
  if (known) return known;
  const key = readAndCheck(spki);
  readKeys.set(spki, key);
  return key;
}

function readAndCheck(spki: Uint8Array): KeyObject {
  let key: KeyObject;
  let jwk: { n?: string; e?: string };
  try {
    key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
    jwk = key.export({ format: 'jwk' });
  } catch (error) {
    throw new PublicKeyError('not a SubjectPublicKeyInfo', { cause: error });
  }
  if (key.asymmetricKeyType !== 'rsa' || !jwk.n || !jwk.e) throw new PublicKeyError('not an RSA key');
  // Trailing bytes behind the DER would give one key many encodings.
  if (!Buffer.from(spki).equals(key.export({ format: 'der', type: 'spki' }))) throw new PublicKeyError('key is not in its one DER form');
  const modulus = Buffer.from(jwk.n, 'base64url');
  const exponent = BigInt(`0x${Buffer.from(jwk.e, 'base64url').toString('hex') || '0'}`);
  const bits = modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24;
  if (bits < MinModulusBytes * 8) throw new PublicKeyError(`modulus of ${bits} bits: at least ${MinModulusBytes * 8} wanted`);
  if (modulus.length > MaxModulusBytes) throw new PublicKeyError(`modulus of ${bits} bits: at most ${MaxModulusBytes * 8} accepted`);
  if ((modulus[modulus.length - 1] & 1) === 0) throw new PublicKeyError('modulus is even');
  if (exponent < 3n || (exponent & 1n) === 0n || exponent > MaxExponent) throw new PublicKeyError('public exponent is not acceptable');
  return key;
}

/** Bytes of one signature. */
export function signatureLength(key: KeyObject): number {
  return Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
}

/** @param parts what is signed, in order */
export function signPush(key: KeyObject, hash: SignatureHash, parts: readonly Uint8Array[], encoding: SignatureEncoding): Uint8Array {
  if (encoding === 'raw')
    return new Uint8Array(privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, Buffer.from(hashBytes(hash, parts))));
  return new Uint8Array(sign(opensslNames[hash], Buffer.concat(parts), { key, padding: constants.RSA_PKCS1_PADDING }));
}

/** 00 01 FF.. 00 | T (RFC 8017 §9.2), the whole block. @returns null when it does not fit */
export function expectedBlock(length: number, payload: Uint8Array): Buffer | null {
  const padding = length - 3 - payload.length;
  if (padding < 8) return null;
  const block = Buffer.alloc(length, 0xff);
  block[0] = 0;
  block[1] = 1;
  block[2 + padding] = 0;
  block.set(payload, 3 + padding);
  return block;
}

/**
 * @param alternatives byte strings any of which may be what was signed (header with and without encryption padding in its length)
 * @returns whether the signature is, in full, an encoding of the hash of one of them
 */
export function verifyPush(
  key: KeyObject,
  hash: SignatureHash,
  alternatives: readonly (readonly Uint8Array[])[],
  signature: Uint8Array,
): boolean {
  const length = signatureLength(key);
  if (signature.length !== length) return false;
  let block: Buffer;
  try {
    block = publicDecrypt({ key, padding: constants.RSA_NO_PADDING }, Buffer.from(signature));
  } catch {
    return false; // signature as a number not below the modulus: OpenSSL refuses it
  }
  let matched = false;
  for (const parts of alternatives) {
    const digest = hashBytes(hash, parts);
    for (const payload of [Buffer.concat([Buffer.from(digestInfoPrefixes[hash], 'hex'), digest]), digest]) {
      const expected = expectedBlock(length, payload);
      if (expected !== null && block.length === length && timingSafeEqual(block, expected)) matched = true;
    }
  }
  return matched;
}
