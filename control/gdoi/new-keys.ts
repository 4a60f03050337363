// Fresh TEKs and KEKs of a key server. Keys are random bytes of the transform's length; SPIs are random, above 255 and unused.

import type { Ms, RandomBytes } from '../actions.js';
import type { GdoiServer, Ipv4 } from '../config/model.js';
import { readU32 } from '../isakmp/bytes.js';
import { cipherBlockLength, cipherKeyLength } from '../isakmp/message-cipher.js';
import { keyBytes } from './esp-transforms.js';
import type { Kek, Tek } from './group-policy.js';
import type { SaPolicy } from './policy.js';

/** A TEK with where it comes from in the configuration. */
export interface ServedTek extends Tek {
  /** `sa ipsec N`. */
  sa: number;
  aclName: string;
}

const MinSpi = 256;

/** @param taken tells whether an SPI is in use by any group here (bad-input 22) */
export function makeTek(policy: SaPolicy, random: RandomBytes, taken: (spi: number) => boolean, now: Ms, activatesAt: Ms): ServedTek {
  let spi = 0;
  while (spi < MinSpi || taken(spi)) spi = readU32(random(4), 0);
  const sizes = keyBytes(policy.encryption, policy.authentication);
  return {
    sa: policy.sequence,
    aclName: policy.aclName,
    spi,
    encryption: policy.encryption,
    authentication: policy.authentication,
    encryptionKey: random(sizes.cipher),
    salt: random(sizes.salt),
    integrityKey: random(sizes.integrity),
    lifetimeSeconds: policy.lifetimeSeconds,
    createdAt: now,
    expiresAt: now + policy.lifetimeSeconds * 1000,
    activatesAt,
    replayWindow: policy.replayWindow,
    replaySeconds: policy.replaySeconds,
    udp: policy.udp,
    receiveOnly: policy.receiveOnly,
    entries: policy.entries,
  };
}

/** Whether members are asked to acknowledge rekeys: Cisco's own way is unpublished, and what is multicast is not acknowledged on IOS either. */
export function wantsAcknowledgement(server: GdoiServer): boolean {
  return server.rekeyAcknowledgement !== 'cisco' && server.rekeyTransport === 'unicast';
}

/**
 * @param publicKey DER SubjectPublicKeyInfo of the key that will sign the pushes
 * @param destination multicast address of the pushes, 0 = each member's own
 */
export function makeKek(
  server: GdoiServer,
  publicKey: Uint8Array,
  { source, destination }: { source: Ipv4; destination: Ipv4 },
  random: RandomBytes,
  now: Ms,
): Kek {
  return {
    spi: random(16),
    cipher: server.rekeyEncryption,
    iv: random(cipherBlockLength(server.rekeyEncryption)),
    key: random(cipherKeyLength(server.rekeyEncryption)),
    signatureHash: server.rekeySignatureHash,
    publicKey,
    lifetimeSeconds: server.rekeyLifetimeSeconds,
    createdAt: now,
    expiresAt: now + server.rekeyLifetimeSeconds * 1000,
    sequence: 0,
    source,
    destination,
    // Without acknowledgements every repetition is sent.
    acknowledge: wantsAcknowledgement(server),
    acknowledgeHash: 'sha256',
  };
}
