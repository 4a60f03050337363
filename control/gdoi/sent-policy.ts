// Keys and policy -> SA and KD payload contents (RFC 6407 §5.2-§5.6). One SAT per ACE, one key packet per SPI. Lifetimes on the wire are
// what remains, rounded up: a receiver that keeps a key a second longer loses nothing, one that drops it a second early loses packets.

import type { Ms } from '../actions.js';
import type { Ipv4 } from '../config/model.js';
import { concatBytes } from '../isakmp/bytes.js';
import type { KeyPacket } from './codec/kd.js';
import type { GdoiSa } from './codec/sa.js';
import { AckType, KekAlgorithm, type Sak, SignatureAlgorithmRsa } from './codec/sak.js';
import { AceActionValue, AddressPreservation, Direction, Encapsulation, type Sat, SecurityProtocol } from './codec/sat.js';
import { ipv4Selector } from './codec/selector.js';
import { authenticationNumber, transformNumbers } from './esp-transforms.js';
import type { Kek, PolicyEntry, SenderIds, Tek } from './group-policy.js';

const GdoiPort = 848;
const Udp = 17;

const kekAlgorithms: Record<Kek['cipher'], { algorithm: KekAlgorithm; keyLength: number | null }> = {
  des: { algorithm: KekAlgorithm.Des, keyLength: null },
  '3des': { algorithm: KekAlgorithm.TripleDes, keyLength: null },
  'aes-128': { algorithm: KekAlgorithm.Aes, keyLength: 128 },
  'aes-192': { algorithm: KekAlgorithm.Aes, keyLength: 192 },
  'aes-256': { algorithm: KekAlgorithm.Aes, keyLength: 256 },
};
const signatureHashes: Record<Kek['signatureHash'], number> = { md5: 1, sha: 2, sha256: 3, sha384: 4, sha512: 5 };

/** Whole seconds until `expiresAt`, at least 1. */
export function remainingSeconds(expiresAt: Ms, now: Ms): number {
  return Math.max(1, Math.ceil((expiresAt - now) / 1000));
}

/** @param modulusBits of the signature key @param member destination of unicast pushes */
function describeKek(kek: Kek, modulusBits: number, source: Ipv4, member: Ipv4, now: Ms): Sak {
  const ackType = kek.acknowledgeHash === 'sha512' ? AckType.KekSha512 : AckType.KekSha256;
  return {
    protocol: Udp,
    source: ipv4Selector(source, 0xffffffff, GdoiPort),
    destination: ipv4Selector(kek.destination || member, 0xffffffff, GdoiPort),
    spi: kek.spi,
    ...kekAlgorithms[kek.cipher],
    lifetimeSeconds: remainingSeconds(kek.expiresAt, now),
    signatureHash: signatureHashes[kek.signatureHash],
    signatureAlgorithm: SignatureAlgorithmRsa,
    signatureKeyLength: modulusBits,
    ackRequested: kek.acknowledge ? ackType : null,
    managementAlgorithm: null,
    ignored: [],
  };
}

/** @param index of the entry in its list: the first one says what is the SA's */
function describeEntry(tek: Tek, entry: PolicyEntry, index: number, now: Ms): Sat {
  const { transform, keyLength } = transformNumbers(tek.encryption);
  return {
    securityProtocol: SecurityProtocol.Esp,
    ipProtocol: entry.protocol ?? 0,
    source: ipv4Selector(entry.source, ~entry.sourceWildcard >>> 0, entry.sourcePort?.ports[0] ?? 0),
    destination: ipv4Selector(entry.destination, ~entry.destinationWildcard >>> 0, entry.destinationPort?.ports[0] ?? 0),
    transform,
    spi: tek.spi,
    encapsulation: tek.udp ? Encapsulation.UdpTunnel : Encapsulation.Tunnel,
    authentication: tek.authentication ? authenticationNumber(tek.authentication) : null,
    keyLength,
    lifetimeSeconds: remainingSeconds(tek.expiresAt, now),
    lifetimeKilobytes: null,
    extendedSequence: null,
    addressPreservation: AddressPreservation.Both,
    direction: tek.receiveOnly ? Direction.ReceiverOnly : Direction.Symmetric,
    aceAction: entry.action === 'deny' ? AceActionValue.Deny : AceActionValue.Permit,
    replayWindow: tek.replayWindow,
    saNumber: index === 0 ? (tek.sa ?? null) : null,
    replayTime: index === 0 ? tek.replaySeconds || null : null,
    ignored: [],
  };
}

export interface Offer {
  teks: readonly Tek[];
  /** null: the KEK is not part of this message. */
  kek: { kek: Kek; modulusBits: number; source: Ipv4; member: Ipv4 } | null;
  /** Whole seconds; null = no GAP payload. */
  activationDelaySeconds: number | null;
  /** Of the group, now; null = no SA of it is replayed by time. */
  pseudotimeMs: number | null;
  /** Whole seconds; absent = the old SAs live until they expire. */
  deactivationDelaySeconds?: number;
}

export function describePolicy(offer: Offer, now: Ms): GdoiSa {
  const { kek, teks, activationDelaySeconds, pseudotimeMs } = offer;
  const hasGap = activationDelaySeconds !== null || pseudotimeMs !== null;
  return {
    sak: kek ? describeKek(kek.kek, kek.modulusBits, kek.source, kek.member, now) : null,
    gap: hasGap
      ? {
          activationDelaySeconds,
          deactivationDelaySeconds: offer.deactivationDelaySeconds ?? null,
          senderIdRequest: null,
          pseudotimeMs,
          ignored: [],
        }
      : null,
    sats: teks.flatMap((tek) => tek.entries.map((entry, index) => describeEntry(tek, entry, index, now))),
  };
}

/** @param senderIds only in a PULL (RFC 6407 §5.6.4) */
export function packKeys(teks: readonly Tek[], kek: Kek | null, senderIds: SenderIds | null): KeyPacket[] {
  const packets: KeyPacket[] = [];
  if (kek) packets.push({ kind: 'kek', spi: kek.spi, algorithmKey: concatBytes(kek.iv, kek.key), signatureKey: kek.publicKey });
  for (const tek of teks) {
    packets.push({
      kind: 'tek',
      spi: tek.spi,
      algorithmKey: tek.encryptionKey.length > 0 ? concatBytes(tek.encryptionKey, tek.salt) : null,
      integrityKey: tek.integrityKey.length > 0 ? tek.integrityKey : null,
    });
  }
  if (senderIds) packets.push({ kind: 'sid', ...senderIds });
  return packets;
}
