// Signatures of IKEv1 phase 1, RFC 2409 §5.1: the HASH itself in a PKCS #1 block of type 1, "private key encryption", without DigestInfo.
// Verified as a whole block, as push-signature.ts does: nothing in it is parsed.

import { constants, type KeyObject, privateEncrypt, publicDecrypt, timingSafeEqual } from 'node:crypto';
import { expectedBlock, signatureLength } from './push-signature.js';

/** @param hash HASH_I or HASH_R */
export function signPhase1(key: KeyObject, hash: Uint8Array): Uint8Array {
  return new Uint8Array(privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, Buffer.from(hash)));
}

/** @param key RSA, checked by readPublicKey() */
export function verifyPhase1(key: KeyObject, hash: Uint8Array, signature: Uint8Array): boolean {
  const length = signatureLength(key);
  const expected = expectedBlock(length, hash);
  if (signature.length !== length || expected === null) return false;
  try {
    const block = publicDecrypt({ key, padding: constants.RSA_NO_PADDING }, Buffer.from(signature));
    return block.length === length && timingSafeEqual(block, expected);
  } catch {
    return false; // as a number not below the modulus
  }
}
