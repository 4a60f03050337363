// GDOI of one router: its groups as member (member.ts) and as key server (key-server.ts). Sits on phase 1 as its user. Sans-I/O: every
// method returns actions, to be carried out in order; `policy-changed` comes before the messages that depend on saved state.

import type { KeyObject } from 'node:crypto';
import type { Action, Datagram, Endpoint, Ms, RandomBytes } from '../actions.js';
import { formatIpv4 } from '../config/addresses.js';
import { type Config, type Ipv4, isCombinedMode, type Problem } from '../config/model.js';
import { concatBytes, equalBytes } from '../isakmp/bytes.js';
import { Exchange, type IsakmpHeader } from '../isakmp/header.js';
import type { IkeEngine, IkeUser } from '../isakmp/ike-engine.js';
import { LogLimit } from '../isakmp/log-limit.js';
import type { Phase1Sa } from '../isakmp/phase1-sa.js';
import { WireError } from '../isakmp/wire-error.js';
import { identityKey } from './codec/group-identity.js';
import type { SenderIds, Tek } from './group-policy.js';
import { covers } from './invalid-spi.js';
import { KeyServer } from './key-server.js';
import { MemberGroup } from './member.js';
import type { MemberEnvironment } from './member-environment.js';
import { goesOn, isMember, overlapsUnder, refuseOverlap } from './member-groups.js';
import { memberStatus } from './member-status.js';
import type { Pseudotime } from './pseudotime.js';
import { asGdoi } from './pull-responder.js';
import { decodeState, encodeState, type SavedState } from './saved-state.js';
import { DefaultSenderIdBits } from './sender-ids.js';
import type { MemberStatus, ServerStatus } from './status.js';

/** A phase-1 SA this young is as good as a new one (several groups of one key server register together). */
const FreshSaMs = 10_000;

export interface GdoiEngineOptions {
  config: Config;
  /** Source address towards a key server. */
  localAddressFor(remote: Ipv4, registrationInterface: string | undefined): Ipv4 | null;
  random: RandomBytes;
  /** RSA key that signs rekeys, by label. */
  signingKey(label: string): KeyObject | null;
  /** Key server: size of sender IDs; 24 unless given. */
  senderIdBits?: SenderIds['bits'];
}

export interface GroupPolicy {
  /** All usable, newest last. */
  teks: Tek[];
  senderIds: SenderIds | null;
  /** Clock of time-based anti-replay, null = none. */
  pseudotime: Pseudotime | null;
  /** Name of the crypto map's own ACL. */
  localAcl: string | null;
}

export class GdoiEngine implements IkeUser {
  /** Of each registration: one per forwarding worker (RFC 6407 §3.5). */
  senderIdsWanted = 1;
  private config: Config;
  /** There is a group. */
  private on = false;
  private readonly server: KeyServer;
  private readonly members = new Map<string, MemberGroup>();
  private readonly environment: MemberEnvironment;
  private readonly limit = new LogLimit();
  private ike: IkeEngine | null = null;
  private restored: SavedState['members'] = [];

  constructor(options: GdoiEngineOptions) {
    this.config = options.config;

    this.server = new KeyServer({
      random: options.random,
      signingKey: options.signingKey,
      spiTaken: (spi) => this.usesSpi(spi),
      senderIdBits: options.senderIdBits ?? DefaultSenderIdBits,
    });
    this.environment = {
      random: options.random,
      localAddressFor: options.localAddressFor,
      connect: (local, remote, now) => this.connect(local, remote, now),
      deleteSa: (sa, now) => this.ike?.deleteSa(sa, now) ?? [],
      spiTaken: (spi, group) => this.memberUsesSpi(spi, group),
      admit: (policy, group) => refuseOverlap(this.config, policy, group, (other) => this.members.get(other)?.keys.teks ?? []),
      senderIdsWanted: () => this.senderIdsWanted,
    };
  }

  /** The phase-1 engine whose user this is. */
  attach(ike: IkeEngine): void {
    this.ike = ike;
  }

  /** After importState(), if there is a state. */
  start(now: Ms): Action[] {
    return this.reconfigure(this.config, now);
  }

  /** Unchanged groups keep their state; a group with another identity begins anew; groups that are gone are forgotten. */
  reconfigure(config: Config, now: Ms): Action[] {
    this.config = config;
    const actions = [...this.tellOn(config.gdoiGroups.size > 0), ...this.server.configure(config, now)];
    for (const [name, member] of this.members) {
      const next = config.gdoiGroups.get(name);
      if (next && goesOn(member, next)) {
        member.config = next;
        continue;
      }
      this.members.delete(name);
      actions.push({ kind: 'policy-changed', group: name });
    }
    for (const [name, item] of config.gdoiGroups) {
      if (!isMember(item) || !item.identity || this.members.has(name)) continue;
      const identity = identityKey(item.identity);
      const saved = this.restored.find((state) => state.name === name && state.identity === identity)?.state ?? null;
      const restored = new MemberGroup(name, item, this.environment, saved);
      this.members.set(name, restored);
      // What would be refused today is not gone on with: the registration says why.
      const member = saved && this.conflicts(config).length > 0 ? new MemberGroup(name, item, this.environment, null) : restored;
      this.members.set(name, member);
      actions.push(...member.start(now));
    }
    this.restored = [];
    return actions;
  }

  /** Why a configuration must not be applied now: groups that are registered would share an interface and the same traffic. */
  conflicts(config: Config): Problem[] {
    return overlapsUnder(config, (group) => {
      const [member, next] = [this.members.get(group), config.gdoiGroups.get(group)];
      return member && next && goesOn(member, next) ? member.keys.teks : [];
    });
  }

  private tellOn(on: boolean): Action[] {
    if (on === this.on) return [];
    this.on = on;
    return [{ kind: 'log', facility: 'CRYPTO', severity: 6, mnemonic: 'GDOI_ON_OFF', text: `GDOI is ${on ? 'ON' : 'OFF'}` }];
  }

  tick(now: Ms): Action[] {
    return [...this.server.tick(now), ...[...this.members.values()].flatMap((member) => member.tick(now))];
  }

  /** When tick() has something to do; null = nothing. */
  nextTick(): Ms | null {
    const times = [this.server.nextTick(), ...[...this.members.values()].map((member) => member.nextTick())].filter(
      (time) => time !== null,
    );
    return times.length > 0 ? Math.min(...times) : null;
  }

  phase1Up(sa: Phase1Sa, now: Ms): Action[] {
    return sa.initiator ? [...this.members.values()].flatMap((member) => member.phase1Up(sa, now)) : [];
  }

  phase1Failed(remote: Endpoint, reason: string, now: Ms): Action[] {
    return [...this.members.values()].flatMap((member) => member.phase1Failed(remote, reason, now));
  }

  phase1Deleted(sa: Phase1Sa, now: Ms): Action[] {
    this.server.phase1Deleted(sa);
    return [...this.members.values()].flatMap((member) => member.phase1Deleted(sa, now));
  }

  notification(sa: Phase1Sa, type: number, data: Uint8Array, now: Ms): Action[] {
    return [...this.members.values()].flatMap((member) => member.notification(sa, type, data, now));
  }

  pullMessage(sa: Phase1Sa, message: Uint8Array, header: IsakmpHeader, now: Ms): Action[] {
    for (const member of this.members.values()) if (member.owns(sa, header.messageId)) return member.pullMessage(message, now);
    // Only who began phase 1 asks for keys: nobody registers with us over an SA that we began.
    if (sa.initiator) return [{ kind: 'count', counter: 'gdoi_pull_unexpected' }];
    return this.server.pullMessage(sa, message, header, now);
  }

  pushMessage(datagram: Datagram, header: IsakmpHeader, now: Ms): Action[] {
    if (header.exchange === Exchange.GroupkeyPushAck) return this.server.ackMessage(datagram, header, now);
    const members = [...this.members.values()];
    for (const member of members) {
      const repeated = member.repeatedPush(datagram);
      if (repeated) return repeated;
    }
    const spi = concatBytes(header.initiatorCookie, header.responderCookie);
    // More than one when a key server chose the SPI of another's KEK: it must not keep that one's pushes from us.
    const candidates = members.filter(({ keys }) => keys.kek && equalBytes(keys.kek.spi, spi));
    const from = formatIpv4(datagram.remote.address);
    let refused: { member: MemberGroup; error: WireError } | null = null;
    for (const member of candidates) {
      try {
        return member.push(datagram, now);
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        refused ??= { member, error };
      }
    }
    if (!refused) {
      const text = `Rekey from ${from} rejected: its KEK is not ours`;
      return [{ kind: 'count', counter: 'gdoi_push_rejected_unknown' }, ...this.limit.log(4, 'GDOI_REKEY_UNKNOWN', text, now).map(asGdoi)];
    }
    const { member, error } = refused;
    const mnemonic = error.counter === 'gdoi_push_rejected_sequence' ? 'GDOI_REKEY_SEQ_FAILURE' : 'GDOI_REKEY_FAILURE';
    const text = `Rekey for group ${member.name} from ${from} rejected: ${error.message} (${error.clause})`;
    return [{ kind: 'count', counter: error.counter, reason: text }, ...this.limit.log(3, mnemonic, text, now).map(asGdoi)];
  }

  /** In order of configuration. */
  memberGroups(): MemberStatus[] {
    return [...this.members.values()].map((member) => memberStatus(member, this.localAcl(member.name)));
  }

  serverGroups(): ServerStatus[] {
    return this.server.status();
  }

  /** What tables are compiled from; empty for a group that is not registered or not known. */
  policyOf(group: string): GroupPolicy {
    const member = this.members.get(group);
    const { teks = [], senderIds = null, pseudotime } = member?.keys ?? {};
    return { teks, senderIds, pseudotime: pseudotime ?? null, localAcl: this.localAcl(group) };
  }

  /** `crypto gdoi ks rekey [replace-now]`. */
  rekey(group: string, now: Ms, immediately = false): Action[] {
    return this.server.rekey(group, now, immediately);
  }

  /** `clear crypto gdoi ks members [now]`. */
  removeMembers(group: string, now: Ms, immediately: boolean): Action[] {
    return this.server.removeMembers(group, now, immediately);
  }

  /** `clear crypto gdoi`: the member registers again at once; its keys stay until it has. */
  clearGroup(group: string, now: Ms): Action[] {
    return this.members.get(group)?.clear(now) ?? [];
  }

  /** ESP came between these hosts under an SPI that no group here has (the packet path limits its reports). */
  invalidSpi(spi: number, source: Ipv4, destination: Ipv4, now: Ms): void {
    for (const member of this.members.values()) if (covers(member.keys.teks, source, destination)) member.reportInvalidSpi(spi, now);
  }

  /** The IV counters of this group's sender IDs are gone: they are given up, and new ones fetched. Nothing to do without counter modes. */
  renewSenderIds(group: string, now: Ms): Action[] {
    const member = this.members.get(group);
    return member?.keys.teks.some((tek) => isCombinedMode(tek.encryption)) ? member.renewSenderIds(now) : [];
  }

  exportState(): Uint8Array {
    const members = [...this.members.values()].flatMap((member) =>
      member.config.identity ? [{ name: member.name, identity: identityKey(member.config.identity), state: member.save() }] : [],
    );
    return encodeState({ server: this.server.save(), members });
  }

  /**
   * Before start(). A key server goes on with its keys; a member is registered with what it had.
   * @param _now state that has expired by then is dropped in start()
   * @param entries of `journal` actions since those bytes were exported, in order
   * @param options `members: false`: the packet path has lost its IV counters, so members must register afresh
   */
  importState(bytes: Uint8Array, _now: Ms, options: { members: boolean } = { members: true }, entries: readonly Uint8Array[] = []): void {
    const state = decodeState(bytes, entries);
    if (!state) return;
    this.server.restore(state.server);
    this.restored = options.members ? state.members : [];
  }

  private connect(local: Endpoint, remote: Endpoint, now: Ms): { sa: Phase1Sa | null; actions: Action[] } {
    const { ike } = this;
    if (!ike) return { sa: null, actions: [] };
    const fresh = ike.sas().find((sa) => isFresh(sa, local, remote, now));
    return fresh ? { sa: fresh, actions: [] } : { sa: null, actions: ike.initiate(local, remote, now) };
  }

  private memberUsesSpi(spi: number, except: string | null): boolean {
    return [...this.members.values()].some((member) => member.name !== except && member.keys.teks.some((tek) => tek.spi === spi));
  }

  /** Whether a group here has an SA under it. */
  usesSpi(spi: number): boolean {
    return this.server.usesSpi(spi) || this.memberUsesSpi(spi, null);
  }

  private localAcl(group: string): string | null {
    for (const entries of this.config.cryptoMaps.values())
      for (const entry of entries) if (entry.group === group && entry.matchAddress !== null) return entry.matchAddress;
    return null;
  }
}

function isFresh(sa: Phase1Sa, local: Endpoint, remote: Endpoint, now: Ms): boolean {
  return (
    sa.initiator &&
    sa.state === 'GDOI_IDLE' &&
    sa.local.address === local.address &&
    sa.remote.address === remote.address &&
    now - sa.establishedAt < FreshSaMs &&
    sa.expiresAt > now
  );
}
