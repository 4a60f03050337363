// SA and KD payloads of a key server -> keys and policy, all or nothing. The key server is authenticated but not trusted with our memory
// or our state (bad-input 19, 21, 22; CVE-2023-20109): whatever is not exactly what we can do refuses the whole policy.

import type { Ms } from '../actions.js';
import { protocolsWithPorts } from '../config/commands/service-names.js';
import { type EspAuthentication, type EspEncryption, isCombinedMode, type PortMatch } from '../config/model.js';
import { equalBytes } from '../isakmp/bytes.js';
import { cipherBlockLength, cipherKeyLength } from '../isakmp/message-cipher.js';
import { WireError } from '../isakmp/wire-error.js';
import { PublicKeyError, readPublicKey } from '../pki/push-signature.js';
import type { KeyPacket, TekPacket } from './codec/kd.js';
import type { GdoiSa } from './codec/sa.js';
import { AckType, KekAlgorithm, type Sak, SignatureAlgorithmRsa } from './codec/sak.js';
import { AceActionValue, AddressPreservation, Direction, Encapsulation, type Sat, SecurityProtocol } from './codec/sat.js';
import { readIpv4Selector, readIpv4Selectors } from './codec/selector.js';
import { authenticationOf, encryptionOf, keyBytes } from './esp-transforms.js';
import type { Kek, PolicyEntry, SenderIds, Tek } from './group-policy.js';
import { MaxLifetimeSeconds, MaxReplayWindow } from './policy.js';

/** RFC 4303 §2.1. */
const MinSpi = 256;
/** 16 SAs with the TEKs that replace each other: bounds the dataplane's SA table against a hostile key server. */
const MaxTeks = 32;
/** ACEs of a policy once ranges are prefixes: bounds its ACE table. */
const MaxEntries = 1500;
/** IOS: `replay time window-size 1-100`. */
const MaxReplaySeconds = 100;
const DefaultReplayWindow = 64;
/** RFC 2407 §4.5.4. */
const DefaultTekSeconds = 28800;
const DefaultKekSeconds = 86400;
const senderIdBits = new Set<number>([8, 12, 16, 24, 32]);
const signatureHashes: Record<number, Kek['signatureHash'] | undefined> = { 1: 'md5', 2: 'sha', 3: 'sha256', 4: 'sha384', 5: 'sha512' };

export interface TekPolicy {
  spi: number;
  encryption: EspEncryption;
  authentication: EspAuthentication | null;
  lifetimeSeconds: number;
  replayWindow: number;
  /** Seconds of time-based anti-replay, 0 = by sequence numbers. */
  replaySeconds: number;
  udp: boolean;
  receiveOnly: boolean;
  /** null = it does not say. */
  sa: number | null;
  entries: PolicyEntry[];
}
export type KekPolicy = Pick<
  Kek,
  'spi' | 'cipher' | 'signatureHash' | 'lifetimeSeconds' | 'source' | 'destination' | 'acknowledge' | 'acknowledgeHash'
>;

/** What an SA payload alone says: a member judges it before it asks for the keys (RFC 6407 §3.3). */
export interface OfferedPolicy {
  kek: KekPolicy | null;
  teks: TekPolicy[];
  activationDelaySeconds: number | null;
  /** Of the group when it was sent, ms; null = the key server has none. */
  pseudotimeMs: number | null;
  /** null = what is replaced lives until it expires. */
  deactivationDelaySeconds: number | null;
  /** Private attribute types that were ignored. */
  ignored: number[];
}

export interface ReceivedPolicy {
  kek: Kek | null;
  /** `activatesAt` is `receivedAt`: the member decides (member-keys.ts). */
  teks: Tek[];
  senderIds: SenderIds | null;
  activationDelaySeconds: number | null;
  pseudotimeMs: number | null;
  /** null = what is replaced lives until it expires. */
  deactivationDelaySeconds: number | null;
}

function reject(clause: string, message: string): WireError {
  return new WireError(clause, message, 'gdoi_policy_rejected');
}

/** A lifetime of 0 is refused, one beyond 30 days is cut: 2^32-1 must not keep a key for a century. */
function boundLifetime(seconds: number | null, fallback: number): number {
  if (seconds === 0) throw reject('RFC 6407 §5.3.4', 'lifetime of 0 seconds');
  return Math.min(seconds ?? fallback, MaxLifetimeSeconds);
}

function readPort(port: number, ipProtocol: number): PortMatch | null {
  if (port === 0) return null;
  if (!protocolsWithPorts.has(ipProtocol)) throw reject('RFC 6407 §5.5.1', `port ${port} with IP protocol ${ipProtocol}`);
  return { operator: 'eq', ports: [port] };
}

/** More than one where an address is a range. */
function readEntries(sat: Sat): PolicyEntry[] {
  if (sat.aceAction !== null && sat.aceAction !== AceActionValue.Permit && sat.aceAction !== AceActionValue.Deny)
    throw reject('RFC 6407 §5.5.1', `ACE action ${sat.aceAction}`);
  const destinations = readIpv4Selectors(sat.destination, 'RFC 6407 §5.5.1');
  return readIpv4Selectors(sat.source, 'RFC 6407 §5.5.1').flatMap((source) =>
    destinations.map((destination) => ({
      action: sat.aceAction === AceActionValue.Deny ? 'deny' : 'permit',
      protocol: sat.ipProtocol === 0 ? null : sat.ipProtocol,
      source: source.address,
      sourceWildcard: ~source.mask >>> 0,
      destination: destination.address,
      destinationWildcard: ~destination.mask >>> 0,
      sourcePort: readPort(sat.source.port, sat.ipProtocol),
      destinationPort: readPort(sat.destination.port, sat.ipProtocol),
    })),
  );
}

function readTekPolicy(sat: Sat): TekPolicy {
  if (sat.securityProtocol !== SecurityProtocol.Esp) throw reject('RFC 6407 §5.5', 'AH is not supported');
  if (sat.spi < MinSpi) throw reject('RFC 4303 §2.1', `SPI ${sat.spi} is reserved`);
  const udp = sat.encapsulation === Encapsulation.UdpTunnel;
  if (sat.encapsulation !== null && sat.encapsulation !== Encapsulation.Tunnel && !udp)
    throw reject('RFC 2407 §4.5', `encapsulation mode ${sat.encapsulation} is not tunnel, in UDP or without`);
  if (sat.addressPreservation !== null && sat.addressPreservation !== AddressPreservation.Both)
    throw reject('RFC 6407 §5.5.1.1.1', `address preservation ${sat.addressPreservation} is not supported`);
  if (sat.direction !== null && sat.direction !== Direction.Symmetric && sat.direction !== Direction.ReceiverOnly)
    throw reject('RFC 6407 §5.5.1.1.2', `SA direction ${sat.direction} is not supported`);
  if (sat.extendedSequence !== null) throw reject('RFC 4304 §2', 'extended sequence numbers are not supported');
  if (sat.lifetimeKilobytes !== null) throw reject('RFC 2407 §4.5.4', 'a lifetime in kilobytes cannot be kept by a group');
  const encryption = encryptionOf(sat.transform, sat.keyLength);
  if (!encryption)
    throw reject('RFC 6407 §5.5.1', `transform ${sat.transform} with a key of ${sat.keyLength ?? 'no'} bits is not supported`);
  if (encryption === 'esp-des') throw reject('RFC 8221 §5', 'single DES is not accepted');
  const authentication = sat.authentication ? authenticationOf(sat.authentication) : null;
  if (sat.authentication && !authentication)
    throw reject('RFC 6407 §5.5.1', `authentication algorithm ${sat.authentication} is not supported`);
  // Encryption without integrity, and combined modes with a second one, are both refused (RFC 8221 §4 and §5).
  if (isCombinedMode(encryption) !== (authentication === null))
    throw reject('RFC 8221 §4', `${encryption} ${authentication ? `with ${authentication}` : 'without authentication'}`);
  const replayWindow = sat.replayWindow ?? DefaultReplayWindow;
  if (replayWindow > MaxReplayWindow) throw reject('RFC 4303 §3.4.3', `replay window of ${replayWindow} packets`);
  if (sat.replayTime !== null && sat.replayTime > MaxReplaySeconds)
    throw reject('RFC 6407 §5.5.1', `time-based replay window of ${sat.replayTime} seconds: at most ${MaxReplaySeconds}`);
  return {
    spi: sat.spi,
    encryption,
    authentication,
    lifetimeSeconds: boundLifetime(sat.lifetimeSeconds, DefaultTekSeconds),
    replayWindow,
    replaySeconds: sat.replayTime ?? 0,
    udp,
    receiveOnly: sat.direction === Direction.ReceiverOnly,
    sa: sat.saNumber,
    entries: readEntries(sat),
  };
}

const everySat = ['encryption', 'authentication', 'lifetimeSeconds', 'replayWindow', 'udp', 'receiveOnly'] as const;

/** @param b of a later SAT, which need not repeat what codec/sat.ts says of the first */
function sameSa(a: TekPolicy, b: TekPolicy): boolean {
  const isTimedAlike = b.replaySeconds === 0 || a.replaySeconds === b.replaySeconds;
  return everySat.every((field) => a[field] === b[field]) && isTimedAlike && (b.sa === null || a.sa === b.sa);
}

function readKekPolicy(sak: Sak): KekPolicy {
  const bits = sak.keyLength;
  const fixed = { [KekAlgorithm.Des]: 'des', [KekAlgorithm.TripleDes]: '3des' } as const;
  const aes = { 128: 'aes-128', 192: 'aes-192', 256: 'aes-256' } as const;
  const cipher: Kek['cipher'] | undefined =
    sak.algorithm === KekAlgorithm.Aes ? aes[(bits ?? 128) as 128] : fixed[sak.algorithm as KekAlgorithm.Des];
  if (!cipher) throw reject('RFC 6407 §5.3.2', `KEK algorithm ${sak.algorithm} with a key of ${bits ?? 'no'} bits is not supported`);
  if (sak.signatureAlgorithm !== SignatureAlgorithmRsa)
    throw reject('RFC 6407 §5.3.6', `signature algorithm ${sak.signatureAlgorithm} is not supported`);
  const signatureHash = signatureHashes[sak.signatureHash ?? 0];
  if (!signatureHash) throw reject('RFC 6407 §5.3.5', `signature hash ${sak.signatureHash ?? 'none'} is not supported`);
  return {
    spi: sak.spi,
    cipher,
    signatureHash,
    lifetimeSeconds: boundLifetime(sak.lifetimeSeconds, DefaultKekSeconds),
    source: readIpv4Selector(sak.source, 'RFC 6407 §5.3').address,
    destination: readIpv4Selector(sak.destination, 'RFC 6407 §5.3').address,
    // RFC 8263 §4: a member that cannot answer in the requested way goes on without.
    acknowledge: sak.ackRequested === AckType.KekSha256 || sak.ackRequested === AckType.KekSha512,
    acknowledgeHash: sak.ackRequested === AckType.KekSha512 ? 'sha512' : 'sha256',
  };
}

/** @throws WireError when anything in it is not supported */
export function judgeOffer(sa: GdoiSa): OfferedPolicy {
  const teks = new Map<number, TekPolicy>();
  let entries = 0;
  const ignored = new Set<number>([...(sa.sak?.ignored ?? []), ...(sa.gap?.ignored ?? [])]);
  for (const sat of sa.sats) {
    const tek = readTekPolicy(sat);
    for (const type of sat.ignored) ignored.add(type);
    const known = teks.get(tek.spi);
    if (!known) teks.set(tek.spi, tek);
    else if (sameSa(known, tek)) known.entries.push(...tek.entries);
    else throw reject('RFC 6407 §5.5', `SPI ${tek.spi} with two different policies`);
    entries += tek.entries.length;
    if (entries > MaxEntries) throw reject('RFC 6407 §5.5.1', `more than ${MaxEntries} ACEs, each range counted as its prefixes`);
  }
  const pseudotimeMs = sa.gap?.pseudotimeMs ?? null;
  if (pseudotimeMs === null && [...teks.values()].some(({ replaySeconds }) => replaySeconds > 0))
    throw reject('RFC 6407 §5.5.1', 'time-based anti-replay without the pseudotime of the group');
  if (teks.size > MaxTeks) throw reject('RFC 6407 §5.5', `${teks.size} TEKs: at most ${MaxTeks} accepted`);
  return {
    kek: sa.sak ? readKekPolicy(sa.sak) : null,
    teks: [...teks.values()],
    activationDelaySeconds: sa.gap?.activationDelaySeconds ?? null,
    pseudotimeMs,
    deactivationDelaySeconds: sa.gap?.deactivationDelaySeconds ?? null,
    ignored: [...ignored],
  };
}

function takeTek(policy: TekPolicy, packet: TekPacket | undefined, now: Ms): Tek {
  if (!packet) throw reject('RFC 6407 §5.6.1', `no key for SPI ${policy.spi}`);
  const sizes = keyBytes(policy.encryption, policy.authentication);
  const algorithmKey = packet.algorithmKey ?? new Uint8Array(0);
  const integrityKey = packet.integrityKey ?? new Uint8Array(0);
  if (algorithmKey.length !== sizes.cipher + sizes.salt)
    throw reject('RFC 6407 §5.6.1.1', `encryption key of ${algorithmKey.length} bytes for ${policy.encryption}`);
  if (integrityKey.length !== sizes.integrity)
    throw reject('RFC 6407 §5.6.1.2', `integrity key of ${integrityKey.length} bytes for ${policy.authentication ?? policy.encryption}`);
  const { sa, ...rest } = policy;
  return {
    ...rest,
    ...(sa === null ? {} : { sa }),
    encryptionKey: algorithmKey.slice(0, sizes.cipher),
    salt: algorithmKey.slice(sizes.cipher),
    integrityKey,
    createdAt: now,
    expiresAt: now + policy.lifetimeSeconds * 1000,
    activatesAt: now,
  };
}

function takeKek(policy: KekPolicy, packets: readonly KeyPacket[], current: Kek | null, sequence: number, now: Ms): Kek {
  const found = packets.filter((packet) => packet.kind === 'kek');
  if (found.length !== 1 || !equalBytes(found[0].spi, policy.spi)) throw reject('RFC 6407 §5.6.2', 'no key for the KEK');
  const { algorithmKey, signatureKey } = found[0];
  const keyLength = cipherKeyLength(policy.cipher);
  const blockLength = cipherBlockLength(policy.cipher);
  // IV || key; the reference implementation sends an IV as long as the key (gdoi-wire §0): its first block is the IV.
  if (algorithmKey.length !== blockLength + keyLength && algorithmKey.length !== 2 * keyLength)
    throw reject('RFC 6407 §5.6.2.1', `KEK of ${algorithmKey.length} bytes for ${policy.cipher}`);
  const publicKey = signatureKey ?? current?.publicKey;
  if (!publicKey) throw reject('RFC 6407 §5.6.2.2', 'KEK without a signature key');
  try {
    readPublicKey(publicKey);
  } catch (error) {
    if (!(error instanceof PublicKeyError)) throw error;
    throw reject('RFC 6407 §5.6.2.2', `signature key: ${error.message}`);
  }
  return {
    ...policy,
    iv: algorithmKey.slice(0, blockLength),
    key: algorithmKey.slice(algorithmKey.length - keyLength),
    publicKey,
    createdAt: now,
    expiresAt: now + policy.lifetimeSeconds * 1000,
    sequence,
  };
}

/**
 * @param current KEK in use, for a push that renews the KEK without repeating the signature key
 * @param sequence last used under the offered KEK: of the SEQ payload in a PULL, 0 for a new KEK in a push
 * @throws WireError when keys and policy do not match exactly
 */
export function takeKeys(
  offer: OfferedPolicy,
  packets: readonly KeyPacket[],
  origin: 'pull' | 'push',
  current: Kek | null,
  sequence: number,
  now: Ms,
): ReceivedPolicy {
  const tekPackets = new Map<number, TekPacket>();
  let senderIds: SenderIds | null = null;
  for (const packet of packets) {
    if (packet.kind === 'kek' && !offer.kek) throw reject('RFC 6407 §5.6', 'KEK key packet without an SA KEK payload');
    if (packet.kind === 'tek') {
      if (tekPackets.has(packet.spi)) throw reject('RFC 6407 §5.6.1', `two keys for SPI ${packet.spi}`);
      tekPackets.set(packet.spi, packet);
    } else if (packet.kind === 'sid') {
      if (origin === 'push') throw reject('RFC 6407 §5.6.4', 'sender IDs in a push');
      if (senderIds || !senderIdBits.has(packet.bits)) throw reject('RFC 6407 §5.6.4', `sender IDs of ${packet.bits} bits`);
      senderIds = { bits: packet.bits as SenderIds['bits'], values: packet.values };
    }
  }
  const teks = offer.teks.map((policy) => takeTek(policy, tekPackets.get(policy.spi), now));
  if (tekPackets.size !== teks.length) throw reject('RFC 6407 §5.6.1', 'key for an SPI that the SA payload does not name');
  if (origin === 'pull' && teks.some((tek) => isCombinedMode(tek.encryption)) && !senderIds)
    throw reject('RFC 6407 §5.6.4', 'counter mode without sender IDs');
  const kek = offer.kek ? takeKek(offer.kek, packets, current, sequence, now) : null;
  const { activationDelaySeconds, deactivationDelaySeconds, pseudotimeMs } = offer;
  return { kek, teks, senderIds, activationDelaySeconds, deactivationDelaySeconds, pseudotimeMs };
}
