// The keys of one group at its key server: KEK, TEKs, sender IDs; when they are due and what follows them. Does not: messages, members.

import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Ms, RandomBytes } from '../actions.js';
import type { GdoiServer, Ipv4 } from '../config/model.js';
import { equalBytes } from '../isakmp/bytes.js';
import { signatureLength } from '../pki/push-signature.js';
import type { GdoiSa } from './codec/sa.js';
import type { Kek, SenderIds } from './group-policy.js';
import { makeKek, makeTek, type ServedTek, wantsAcknowledgement } from './new-keys.js';
import type { SaPolicy } from './policy.js';
import { rekeyLeadSeconds } from './rekey-timing.js';
import { SenderIdAllocator } from './sender-ids.js';
import { describePolicy, type Offer } from './sent-policy.js';

export interface ServerEnvironment {
  random: RandomBytes;
  signingKey(label: string): KeyObject | null;
  /** Whether an SPI is in use by any group of this router. */
  spiTaken(spi: number): boolean;
  senderIdBits: SenderIds['bits'];
}

/** Saved with the group. */
export interface SavedServerKeys {
  kek: Kek | null;
  previousKek: Kek | null;
  teks: ServedTek[];
  senderIdBits: SenderIds['bits'];
  senderIdsUsed: number;
  /** When the group's pseudotime was 0; absent in what older versions saved. */
  epoch?: Ms | null;
}

/** The RSA key that signs this group's pushes. */
export interface Signer {
  key: KeyObject;
  /** DER SubjectPublicKeyInfo. */
  publicKey: Uint8Array;
  modulusBits: number;
}

export class ServerKeys {
  kek: Kek | null;
  /** Members acknowledge the push that brought `kek` under this one. */
  previousKek: Kek | null;
  /** In order of creation. */
  teks: ServedTek[];
  senderIds: SenderIdAllocator;
  private epoch: Ms | null;
  /** Multicast address that the next KEK's pushes go to, 0 = unicast. */
  rekeyDestination: Ipv4 = 0;
  /** Of the last call: every registration asks, and deriving a public key costs more than the rest of a PULL. */
  private knownSigner: Signer | null = null;

  constructor(
    private readonly environment: ServerEnvironment,
    public config: GdoiServer,
    saved: SavedServerKeys | null,
  ) {
    this.kek = saved?.kek ?? null;
    this.previousKek = saved?.previousKek ?? null;
    this.teks = saved?.teks ?? [];
    this.epoch = saved?.epoch ?? null;
    this.senderIds = new SenderIdAllocator(
      saved?.senderIdBits ?? config.senderIdBits ?? environment.senderIdBits,
      saved?.senderIdsUsed ?? 0,
    );
  }

  save(): SavedServerKeys {
    const { kek, previousKek, teks, senderIds, epoch } = this;
    return { kek, previousKek, teks, epoch, senderIdBits: senderIds.bits, senderIdsUsed: senderIds.used };
  }

  get retransmit(): { retransmitSeconds: number; retransmitNumber: number } {
    return { retransmitSeconds: this.config.rekeyRetransmitSeconds, retransmitNumber: this.config.rekeyRetransmitNumber };
  }

  /** @returns null without `rekey authentication`, or when that key does not exist */
  signer(): Signer | null {
    const label = this.config.rekeyAuthentication;
    const key = label === null ? null : this.environment.signingKey(label);
    if (!key) return null;
    if (this.knownSigner?.key === key) return this.knownSigner;
    const publicKey = new Uint8Array(createPublicKey(key).export({ type: 'spki', format: 'der' }));
    this.knownSigner = { key, publicKey, modulusBits: key.asymmetricKeyDetails?.modulusLength ?? signatureLength(key) * 8 };
    return this.knownSigner;
  }

  newest(sa: number): ServedTek | null {
    return this.teks.findLast((tek) => tek.sa === sa) ?? null;
  }

  rekeyLead(lifetimeSeconds: number): number {
    return rekeyLeadSeconds(lifetimeSeconds, this.retransmit);
  }

  /** When the SA's TEK is renewed; at once when it has none. */
  tekDue(policy: SaPolicy): Ms {
    const newest = this.newest(policy.sequence);
    return newest ? newest.expiresAt - this.rekeyLead(newest.lifetimeSeconds) * 1000 : 0;
  }

  kekDue(): Ms {
    return this.kek ? this.kek.expiresAt - this.rekeyLead(this.kek.lifetimeSeconds) * 1000 : 0;
  }

  /** Seconds until the last of `teks` may be sent with. */
  pendingSeconds(teks: readonly ServedTek[], now: Ms): number {
    return Math.max(0, ...teks.map((tek) => Math.ceil((tek.activatesAt - now) / 1000)));
  }

  /** Members can open and verify what is pushed under the present KEK. */
  kekUsable(signer: Signer | null, now: Ms): boolean {
    return this.kek !== null && signer !== null && this.kek.expiresAt > now && equalBytes(this.kek.publicKey, signer.publicKey);
  }

  /** DEACTIVATION_TIME_DELAY beside an activation delay: the larger, so that the new SAs are in use by then (RFC 6407 §5.4.1). */
  deactivation(activationDelaySeconds: number): { deactivationDelaySeconds?: number } {
    const { rekeyDeactivationSeconds: seconds } = this.config;
    return seconds === undefined ? {} : { deactivationDelaySeconds: Math.min(Math.max(seconds, activationDelaySeconds * 2), 65_535) };
  }

  /** What `group size` says. Another size than the present one begins with new keys: under the present ones its IDs would overlap with those given out. */
  get wantedSenderIdBits(): SenderIds['bits'] {
    return this.config.senderIdBits ?? this.environment.senderIdBits;
  }

  /** The KEK no longer is what the configuration says. */
  kekOutdated(): boolean {
    const { kek, config } = this;
    if (!kek) return false;
    return (
      kek.cipher !== config.rekeyEncryption ||
      kek.signatureHash !== config.rekeySignatureHash ||
      kek.lifetimeSeconds !== config.rekeyLifetimeSeconds ||
      kek.acknowledge !== wantsAcknowledgement(config) ||
      kek.destination !== this.rekeyDestination
    );
  }

  /** SA payload of a registration or a rekey. @param kek part of it; null = not @param isRekey says when what it replaces is given up */
  describe(teks: readonly ServedTek[], kek: Offer['kek'], now: Ms, isRekey = false): GdoiSa {
    const activationDelaySeconds = this.pendingSeconds(teks, now);
    const deactivation = isRekey ? this.deactivation(activationDelaySeconds) : {};
    return describePolicy({ teks, kek, activationDelaySeconds, ...deactivation, pseudotimeMs: this.pseudotime(teks, now) }, now);
  }

  /** TEKs of SAs that are no more: nobody gets them any more; who has them opens with them until they expire. */
  retire(policies: readonly SaPolicy[]): void {
    this.teks = this.teks.filter(({ sa }) => policies.some(({ sequence }) => sequence === sa));
  }

  /** Milliseconds since the group's first keys. @returns null when none of `teks` is checked by time */
  private pseudotime(teks: readonly ServedTek[], now: Ms): Ms | null {
    if (this.epoch === null || !teks.some(({ replaySeconds }) => replaySeconds)) return null;
    return Math.max(0, now - this.epoch);
  }

  kekOf(spi: Uint8Array): Kek | null {
    return [this.kek, this.previousKek].find((kek) => kek && equalBytes(kek.spi, spi)) ?? null;
  }

  dropExpired(now: Ms): void {
    this.teks = this.teks.filter((tek) => tek.expiresAt > now);
    if (this.previousKek && this.previousKek.expiresAt <= now) this.previousKek = null;
  }

  /** Adds a TEK for each policy. */
  addTeks(policies: readonly SaPolicy[], now: Ms, activatesAt: Ms): ServedTek[] {
    const { random, spiTaken } = this.environment;
    this.epoch ??= now;
    return policies.map((policy) => {
      const tek = makeTek(policy, random, spiTaken, now, activatesAt);
      this.teks.push(tek);
      return tek;
    });
  }

  /** Not yet in use. */
  makeKek(signer: Signer, now: Ms): Kek {
    const ends = { source: this.config.address ?? 0, destination: this.rekeyDestination };
    return makeKek(this.config, signer.publicKey, ends, this.environment.random, now);
  }

  /** RFC 6407 §3.5 step 5: everything anew, sender IDs from 0. */
  replaceAll(policies: readonly SaPolicy[], signer: Signer | null, now: Ms): void {
    this.previousKek = this.kek;
    this.kek = signer ? this.makeKek(signer, now) : null;
    this.teks = [];
    this.senderIds = new SenderIdAllocator(this.wantedSenderIdBits);
    this.addTeks(policies, now, now);
  }
}
