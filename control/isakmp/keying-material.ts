// Diffie-Hellman and the keys of phase 1, RFC 2409 §5 and App. B. Groups 1, 2 (RFC 2409 §6), 5, 14-16 (RFC 3526),
// 19-21 (RFC 5903). All arithmetic and the private values are node:crypto's: DH objects with injected private values would make OpenSSL
// test the prime again, which takes seconds for group 16.
// Does not: weak DES keys (RFC 2409 App. A: chance 2^-52), public-key encryption modes.

import { createDiffieHellman, createECDH, type DiffieHellman, getDiffieHellman, randomBytes } from 'node:crypto';
import type { DhGroup, IkeCipher, IkeHash } from '../config/model.js';
import { concatBytes } from './bytes.js';
import { cipherBlockLength, cipherKeyLength, hashOf, prf } from './message-cipher.js';
import { WireError } from './wire-error.js';

const modpNames: Partial<Record<DhGroup, string>> = { 1: 'modp1', 2: 'modp2', 5: 'modp5', 14: 'modp14', 15: 'modp15', 16: 'modp16' };
const curves: Partial<Record<DhGroup, { name: string; coordinateLength: number }>> = {
  19: { name: 'prime256v1', coordinateLength: 32 },
  20: { name: 'secp384r1', coordinateLength: 48 },
  21: { name: 'secp521r1', coordinateLength: 66 },
};

export interface DhExchange {
  group: DhGroup;
  /** As the KE payload carries it: fixed length per group. */
  publicValue: Uint8Array;
  /** g^xy of fixed length per group. @throws WireError when checkPublicValue would, or the point is not on the curve */
  sharedSecret(peerValue: Uint8Array): Uint8Array;
}

function refuse(clause: string, message: string): WireError {
  return new WireError(clause, message, 'ike_bad_public_value');
}

function padLeft(bytes: Uint8Array, length: number): Uint8Array {
  return bytes.length === length ? new Uint8Array(bytes) : concatBytes(new Uint8Array(length - bytes.length), bytes);
}

const primes = new Map<DhGroup, Uint8Array>();

/** The group's prime, as OpenSSL has it; the tests compare it with the RFC's text. MODP groups only. */
export function primeOf(group: DhGroup): Uint8Array {
  const known = primes.get(group);
  if (known) return known;
  const prime = new Uint8Array(getDiffieHellman(modpNames[group] as string).getPrime());
  primes.set(group, prime);
  return prime;
}

/**
 * Refuses values that leak or fix the secret: 0, 1, p-1, p and above, and wrong lengths (RFC 2631 §2.1.5; CVE-2023-41913).
 * For curves only the length: the library checks the point (RFC 5903 §7).
 * @throws WireError with counter `ike_bad_public_value`
 */
export function checkPublicValue(group: DhGroup, value: Uint8Array): void {
  const curve = curves[group];
  if (curve) {
    const length = 2 * curve.coordinateLength;
    if (value.length !== length) throw refuse('RFC 5903 §7', `public value of ${value.length} bytes in group ${group}, not ${length}`);
    return;
  }
  const prime = primeOf(group);
  if (value.length !== prime.length) {
    throw refuse('RFC 2409 §5', `public value of ${value.length} bytes in group ${group}, not ${prime.length}`);
  }
  const last = value.length - 1;
  if (value[last] <= 1 && value.subarray(0, last).every((byte) => byte === 0)) throw refuse('RFC 2631 §2.1.5', 'public value is 0 or 1');
  // p is odd: p-1 differs from p in the last bit only.
  const topless = prime.slice();
  topless[last] ^= 1;
  if (Buffer.compare(value, topless) >= 0) throw refuse('RFC 2631 §2.1.5', 'public value is p-1 or more');
}

/** Private values of groups 1 and 2: twice the strength that the groups could have at best. */
const SmallGroupPrivateLength = 32;
const sharedGroups = new Map<DhGroup, DiffieHellman>();

/**
 * Groups 1 and 2: OpenSSL 3 does not know their primes by name and tests them whenever an object is made, which takes 25 to 45 ms. So one
 * object serves all exchanges, and takes the private value of each while it computes.
 */
function startSmallModp(group: DhGroup): DhExchange {
  const shared = sharedGroups.get(group) ?? createDiffieHellman(primeOf(group), 2);
  sharedGroups.set(group, shared);
  const length = primeOf(group).length;
  const privateValue = randomBytes(SmallGroupPrivateLength);
  shared.setPrivateKey(privateValue);
  const publicValue = padLeft(shared.generateKeys(), length);
  return {
    group,
    publicValue,
    sharedSecret(peerValue) {
      checkPublicValue(group, peerValue);
      shared.setPrivateKey(privateValue);
      return padLeft(shared.computeSecret(peerValue), length);
    },
  };
}

function startModp(group: DhGroup, name: string): DhExchange {
  const dh = getDiffieHellman(name);
  const length = primeOf(group).length;
  const publicValue = padLeft(dh.generateKeys(), length);
  return {
    group,
    publicValue,
    sharedSecret(peerValue) {
      checkPublicValue(group, peerValue);
      return padLeft(dh.computeSecret(peerValue), length);
    },
  };
}

/** @param privateValue given by test vectors only; random otherwise */
export function startCurve(group: DhGroup, privateValue?: Uint8Array): DhExchange {
  const ecdh = createECDH((curves[group] as { name: string }).name);
  if (privateValue) ecdh.setPrivateKey(privateValue);
  else ecdh.generateKeys();
  // RFC 5903 §7: x | y without the point-format octet; the secret is x alone.
  const publicValue = new Uint8Array(ecdh.getPublicKey().subarray(1));
  return {
    group,
    publicValue,
    sharedSecret(peerValue) {
      checkPublicValue(group, peerValue);
      try {
        return new Uint8Array(ecdh.computeSecret(concatBytes(new Uint8Array([4]), peerValue)));
      } catch {
        throw refuse('RFC 5903 §7', `public value is not a point of group ${group}`);
      }
    },
  };
}

/** A fresh private value in `group`. */
export function startDh(group: DhGroup): DhExchange {
  if (curves[group]) return startCurve(group);
  return group <= 2 ? startSmallModp(group) : startModp(group, modpNames[group] as string);
}

export interface Phase1Inputs {
  cipher: IkeCipher;
  hash: IkeHash;
  /** The pre-shared key, as configured; null: signatures. */
  preSharedKey: Uint8Array | null;
  /** Nonce bodies. */
  nonceInitiator: Uint8Array;
  nonceResponder: Uint8Array;
  initiatorCookie: Uint8Array;
  responderCookie: Uint8Array;
  /** KE bodies. */
  publicInitiator: Uint8Array;
  publicResponder: Uint8Array;
  /** g^xy. */
  sharedSecret: Uint8Array;
}

export interface Phase1Keys {
  skeyid: Uint8Array;
  skeyidD: Uint8Array;
  skeyidA: Uint8Array;
  skeyidE: Uint8Array;
  /** Of the cipher. */
  key: Uint8Array;
  /** Of the first encrypted message. */
  iv: Uint8Array;
}

/** Ka of RFC 2409 App. B: SKEYID_e itself when it is long enough, else K1 | K2 | ... with K1 = prf(SKEYID_e, 0). */
export function expandKey(hash: IkeHash, skeyidE: Uint8Array, length: number): Uint8Array {
  if (skeyidE.length >= length) return skeyidE.slice(0, length);
  let last: Uint8Array = prf(hash, skeyidE, new Uint8Array(1));
  let key = last;
  while (key.length < length) {
    last = prf(hash, skeyidE, last);
    key = concatBytes(key, last);
  }
  return key.slice(0, length);
}

/** RFC 2409 §5 and §5.4 (SKEYID of pre-shared keys), §5.1 (of signatures), App. B (key and IV). */
export function derivePhase1Keys(inputs: Phase1Inputs): Phase1Keys {
  const { hash, cipher, preSharedKey, nonceInitiator, nonceResponder, sharedSecret, initiatorCookie, responderCookie } = inputs;
  const skeyid =
    preSharedKey === null
      ? prf(hash, concatBytes(nonceInitiator, nonceResponder), sharedSecret)
      : prf(hash, preSharedKey, nonceInitiator, nonceResponder);
  const tail = (number: number): Uint8Array[] => [sharedSecret, initiatorCookie, responderCookie, new Uint8Array([number])];
  const skeyidD = prf(hash, skeyid, ...tail(0));
  const skeyidA = prf(hash, skeyid, skeyidD, ...tail(1));
  const skeyidE = prf(hash, skeyid, skeyidA, ...tail(2));
  const key = expandKey(hash, skeyidE, cipherKeyLength(cipher));
  const iv = hashOf(hash, inputs.publicInitiator, inputs.publicResponder).slice(0, cipherBlockLength(cipher));
  return { skeyid, skeyidD, skeyidA, skeyidE, key, iv };
}

/**
 * HASH_I or HASH_R (RFC 2409 §5): prf(SKEYID, g^xi | g^xr | CKY-I | CKY-R | SAi_b | IDii_b), for the responder with its values first.
 * @param sa body of the initiator's SA payload, exactly as sent @param id body of the sender's ID payload
 */
export function phase1Hash(
  inputs: Omit<Phase1Inputs, 'preSharedKey' | 'sharedSecret' | 'nonceInitiator' | 'nonceResponder' | 'cipher'>,
  skeyid: Uint8Array,
  initiator: boolean,
  sa: Uint8Array,
  id: Uint8Array,
): Uint8Array {
  const { publicInitiator, publicResponder, initiatorCookie, responderCookie } = inputs;
  return initiator
    ? prf(inputs.hash, skeyid, publicInitiator, publicResponder, initiatorCookie, responderCookie, sa, id)
    : prf(inputs.hash, skeyid, publicResponder, publicInitiator, responderCookie, initiatorCookie, sa, id);
}
