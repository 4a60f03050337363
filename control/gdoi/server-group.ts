// One group at its key server: its keys, their renewal, its members. Sans-I/O. What must survive a crash (sequence numbers, sender IDs, keys,
// members) is announced with `policy-changed` before the messages that depend on it.

import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Action, Ms, RandomBytes } from '../actions.js';
import { formatIpv4 } from '../config/addresses.js';
import type { Config, GdoiGroup, GdoiServer, Ipv4 } from '../config/model.js';
import { equalBytes } from '../isakmp/bytes.js';
import type { Phase1Sa } from '../isakmp/phase1-sa.js';
import { signatureLength } from '../pki/push-signature.js';
import { writeDeleteAll } from './codec/deletion.js';
import { isCounterMode } from './esp-transforms.js';
import type { Kek, SenderIds } from './group-policy.js';
import { buildPush, MaxSequence } from './groupkey-push.js';
import { makeKek, makeTek, type ServedTek } from './new-keys.js';
import { PolicyError, resolvePolicy, type SaPolicy } from './policy.js';
import type { PullGrant, PullOffer } from './pull-responder.js';
import { RekeyDelivery } from './rekey-delivery.js';
import { activationDelaySeconds, rekeyLeadSeconds, retransmitIntervalSeconds } from './rekey-timing.js';
import { SenderIdAllocator } from './sender-ids.js';
import { describePolicy, packKeys } from './sent-policy.js';
import { type ServerMember, ServerMembers } from './server-members.js';

/** What of a group is saved. */
export interface SavedServerGroup {
  kek: Kek | null;
  previousKek: Kek | null;
  teks: ServedTek[];
  senderIdBits: SenderIds['bits'];
  senderIdsUsed: number;
  members: ServerMember[];
  rekeysSent: number;
  retransmitsLastRekey: number;
  lastRekeyMilliseconds: number;
  registrations: number;
}

export interface ServerEnvironment {
  random: RandomBytes;
  signingKey(label: string): KeyObject | null;
  /** Whether an SPI is in use by any group of this router. */
  spiTaken(spi: number): boolean;
  senderIdBits: SenderIds['bits'];
}

/** What members of this implementation announce; IOS prints one per member. */
export const MemberVersion = '1.0.26';
const RetryMs = 1000;
/** SAs that are due within this of each other are renewed by one push. */
const TogetherMs = 1000;
/** After a restart, a KEK younger than this may not have reached all members. */
const ResumeMs = 60_000;

interface Signer {
  key: KeyObject;
  publicKey: Uint8Array;
  modulusBits: number;
}

export class ServerGroup {
  readonly members: ServerMembers;
  kek: Kek | null;
  previousKek: Kek | null;
  teks: ServedTek[];
  policies: SaPolicy[] = [];
  problem: string | null = 'not started';
  rekeysSent: number;
  retransmitsLastRekey: number;
  lastRekeyMilliseconds: number;
  registrations: number;
  readonly senderIds: SenderIdAllocator;
  private config: GdoiServer | null = null;
  private identity = '';
  private deliveries: RekeyDelivery[] = [];
  private lastPush: { generation: number; kekSpi: Uint8Array; delivery: RekeyDelivery } | null = null;
  /** Counts pushes: an offer made before one is out of date after it. */
  private generation = 0;
  private resume: boolean;
  private retryAt: Ms | null = null;

  constructor(
    readonly name: string,
    private readonly environment: ServerEnvironment,
    saved: SavedServerGroup | null,
  ) {
    this.kek = saved?.kek ?? null;
    this.previousKek = saved?.previousKek ?? null;
    this.teks = saved?.teks ?? [];
    this.members = new ServerMembers(saved?.members);
    this.senderIds = new SenderIdAllocator(saved?.senderIdBits ?? environment.senderIdBits, saved?.senderIdsUsed ?? 0);
    this.rekeysSent = saved?.rekeysSent ?? 0;
    this.retransmitsLastRekey = saved?.retransmitsLastRekey ?? 0;
    this.lastRekeyMilliseconds = saved?.lastRekeyMilliseconds ?? 0;
    this.registrations = saved?.registrations ?? 0;
    this.resume = saved !== null;
  }

  save(): SavedServerGroup {
    return {
      kek: this.kek,
      previousKek: this.previousKek,
      teks: this.teks,
      senderIdBits: this.senderIds.bits,
      senderIdsUsed: this.senderIds.used,
      members: this.members.list(),
      rekeysSent: this.rekeysSent,
      retransmitsLastRekey: this.retransmitsLastRekey,
      lastRekeyMilliseconds: this.lastRekeyMilliseconds,
      registrations: this.registrations,
    };
  }

  /** Takes the configuration. Keys in use stay: a new policy goes out with the next rekey, as on IOS (`crypto gdoi ks rekey` makes it now). */
  configure(config: Config, group: GdoiGroup, now: Ms): Action[] {
    this.config = group.server;
    this.identity = group.identity?.kind === 'address' ? formatIpv4(group.identity.address) : String(group.identity?.number ?? '');
    const before = this.problem;
    try {
      this.policies = resolvePolicy(config, group);
      this.problem = null;
    } catch (error) {
      if (!(error instanceof PolicyError)) throw error;
      this.problem = error.message;
      this.retryAt = null;
      if (before === this.problem) return [];
      return [this.log(3, 'KS_POLICY', `group ${this.name} cannot be served: ${this.problem}`)];
    }
    return this.start(now);
  }

  /** Keys exist and the configuration is complete. tick() renews keys before they expire. */
  serving(): boolean {
    return this.problem === null && this.teks.length > 0;
  }

  nextTick(): Ms | null {
    const times = this.deliveries.map((delivery) => delivery.nextTick());
    if (this.retryAt !== null) times.push(this.retryAt);
    for (const tek of this.teks) times.push(tek.expiresAt);
    if (this.problem === null) {
      for (const policy of this.policies) times.push(this.tekDue(policy));
      if (this.kek) times.push(this.kekDue());
    }
    return times.length > 0 ? Math.min(...times) : null;
  }

  tick(now: Ms): Action[] {
    const actions = this.tickDeliveries(now);
    if (this.problem !== null) {
      if (this.retryAt !== null && this.retryAt <= now) actions.push(...this.start(now));
      return actions;
    }
    this.dropExpired(now);
    const due = this.policies.filter((policy) => this.tekDue(policy) <= now + TogetherMs);
    const anyDue = due.some((policy) => this.tekDue(policy) <= now);
    const kekDue = this.kek !== null && this.kekDue() <= now;
    if (anyDue || kekDue) actions.push(...this.renew(anyDue ? due : [], kekDue, now));
    return actions;
  }

  /** `crypto gdoi ks rekey`: new TEKs by the configuration as it is now; the old ones live until they expire. */
  rekey(now: Ms): Action[] {
    if (this.problem !== null) return [this.log(4, 'KS_POLICY', `group ${this.name} cannot be rekeyed: ${this.problem}`)];
    const kekChanged =
      this.kek !== null &&
      (this.kek.cipher !== this.config?.rekeyEncryption ||
        this.kek.signatureHash !== this.config.rekeySignatureHash ||
        this.kek.acknowledge !== (this.config.rekeyAcknowledgement !== 'cisco') ||
        this.kek.lifetimeSeconds !== this.config.rekeyLifetimeSeconds);
    return this.renew(this.policies, kekChanged, now);
  }

  /** @returns the KEK of a cookie pair, the present one or the one before */
  kekOf(spi: Uint8Array): Kek | null {
    return [this.kek, this.previousKek].find((kek) => kek && equalBytes(kek.spi, spi)) ?? null;
  }

  /** A verified acknowledgement. @param kek under which it came */
  acknowledge(kek: Kek, sequence: number, member: Ipv4, now: Ms): Action[] {
    const delivery = this.deliveries.find((item) => item.sequence === sequence && equalBytes(item.kek.spi, kek.spi));
    if (!kek.acknowledge || !(this.members.has(member) || delivery?.targets.has(member)))
      return [{ kind: 'count', counter: 'gdoi_acks_rejected' }];
    if (!delivery?.acknowledge(member, now)) return [];
    this.members.acknowledged(member, sequence);
    return [{ kind: 'count', counter: 'gdoi_rekeys_acknowledged' }];
  }

  /** What a member that asks is offered now (RFC 6407 §3.2 message 2). */
  offer(sa: Phase1Sa, now: Ms): PullOffer | { refused: string } {
    const address = formatIpv4(sa.remote.address);
    this.dropExpired(now);
    if (!this.serving())
      return { refused: `Registration of ${address} refused: group ${this.name} is not served: ${this.problem ?? 'no keys'}` };
    const { kek, generation } = this;
    const sequence = kek?.sequence ?? null;
    const teks = [...this.teks];
    return {
      sa: describePolicy(
        {
          teks,
          kek: this.describeKek(kek, this.sourceFor(sa.local.address), sa.remote.address),
          activationDelaySeconds: this.pending(teks, now),
        },
        now,
      ),
      complete: (wanted, at) => this.complete(sa, { kek, generation, sequence, teks }, wanted, at),
    };
  }

  rekeyLead(lifetimeSeconds: number): number {
    return this.config ? rekeyLeadSeconds(lifetimeSeconds, this.retransmit()) : 0;
  }

  /** When the SA's TEK is renewed. */
  tekDue(policy: SaPolicy): Ms {
    const newest = this.newest(policy.sequence);
    return newest ? newest.expiresAt - this.rekeyLead(newest.lifetimeSeconds) * 1000 : 0;
  }

  kekDue(): Ms {
    return this.kek ? this.kek.expiresAt - this.rekeyLead(this.kek.lifetimeSeconds) * 1000 : 0;
  }

  private retransmit() {
    return { retransmitSeconds: this.config?.rekeyRetransmitSeconds ?? 10, retransmitNumber: this.config?.rekeyRetransmitNumber ?? 2 };
  }

  private newest(sa: number): ServedTek | null {
    return this.teks.findLast((tek) => tek.sa === sa) ?? null;
  }

  private signer(): Signer | null {
    const label = this.config?.rekeyAuthentication ?? null;
    const key = label === null ? null : this.environment.signingKey(label);
    if (!key) return null;
    const publicKey = new Uint8Array(createPublicKey(key).export({ type: 'spki', format: 'der' }));
    return { key, publicKey, modulusBits: key.asymmetricKeyDetails?.modulusLength ?? signatureLength(key) * 8 };
  }

  private sourceFor(local: Ipv4): Ipv4 {
    return this.config?.address ?? local;
  }

  private describeKek(kek: Kek | null, source: Ipv4, member: Ipv4) {
    const signer = this.signer();
    return kek && signer ? { kek, modulusBits: signer.modulusBits, source, member } : null;
  }

  /** Seconds until the last of `teks` may be sent with. */
  private pending(teks: readonly ServedTek[], now: Ms): number {
    return Math.max(0, ...teks.map((tek) => Math.ceil((tek.activatesAt - now) / 1000)));
  }

  private dropExpired(now: Ms): void {
    this.teks = this.teks.filter((tek) => tek.expiresAt > now);
    if (this.previousKek && this.previousKek.expiresAt <= now) this.previousKek = null;
  }

  /** First keys, or the saved ones; after a restart in the middle of a change-over the push is sent again (with a new sequence number). */
  private start(now: Ms): Action[] {
    this.retryAt = null;
    this.dropExpired(now);
    const label = this.config?.rekeyAuthentication ?? null;
    const signer = this.signer();
    if (label !== null && !signer) {
      const first = this.problem === null || !this.problem.startsWith('RSA key');
      this.problem = `RSA key ${label} does not exist: crypto key generate rsa label ${label} modulus 2048`;
      this.retryAt = now + RetryMs;
      return first ? [this.log(3, 'KS_NO_RSA_KEYS', `group ${this.name}: ${this.problem}`)] : [];
    }
    this.problem = null;
    const resume = this.resume;
    this.resume = false;
    const stale = this.kek !== null && (this.kek.expiresAt <= now || !signer || !equalBytes(this.kek.publicKey, signer.publicKey));
    if (stale) this.kek = null;
    const missing = this.policies.filter((policy) => this.newest(policy.sequence) === null);
    const needsKek = signer !== null && this.kek === null;
    if (missing.length > 0 || needsKek || stale) {
      if (needsKek)
        this.kek = makeKek(
          this.config as GdoiServer,
          (signer as Signer).publicKey,
          this.config?.address ?? 0,
          this.environment.random,
          now,
        );
      for (const policy of missing) this.teks.push(makeTek(policy, this.environment.random, this.environment.spiTaken, now, now));
      return [this.changed()];
    }
    return resume ? this.resumeRekey(now) : [];
  }

  /** Members may not have got the last push before we died: it goes out again. Those that have it keep what they have. */
  private resumeRekey(now: Ms): Action[] {
    const { kek, previousKek } = this;
    const remaining = Math.min(...this.teks.map((tek) => (tek.expiresAt - now) / 1000));
    if (kek && previousKek && kek.sequence === 0 && now - kek.createdAt < ResumeMs)
      return this.push([...this.teks], kek, remaining, now, previousKek);
    return this.pending(this.teks, now) > 0 ? this.push([...this.teks], null, remaining, now) : [];
  }

  /** New TEKs for `policies`, a new KEK when asked for, and the push that brings them. */
  private renew(policies: readonly SaPolicy[], newKek: boolean, now: Ms): Action[] {
    this.dropExpired(now);
    const replaced = policies.map((policy) => this.newest(policy.sequence)).filter((tek) => tek !== null);
    const oldRemaining = replaced.length > 0 ? Math.min(...replaced.map((tek) => (tek.expiresAt - now) / 1000)) : 0;
    const delay = activationDelaySeconds(oldRemaining, this.retransmit());
    const fresh = policies.map((policy) => makeTek(policy, this.environment.random, this.environment.spiTaken, now, now + delay * 1000));
    this.teks.push(...fresh);
    const signer = this.signer();
    const exhausted = this.kek !== null && this.kek.sequence + 1 >= MaxSequence;
    if (this.kek === null || signer === null || this.kek.expiresAt <= now || !equalBytes(this.kek.publicKey, signer.publicKey)) {
      // Members could not open or verify a push: they register again before their TEKs expire.
      const source = this.config?.address ?? 0;
      this.kek = signer ? makeKek(this.config as GdoiServer, signer.publicKey, source, this.environment.random, now) : null;
      this.generation++;
      return [this.changed()];
    }
    if (!newKek && !exhausted) return this.push(fresh, null, oldRemaining, now);
    const successor = makeKek(this.config as GdoiServer, signer.publicKey, this.kek.source, this.environment.random, now);
    // RFC 6407 §5.6.1: a rekey holds at least one TEK. All that are live: a member that missed one gets it now.
    return this.push([...this.teks], successor, fresh.length > 0 ? oldRemaining : (this.kek.expiresAt - now) / 1000, now);
  }

  /** @param remainingSeconds of what is being replaced: repetitions must be over well before @param kek protects the push */
  private push(teks: readonly ServedTek[], successor: Kek | null, remainingSeconds: number, now: Ms, kek = this.kek): Action[] {
    const signer = this.signer();
    if (!kek || !signer) return [this.changed()];
    const sequence = kek.sequence + 1;
    const delay = this.pending(teks, now);
    const build = (sequenceNumber: number, member: Ipv4, source: Ipv4): Uint8Array => {
      const sa = describePolicy({ teks, kek: this.describeKek(successor, source, member), activationDelaySeconds: delay }, now);
      const packets = packKeys(teks, successor, null);
      return buildPush(kek, { sequence: sequenceNumber, deletions: [], policy: { sa, packets } }, signer.key);
    };
    const interval = retransmitIntervalSeconds(delay, remainingSeconds, this.retransmit());
    kek.sequence = sequence;
    if (successor) {
      this.previousKek = kek;
      this.kek = successor;
    }
    let common: Uint8Array | null = null;
    const buildFor = (member: Ipv4): Uint8Array => {
      const source = this.members.list().find((item) => item.address === member)?.local.address ?? 0;
      if (successor) return build(sequence, member, this.sourceFor(source));
      common ??= build(sequence, member, 0);
      return common;
    };
    return this.deliver(kek, sequence, buildFor, interval, now);
  }

  private deliver(kek: Kek, sequence: number, build: (member: Ipv4) => Uint8Array, intervalSeconds: number, now: Ms): Action[] {
    const delivery = new RekeyDelivery(kek, sequence, build, intervalSeconds * 1000, this.retransmit().retransmitNumber, now);
    this.generation++;
    this.lastPush = { generation: this.generation, kekSpi: kek.spi, delivery };
    if (this.members.size === 0) return [this.changed()];
    this.rekeysSent++;
    this.retransmitsLastRekey = 0;
    const sends: Action[] = [];
    for (const { address, local, remote } of this.members.list()) {
      sends.push(this.sendTo(delivery, address, local, remote));
    }
    this.deliveries.push(delivery);
    const source = formatIpv4(this.sourceFor(this.members.list()[0].local.address));
    return [
      this.changed(),
      { kind: 'count', counter: 'gdoi_rekeys_sent' },
      this.log(5, 'KS_SEND_UNICAST_REKEY', `Sending Unicast Rekey for group ${this.name} from address ${source} with seq # ${sequence}`),
      ...sends,
    ];
  }

  private sendTo(
    delivery: RekeyDelivery,
    member: Ipv4,
    local: { address: Ipv4; port: number },
    remote: { address: Ipv4; port: number },
  ): Action {
    this.members.sent(member, delivery.sequence);
    return delivery.sendTo(member, { ...local, address: this.sourceFor(local.address) }, remote);
  }

  private tickDeliveries(now: Ms): Action[] {
    const actions: Action[] = [];
    for (const delivery of [...this.deliveries]) {
      if (delivery.nextTick() > now) continue;
      const { actions: sends, repeated, finished } = delivery.tick(now);
      actions.push(...sends);
      for (const member of repeated) this.members.repeated(member);
      if (repeated.length > 0) this.retransmitsLastRekey++;
      if (!finished) continue;
      this.deliveries = this.deliveries.filter((item) => item !== delivery);
      this.lastRekeyMilliseconds = finished.milliseconds;
      // Who acknowledged is saved once per rekey, not per acknowledgement.
      actions.push(this.changed());
      if (delivery.kek.acknowledge) for (const member of finished.unacknowledged) actions.push(...this.missed(member));
    }
    return actions;
  }

  private missed(member: Ipv4): Action[] {
    const actions: Action[] = [{ kind: 'count', counter: 'gdoi_rekeys_unacknowledged' }];
    if (!this.members.missed(member)) return actions;
    for (const delivery of this.deliveries) delivery.remove(member);
    const text = `GM ${formatIpv4(member)} deleted from group ${this.name}: three rekeys without acknowledgement`;
    return [...actions, this.changed(), { kind: 'count', counter: 'gdoi_members_removed' }, this.log(4, 'GM_DELETE', text)];
  }

  private complete(
    sa: Phase1Sa,
    offered: { kek: Kek | null; generation: number; sequence: number | null; teks: ServedTek[] },
    wanted: number | null,
    now: Ms,
  ): PullGrant {
    const behind = this.generation - offered.generation;
    const missedPush =
      behind === 1 && offered.kek && this.lastPush?.generation === this.generation && equalBytes(this.lastPush.kekSpi, offered.kek.spi);
    if (behind > 0 && !missedPush) return { before: [], keys: null, after: [] };
    let senderIds: SenderIds | null = null;
    if (offered.teks.some((tek) => isCounterMode(tek.encryption))) {
      senderIds = this.senderIds.allocate(wanted ?? 1);
      if (!senderIds) return { before: this.startOver(now), keys: null, after: [] };
    }
    this.registrations++;
    this.members.register(sa.local, sa.remote, MemberVersion, now);
    const after: Action[] = [{ kind: 'count', counter: 'gdoi_pull_served' }];
    for (let i = 0; i < (senderIds?.values.length ?? 0); i++) after.push({ kind: 'count', counter: 'gdoi_sender_ids_allocated' });
    // A push left while this exchange was under way: it goes to the new member too.
    if (missedPush && this.lastPush) after.unshift(this.sendTo(this.lastPush.delivery, sa.remote.address, sa.local, sa.remote));
    const text = `GM ${formatIpv4(sa.remote.address)} registered to group ${this.name}, identity ${this.identity}`;
    return {
      before: [this.changed(), this.log(6, 'KS_GM_REGISTER', text)],
      keys: {
        sequence: offered.sequence,
        packets: packKeys(offered.teks, this.describeKek(offered.kek, 0, 0) ? offered.kek : null, senderIds),
      },
      after,
    };
  }

  /** RFC 6407 §3.5 steps 5 and 6: the sender-ID space is used up. All keys are deleted and replaced; members register again. */
  private startOver(now: Ms): Action[] {
    const signer = this.signer();
    const kek = this.kek;
    this.teks = [];
    this.senderIds.reset();
    const actions: Action[] = [];
    const recipients = this.members.list();
    if (kek && signer && kek.sequence < MaxSequence) {
      kek.sequence++;
      const bytes = buildPush(kek, { sequence: kek.sequence, deletions: writeDeleteAll(), policy: null }, signer.key);
      const { retransmitSeconds, retransmitNumber } = this.retransmit();
      const delivery = new RekeyDelivery(kek, kek.sequence, () => bytes, retransmitSeconds * 1000, retransmitNumber, now);
      for (const { address, local, remote } of recipients) actions.push(this.sendTo(delivery, address, local, remote));
      if (recipients.length > 0) this.deliveries = [delivery];
    }
    this.previousKek = kek;
    this.kek = signer
      ? makeKek(this.config as GdoiServer, signer.publicKey, this.config?.address ?? 0, this.environment.random, now)
      : null;
    for (const policy of this.policies) this.teks.push(makeTek(policy, this.environment.random, this.environment.spiTaken, now, now));
    this.members.clear();
    this.lastPush = null;
    this.generation += 2;
    const text = `sender IDs of group ${this.name} are used up: all keys are replaced and the members register again`;
    return [this.changed(), { kind: 'count', counter: 'gdoi_sender_ids_exhausted' }, this.log(4, 'KS_SID_EXHAUSTED', text), ...actions];
  }

  private changed(): Action {
    return { kind: 'policy-changed', group: this.name };
  }

  private log(severity: 3 | 4 | 5 | 6, mnemonic: string, text: string): Action {
    return { kind: 'log', facility: 'GDOI', severity, mnemonic, text };
  }
}
