// One group at its key server: what it offers to members that register, when it renews keys, what it pushes. Sans-I/O. What must survive a
// crash (sequence numbers, sender IDs, keys, members) is announced with `policy-changed` before the messages that depend on it.

import type { Action, Ms, Severity } from '../actions.js';
import { formatIpv4 } from '../config/addresses.js';
import { type Config, type GdoiGroup, type GdoiServer, type Ipv4, isCombinedMode } from '../config/model.js';
import { rekeyDestination } from '../config/rekey-address.js';
import type { Phase1Sa } from '../isakmp/phase1-sa.js';
import type { Kek, SenderIds } from './group-policy.js';
import { buildPush } from './groupkey-push.js';
import { JoinJournal } from './join-journal.js';
import type { ServedTek } from './new-keys.js';
import { PolicyError, resolvePolicy, type SaPolicy } from './policy.js';
import { policyPending } from './policy-pending.js';
import type { PullGrant, PullOffer } from './pull-responder.js';
import { retransmitIntervalSeconds } from './rekey-timing.js';
import type { SavedServerGroup } from './saved-state.js';
import { packKeys } from './sent-policy.js';
import { type ServerEnvironment, ServerKeys } from './server-keys.js';
import { ServerMembers } from './server-members.js';
import { ServerRekeys } from './server-rekeys.js';
import { renew, resumeRekey } from './server-renewal.js';
import { removeMembers, replaceNow, shortenTeks, startOver } from './server-replace.js';
import { MemberVersion } from './status.js';

const RetryMs = 1000;
/** SAs due within this of each other are renewed by one push. */
const TogetherMs = 1000;

/** IOS's words. */
const PolicyChangeText =
  "policy has changed. Use 'crypto gdoi ks rekey' to send a rekey, or the changes will be send in the next scheduled rekey";

interface Offered {
  kek: Kek | null;
  generation: number;
  /** null without a KEK. */
  sequence: number | null;
  teks: ServedTek[];
}

/** What one push brings. */
export interface GroupPush {
  /** Protects it. */
  kek: Kek;
  teks: readonly ServedTek[];
  /** The KEK it brings, null = none. */
  successor: Kek | null;
  /** Bodies of Delete payloads. */
  deletions?: readonly Uint8Array[];
  /** Until what is replaced expires: repetitions are over well before. */
  remainingSeconds: number;
}

export class ServerGroup {
  readonly keys: ServerKeys;
  readonly members: ServerMembers;
  readonly rekeys: ServerRekeys;
  policies: SaPolicy[] = [];
  /** Why it is not served; null when it is. */
  problem: string | null = 'not started';
  registrations: number;
  private resume: boolean;
  private retryAt: Ms | null = null;
  private readonly joins = new JoinJournal();

  constructor(
    readonly name: string,
    environment: ServerEnvironment,
    server: GdoiServer,
    saved: SavedServerGroup | null,
  ) {
    this.keys = new ServerKeys(environment, server, saved?.keys ?? null);
    this.members = new ServerMembers(saved?.members);
    this.rekeys = new ServerRekeys(name, this.members, (local) => this.sourceFor(local), saved?.rekeys ?? null);
    this.registrations = saved?.registrations ?? 0;
    this.resume = saved !== null;
  }

  save(): SavedServerGroup {
    this.joins.allSaved();
    return { keys: this.keys.save(), rekeys: this.rekeys.counts, members: this.members.list(), registrations: this.registrations };
  }

  /**
   * Takes the configuration. Keys in use stay: a new policy goes out with the next rekey, as on IOS (`crypto gdoi ks rekey` makes it now).
   * A policy that cannot be served leaves a group that is served as it was.
   */
  configure(config: Config, group: GdoiGroup, now: Ms): Action[] {
    let policies: SaPolicy[];
    try {
      policies = resolvePolicy(config, group);
    } catch (error) {
      if (!(error instanceof PolicyError)) throw error;
      const text = `group ${this.name} cannot be served: ${error.message}`;
      if (this.policies.length > 0) return [this.log(3, 'KS_POLICY', `${text}; the policy before stays`)];
      const known = this.problem === error.message;
      this.problem = error.message;
      return known ? [] : [this.log(3, 'KS_POLICY', text)];
    }
    const substance = () => JSON.stringify([this.policies, this.keys.config, this.keys.rekeyDestination]);
    const before = substance();
    this.policies = policies;
    if (group.server) {
      const destination = rekeyDestination(config, group.server);
      this.keys.config = group.server;
      this.keys.rekeyDestination = ('address' in destination && destination.address) || 0;
    }
    const actions = this.start(now);
    const news = before !== substance();
    return news && this.pending() ? [...actions, this.log(5, 'POLICY_CHANGE', `GDOI group ${this.name} ${PolicyChangeText}`)] : actions;
  }

  /** Members have another policy than the configuration says, until the next rekey. */
  pending(): boolean {
    return this.serving() && policyPending(this.keys, this.policies);
  }

  /** Keys exist and the configuration is complete. tick() renews keys before they expire. */
  serving(): boolean {
    return this.problem === null && this.keys.teks.length > 0;
  }

  nextTick(): Ms | null {
    const { keys } = this;
    const times = [this.rekeys.nextTick(), this.retryAt, ...keys.teks.map((tek) => tek.expiresAt)].filter((time) => time !== null);
    if (this.problem === null) {
      for (const policy of this.policies) times.push(keys.tekDue(policy));
      if (keys.kek) times.push(keys.kekDue());
    }
    return times.length > 0 ? Math.min(...times) : null;
  }

  tick(now: Ms): Action[] {
    const actions = this.rekeys.tick(now);
    const { keys } = this;
    if (this.problem !== null) {
      if (this.retryAt !== null && this.retryAt <= now) actions.push(...this.start(now));
      return actions;
    }
    keys.dropExpired(now);
    const due = this.policies.filter((policy) => keys.tekDue(policy) <= now + TogetherMs);
    const anyDue = due.some((policy) => keys.tekDue(policy) <= now);
    const kekDue = keys.kek !== null && keys.kekDue() <= now;
    if (anyDue || kekDue) actions.push(...renew(this, anyDue ? due : [], kekDue, now));
    return actions;
  }

  /** `crypto gdoi ks rekey [replace-now]`: new TEKs by the configuration as it is now; the old ones are given up soon, or at once. */
  rekey(now: Ms, immediately = false): Action[] {
    if (this.problem !== null) return [this.log(4, 'KS_POLICY', `group ${this.name} cannot be rekeyed: ${this.problem}`)];
    const replaced = immediately ? replaceNow(this, now) : null;
    if (replaced) return replaced;
    this.keys.dropExpired(now);
    this.keys.retire(this.policies);
    shortenTeks(this, now);
    return renew(this, this.policies, this.keys.kekOutdated(), now, true);
  }

  /** `clear crypto gdoi ks members [now]`: nobody is a member who does not register again. */
  removeMembers(now: Ms, immediately: boolean): Action[] {
    if (this.problem !== null) return [this.log(4, 'KS_POLICY', `group ${this.name} has no members to remove: ${this.problem}`)];
    return removeMembers(this, immediately, now);
  }

  /** A verified acknowledgement. @param kek under which it came */
  acknowledge(kek: Kek, sequence: number, member: Ipv4, now: Ms): Action[] {
    const news = kek.acknowledge ? this.rekeys.acknowledge(kek, sequence, member, now) : null;
    if (news === null) return [{ kind: 'count', counter: 'gdoi_acks_rejected' }];
    return news ? [{ kind: 'count', counter: 'gdoi_rekeys_acknowledged' }] : [];
  }

  /** What a member that asks is offered now (RFC 6407 §3.2 message 2). */
  offer(sa: Phase1Sa, now: Ms): PullOffer | { refused: string } {
    const { keys } = this;
    keys.dropExpired(now);
    if (!this.serving()) {
      const why = `group ${this.name} is not served: ${this.problem ?? 'no keys'}`;
      return { refused: `Registration of ${formatIpv4(sa.remote.address)} refused: ${why}` };
    }
    const { kek } = keys;
    const offered = { kek, generation: this.rekeys.generation, sequence: kek?.sequence ?? null, teks: [...keys.teks] };
    const kekOffer = this.kekOffer(kek, this.sourceFor(sa.local.address), sa.remote.address);
    return {
      sa: keys.describe(offered.teks, kekOffer, now),
      complete: (wanted, at) => this.complete(sa, offered, wanted, at),
    };
  }

  private sourceFor(local: Ipv4): Ipv4 {
    return this.keys.config.address ?? local;
  }

  private kekOffer(kek: Kek | null, source: Ipv4, member: Ipv4) {
    const signer = this.keys.signer();
    return kek && signer ? { kek, modulusBits: signer.modulusBits, source, member } : null;
  }

  /** First keys, or the saved ones; after a restart in the middle of a change-over the push is sent again (with a new sequence number). */
  private start(now: Ms): Action[] {
    const { keys } = this;
    this.retryAt = null;
    keys.dropExpired(now);
    const label = keys.config.rekeyAuthentication;
    const signer = keys.signer();
    if (label !== null && !signer) {
      const known = this.problem?.startsWith('RSA key') ?? false;
      this.problem = `RSA key ${label} does not exist: crypto key generate rsa label ${label} modulus 2048`;
      this.retryAt = now + RetryMs;
      return known ? [] : [this.log(3, 'KS_NO_RSA_KEYS', `group ${this.name}: ${this.problem}`)];
    }
    this.problem = null;
    const resume = this.resume;
    this.resume = false;
    const first = keys.teks.length === 0;
    // A SA that is new beside others that members have is pushed by the next tick.
    if (first) keys.addTeks(this.policies, now, now);
    const renewKek = !keys.kekUsable(signer, now) && (signer !== null || keys.kek !== null);
    if (renewKek) keys.kek = signer ? keys.makeKek(signer, now) : null;
    if (first || renewKek) {
      this.rekeys.invalidateOffers();
      return [this.changed()];
    }
    return resume ? resumeRekey(this, now) : [];
  }

  /** Takes the KEK's next sequence number and sends to all members. */
  push({ kek, teks, successor, deletions = [], remainingSeconds }: GroupPush, now: Ms): Action[] {
    const { keys } = this;
    const signer = keys.signer();
    if (!signer) return [this.changed()];
    kek.sequence++;
    if (successor) {
      keys.previousKek = kek;
      keys.kek = successor;
    }
    const { sequence } = kek;
    const delay = keys.pendingSeconds(teks, now);
    const build = (source: Ipv4): Uint8Array => {
      // The same for all, so that it is signed once: 0.0.0.0 as destination of the new KEK's pushes is wherever the member is (README).
      const sa = keys.describe(teks, this.kekOffer(successor, source, 0), now, true);
      const policy = teks.length > 0 ? { sa, packets: packKeys(teks, successor, null) } : null;
      return buildPush(kek, { sequence, deletions, policy }, signer.key, keys.config.rekeySignatureEncoding ?? 'digest-info');
    };
    const intervalSeconds = retransmitIntervalSeconds(delay, remainingSeconds, keys.retransmit);
    const sent = this.rekeys.deliver({ kek, sequence, build, intervalSeconds, repeats: keys.retransmit.retransmitNumber }, now);
    if (!successor || (successor.destination === 0) === (kek.destination === 0)) return sent;
    const [how, mnemonic] = successor.destination === 0 ? ['Unicast', 'KS_REKEY_TRANS_2_UNI'] : ['Multicast', 'KS_REKEY_TRANS_2_MULTI'];
    return [...sent, this.log(5, mnemonic, `Group ${this.name} transitioned to ${how} Rekey`)];
  }

  /** HASH(3) was right: the member joins. */
  private complete(sa: Phase1Sa, offered: Offered, wanted: number | null, now: Ms): PullGrant {
    const missedPush = this.rekeys.missedOnlyLast(offered.generation, offered.kek);
    if (offered.generation !== this.rekeys.generation && !missedPush) return { before: [], keys: null, after: [] };
    let senderIds: SenderIds | null = null;
    if (offered.teks.some((tek) => isCombinedMode(tek.encryption))) {
      senderIds = this.keys.senderIds.allocate(wanted ?? 1);
      if (!senderIds) return { before: this.exhausted(now), keys: null, after: [] };
    }
    this.registrations++;
    const joined = this.joins.save(this, this.members.register(sa.local, sa.remote, MemberVersion, now));
    // A push left while this exchange was under way: it goes to the new member too.
    const after = missedPush ? this.rekeys.sendLast(sa.local, sa.remote) : [];
    after.push({ kind: 'count', counter: 'gdoi_pull_served' });
    for (let i = 0; i < (senderIds?.values.length ?? 0); i++) after.push({ kind: 'count', counter: 'gdoi_sender_ids_allocated' });
    return {
      before: [
        joined ?? this.changed(),
        this.log(6, 'KS_GM_REGISTER', `GM ${formatIpv4(sa.remote.address)} registered to group ${this.name}`),
      ],
      keys: { sequence: offered.sequence, packets: packKeys(offered.teks, offered.kek, senderIds) },
      after,
    };
  }

  /** The sender-ID space is used up (RFC 6407 §3.5). */
  private exhausted(now: Ms): Action[] {
    const text = `sender IDs of group ${this.name} are used up: all keys are replaced and the members register again`;
    return [{ kind: 'count', counter: 'gdoi_sender_ids_exhausted' }, this.log(4, 'KS_SID_EXHAUSTED', text), ...startOver(this, now)];
  }

  private changed(): Action {
    return { kind: 'policy-changed', group: this.name };
  }

  private log(severity: Severity, mnemonic: string, text: string): Action {
    return { kind: 'log', facility: 'GDOI', severity, mnemonic, text };
  }
}
