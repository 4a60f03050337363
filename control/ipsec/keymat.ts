// Keys of the two SAs that Quick Mode makes, RFC 2409 §5.5. Each direction has its own: the SPI goes into them. The cipher takes the first
// octets, its salt where it is a counter mode (RFC 4106 §8.1), the integrity algorithm the rest.

import { keyBytes } from '../gdoi/esp-transforms.js';
import { concatBytes, u32Bytes } from '../isakmp/bytes.js';
import { prf } from '../isakmp/message-cipher.js';
import type { Phase1Sa } from '../isakmp/phase1-sa.js';
import { type EspProposal, EspProtocol } from './esp-proposal.js';

/** Secret. */
export interface SaKeys {
  /** Without salt. */
  encryptionKey: Uint8Array;
  /** 4 bytes for counter modes, else empty. */
  salt: Uint8Array;
  integrityKey: Uint8Array;
}

/**
 * KEYMAT = K1 | K2 | …, K1 = prf(SKEYID_d, [g(qm)^xy |] protocol | SPI | Ni_b | Nr_b), Kn = prf(SKEYID_d, Kn-1 | the same).
 * @param sharedSecret g(qm)^xy, null without PFS @param spi of the SA, as its receiver chose it @param length bytes wanted
 */
export function keymat(
  sa: Pick<Phase1Sa, 'hash' | 'skeyidD'>,
  sharedSecret: Uint8Array | null,
  spi: number,
  nonces: readonly [initiator: Uint8Array, responder: Uint8Array],
  length: number,
): Uint8Array {
  const seed = concatBytes(sharedSecret ?? new Uint8Array(0), Uint8Array.of(EspProtocol), u32Bytes(spi), ...nonces);
  let last: Uint8Array = new Uint8Array(0);
  let material: Uint8Array = new Uint8Array(0);
  do {
    last = prf(sa.hash, sa.skeyidD, last, seed);
    material = concatBytes(material, last);
  } while (material.length < length);
  return material.slice(0, length);
}

export function deriveKeys(
  sa: Pick<Phase1Sa, 'hash' | 'skeyidD'>,
  { encryption, authentication }: Pick<EspProposal, 'encryption' | 'authentication'>,
  sharedSecret: Uint8Array | null,
  spi: number,
  nonces: readonly [initiator: Uint8Array, responder: Uint8Array],
): SaKeys {
  const { cipher, salt, integrity } = keyBytes(encryption, authentication);
  const material = keymat(sa, sharedSecret, spi, nonces, cipher + salt + integrity);
  return {
    encryptionKey: material.slice(0, cipher),
    salt: material.slice(cipher, cipher + salt),
    integrityKey: material.slice(cipher + salt),
  };
}
