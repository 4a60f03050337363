// TEK and KEK as shown: everything but the keys.

import type { Ms } from '../actions.js';
import { transformText } from '../compile/transforms.js';
import { toHex } from '../isakmp/bytes.js';
import { readPublicKey, signatureLength } from '../pki/push-signature.js';
import type { Kek, Tek } from './group-policy.js';
import type { KekStatus, TekStatus } from './status.js';

export function tekStatus(tek: Tek): TekStatus {
  return {
    spi: tek.spi,
    transform: transformText(tek.encryption, tek.authentication),
    cipherKeyBytes: tek.encryptionKey.length,
    integrityKeyBytes: tek.integrityKey.length,
    lifetimeSeconds: tek.lifetimeSeconds,
    createdAt: tek.createdAt,
    expiresAt: tek.expiresAt,
    activatesAt: tek.activatesAt,
    replayWindow: tek.replayWindow,
    replaySeconds: tek.replaySeconds ?? 0,
    udp: tek.udp === true,
  };
}

export function kekStatus(kek: Kek): KekStatus {
  return {
    spi: toHex(kek.spi).toUpperCase(),
    cipher: kek.cipher,
    signatureHash: kek.signatureHash,
    publicKeyBytes: kek.publicKey.length,
    signatureBytes: signatureLength(readPublicKey(kek.publicKey)),
    lifetimeSeconds: kek.lifetimeSeconds,
    createdAt: kek.createdAt,
    expiresAt: kek.expiresAt,
    sequence: kek.sequence,
    acknowledge: kek.acknowledge,
    source: kek.source,
    destination: kek.destination,
  };
}

/** For `debug`: SPIs and lifetimes in one line. */
export function describeKeys(kek: KekStatus | null, teks: readonly TekStatus[], now: Ms): string {
  const left = (expiresAt: Ms) => `${Math.round((expiresAt - now) / 1000)} s left`;
  const parts = teks.map((tek) => `TEK 0x${tek.spi.toString(16).toUpperCase()} ${tek.transform} ${left(tek.expiresAt)}`);
  return [kek ? `KEK 0x${kek.spi} seq # ${kek.sequence} ${left(kek.expiresAt)}` : 'no KEK', ...parts].join(', ');
}
