// One group at a member: registration with back-off over the list of key servers, rekeys, re-registration in time. Sans-I/O.

import type { Action, Datagram, Endpoint, Ms, Severity } from '../actions.js';
import { formatIpv4 } from '../config/addresses.js';
import type { GdoiGroup, Ipv4 } from '../config/model.js';
import { NotifyType } from '../isakmp/notification.js';
import type { Phase1Sa } from '../isakmp/phase1-sa.js';
import { WireError } from '../isakmp/wire-error.js';
import { Backoff } from './backoff.js';
import { namesAnother } from './codec/group-identity.js';
import { GroupkeyPull } from './groupkey-pull.js';
import { InvalidSpi } from './invalid-spi.js';
import type { MemberEnvironment } from './member-environment.js';
import { applyPull, dropExpired, lacksSenderIds, type MemberKeys, noKeys, reregistrationTime } from './member-keys.js';
import { freshRecord, type MemberRecord, recordRegistration, recordRekey, type SavedMember } from './member-record.js';
import { afterPush } from './member-removal.js';
import { noteRekeyTime } from './pseudotime.js';
import { LastMessage } from './pull-messages.js';
import { buildAck } from './push-ack.js';
import { receiveRekey } from './received-rekey.js';

const GdoiPort = 848; // RFC 6407 §2.2
const NoServerMs = 60_000; // without a key server: the configuration may bring one

type Registration =
  | { kind: 'none' }
  | { kind: 'waiting'; until: Ms }
  | { kind: 'phase1'; local: Endpoint; remote: Endpoint }
  | { kind: 'pull'; pull: GroupkeyPull };

export class MemberGroup {
  keys: MemberKeys;
  readonly record: MemberRecord;
  lastFailure: string | null = null;
  registration: Registration = { kind: 'none' };
  private readonly backoff = new Backoff();
  private readonly invalidSpi = new InvalidSpi();
  /** The last push that was accepted: its repetition is acknowledged again, nothing more. */
  private lastPush = new LastMessage();
  private lastAck: Uint8Array | null = null;

  constructor(
    readonly name: string,
    public config: GdoiGroup,
    private readonly environment: MemberEnvironment,
    saved: SavedMember | null,
  ) {
    this.keys = saved?.keys ?? noKeys;
    this.invalidSpi.keysChanged(this.keys.teks);
    this.record = { ...(saved?.record ?? freshRecord) };
  }

  save(): SavedMember {
    return { keys: this.keys, record: this.record };
  }

  /** Where it registers now or did: null before the first try. */
  get remoteAddress(): Ipv4 | null {
    const { registration } = this;
    if (registration.kind === 'phase1') return registration.remote.address;
    if (registration.kind === 'pull') return registration.pull.sa.remote.address;
    return this.record.registeredWith ?? this.backoff.choose(this.config.serverAddresses);
  }

  /** With usable keys a restarted member goes on; without, it registers. */
  start(now: Ms): Action[] {
    this.keys = dropExpired(this.keys, now);
    return this.keys.teks.length > 0 && !lacksSenderIds(this.keys) ? [] : this.register(now);
  }

  nextTick(): Ms | null {
    const { registration, keys } = this;
    const times = [...keys.teks, ...(keys.kek ? [keys.kek] : [])].map(({ expiresAt }) => expiresAt).concat(this.invalidSpi.due);
    if (registration.kind === 'waiting') times.push(registration.until);
    else if (registration.kind === 'pull') times.push(registration.pull.nextTick() ?? Number.POSITIVE_INFINITY);
    else if (registration.kind === 'none' && this.record.attemptedRegistrations > 0) times.push(reregistrationTime(keys));
    const first = Math.min(...times);
    return Number.isFinite(first) ? first : null;
  }

  tick(now: Ms): Action[] {
    const actions: Action[] = [];
    const kept = dropExpired(this.keys, now);
    if (kept !== this.keys) {
      const kekGone = this.keys.kek !== null && kept.kek === null;
      this.keys = kept;
      actions.push(this.changed());
      if (kekGone && this.registration.kind === 'none') actions.push(...this.reregister('the KEK has expired', now));
    }
    const { registration } = this;
    if (registration.kind === 'waiting' && registration.until <= now) actions.push(...this.register(now));
    else if (registration.kind === 'pull') actions.push(...registration.pull.tick(now), ...this.settle(now));
    else if (registration.kind === 'none' && this.record.attemptedRegistrations > 0 && reregistrationTime(this.keys) <= now)
      actions.push(...this.reregister('no rekey came in time', now));
    if (this.invalidSpi.take(now) && this.registration.kind === 'none') {
      const count: Action = { kind: 'count', counter: 'gdoi_invalid_spi_registrations' };
      actions.push(count, ...this.reregister('packets under an SPI we do not have', now));
    }
    return actions;
  }

  /** ESP of this group came under an SPI that is none of ours. */
  reportInvalidSpi(spi: number, now: Ms): void {
    if (this.registration.kind === 'none' && this.keys.teks.length > 0) this.invalidSpi.report(spi, this.environment.random, now);
  }

  /** `clear crypto gdoi`: registers again at once. The keys in use stay until the new ones are there, so that nothing leaks meanwhile. */
  clear(now: Ms): Action[] {
    if (this.registration.kind === 'phase1' || this.registration.kind === 'pull') return [];
    this.backoff.succeeded();
    return this.reregister('cleared by the operator', now);
  }

  /** The IV counters of our sender IDs are lost: they must never be used again, and what needs them waits (RFC 6407 §3.5). */
  renewSenderIds(now: Ms): Action[] {
    if (!this.keys.senderIds) return this.clear(now);
    this.keys = { ...this.keys, senderIds: null };
    return [this.changed(), ...this.clear(now)];
  }

  /** @returns the SA's exchange is ours */
  owns(sa: Phase1Sa, messageId: number): boolean {
    const { registration } = this;
    return registration.kind === 'pull' && registration.pull.sa === sa && registration.pull.messageId === messageId;
  }

  phase1Up(sa: Phase1Sa, now: Ms): Action[] {
    const { registration } = this;
    if (registration.kind !== 'phase1' || registration.remote.address !== sa.remote.address) return [];
    return this.pull(sa, now);
  }

  phase1Failed(remote: Endpoint, reason: string, now: Ms): Action[] {
    const { registration } = this;
    return registration.kind === 'phase1' && registration.remote.address === remote.address ? this.failed(reason, now) : [];
  }

  phase1Deleted(sa: Phase1Sa, now: Ms): Action[] {
    if (this.registration.kind !== 'pull' || this.registration.pull.sa !== sa) return [];
    this.registration.pull.fail('the key server deleted the IKE SA');
    return this.settle(now);
  }

  notification(sa: Phase1Sa, type: number, data: Uint8Array, now: Ms): Action[] {
    // RFC 2408 §3.14.1: up to 16383 are errors.
    if (this.registration.kind !== 'pull' || this.registration.pull.sa !== sa || type > 16383) return [];
    if (namesAnother(this.config.identity, data)) return [];
    const what = type === NotifyType.InvalidIdInformation ? 'group not served: INVALID-ID-INFORMATION' : `notification ${type}`;
    this.registration.pull.fail(what);
    return this.settle(now);
  }

  pullMessage(message: Uint8Array, now: Ms): Action[] {
    if (this.registration.kind !== 'pull') return [];
    const actions = this.registration.pull.receive(message, now);
    return [...actions, ...this.settle(now)];
  }

  /** The push is a repetition of the last one accepted. @returns null when it is not */
  repeatedPush(datagram: Datagram): Action[] | null {
    if (!this.lastPush.is(datagram.bytes)) return null;
    return [{ kind: 'count', counter: 'gdoi_push_duplicates' }, ...this.sendAck(this.lastAck, datagram)];
  }

  /** @param datagram whose cookies are those of our KEK @throws WireError: nothing was applied */
  push(datagram: Datagram, now: Ms): Action[] {
    const kek = this.keys.kek;
    if (!kek) throw new WireError('RFC 6407 §4.4', 'no KEK', 'gdoi_push_rejected_unknown');
    const clock = this.keys.pseudotime ?? null;
    const opened = receiveRekey(datagram.bytes, kek, this.keys, this.name, this.environment, now);
    this.keys = opened.keys;
    const { record } = this;
    recordRekey(record, datagram.remote.address, opened.sequence, now);
    const ack = kek.acknowledge && record.localAddress !== null ? buildAck(kek, opened.sequence, record.localAddress) : null;
    this.lastPush.note(datagram.bytes);
    this.lastAck = ack;
    const ends = `from ${formatIpv4(datagram.remote.address)} to ${formatIpv4(datagram.local.address)}`;
    const actions: Action[] = [
      this.changed(),
      { kind: 'count', counter: 'gdoi_rekeys_received' },
      this.log(5, 'GM_RECV_REKEY', `Received Rekey for group ${this.name} ${ends} with seq # ${opened.sequence}`),
      ...noteRekeyTime(this.name, record, clock, opened.pseudotimeMs, now),
      ...this.sendAck(ack, datagram),
    ];
    const removal = this.registration.kind === 'none' ? afterPush(this.name, this.keys, this.environment.random, now) : null;
    if (!removal) return actions;
    this.backoff.restart();
    this.registration = { kind: 'waiting', until: removal.until };
    return [...actions, removal.log];
  }

  /** From where we registered, also when the push went to a multicast address (RFC 8263 §3.4). */
  private sendAck(ack: Uint8Array | null, datagram: Datagram): Action[] {
    if (!ack) return [];
    this.record.rekeyAcksSent++;
    const local = { ...datagram.local, address: this.record.localAddress ?? datagram.local.address };
    return [
      { kind: 'count', counter: 'gdoi_rekey_acks_sent' },
      { kind: 'send', datagram: { local, remote: datagram.remote, bytes: ack } },
    ];
  }

  private reregister(reason: string, now: Ms): Action[] {
    this.backoff.restart();
    const server = this.config.serverAddresses[0];
    const start = server === undefined ? '' : ` to KS ${formatIpv4(server)}`;
    return [this.log(4, 'GM_RE_REGISTER', `Start re-registration${start} for group ${this.name}: ${reason}`), ...this.register(now)];
  }

  private register(now: Ms): Action[] {
    const server = this.backoff.choose(this.config.serverAddresses);
    if (server === null || this.config.identity === null) {
      this.registration = { kind: 'waiting', until: now + NoServerMs };
      return [];
    }
    this.record.attemptedRegistrations++;
    const address = this.environment.localAddressFor(server, this.config.registrationInterface);
    if (address === null) return this.failed('no interface with an address leads to the key server', now);
    const [local, remote] = [address, server].map((end) => ({ address: end, port: GdoiPort }));
    const text = `Start registration to KS ${formatIpv4(server)} for group ${this.name} using address ${formatIpv4(address)}`;
    this.registration = { kind: 'phase1', local, remote };
    const { sa, actions } = this.environment.connect(local, remote, now);
    return [{ kind: 'log', facility: 'CRYPTO', severity: 5, mnemonic: 'GM_REGSTER', text }, ...actions, ...(sa ? this.pull(sa, now) : [])];
  }

  private pull(sa: Phase1Sa, now: Ms): Action[] {
    if (this.config.identity === null) return [];
    const pull = new GroupkeyPull(sa, this.config.identity, this.environment.senderIdsWanted(), this.environment.random);
    this.registration = { kind: 'pull', pull };
    return pull.start(now);
  }

  private settle(now: Ms): Action[] {
    const pull = this.registration.kind === 'pull' ? this.registration.pull : null;
    const outcome = pull?.outcome;
    if (!pull || !outcome) return [];
    if (outcome.kind === 'failed') {
      const actions = this.failed(outcome.reason, now);
      if (!outcome.refused) return actions;
      return [{ kind: 'count', counter: 'gdoi_policy_rejected' }, ...actions, ...this.environment.deleteSa(pull.sa, now)];
    }
    try {
      const policy = this.environment.admit(outcome.policy, this.name);
      this.keys = applyPull(this.keys, policy, (spi) => this.environment.spiTaken(spi, this.name), this.environment.random, now);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      const actions = this.failed(error.message, now);
      return [{ kind: 'count', counter: error.counter }, ...actions, ...this.environment.deleteSa(pull.sa, now)];
    }
    return this.registered(pull.sa, outcome.ignored);
  }

  private registered(sa: Phase1Sa, ignored: readonly number[]): Action[] {
    this.registration = { kind: 'none' };
    this.backoff.succeeded();
    this.lastFailure = null;
    this.lastPush = new LastMessage();
    recordRegistration(this.record, sa);
    const ends = `KS ${formatIpv4(sa.remote.address)} complete for group ${this.name} using address ${formatIpv4(sa.local.address)}`;
    const actions: Action[] = [
      this.changed(),
      { kind: 'count', counter: 'gdoi_registrations' },
      this.log(5, 'GM_REGS_COMPL', `Registration to ${ends}`),
    ];
    if (ignored.length === 0) return actions;
    return [
      ...actions,
      this.log(6, 'GM_UNKNOWN_ATTRIBUTE', `policy of group ${this.name}: private attributes ${ignored.join(', ')} ignored`),
    ];
  }

  /** Next server, later. The keys in use stay. */
  private failed(reason: string, now: Ms): Action[] {
    const server = this.remoteAddress;
    const delay = this.backoff.failed(this.config.serverAddresses.length, this.environment.random);
    this.lastFailure = reason;
    this.registration = { kind: 'waiting', until: now + delay };
    const to = server === null ? '' : ` to KS ${formatIpv4(server)}`;
    const text = `Registration${to} for group ${this.name} failed: ${reason}; next try in ${(delay / 1000).toFixed(1)} s`;
    return [{ kind: 'count', counter: 'gdoi_registration_failures' }, this.log(3, 'GM_REG_FAILED', text)];
  }

  private changed(): Action {
    this.invalidSpi.keysChanged(this.keys.teks);
    return { kind: 'policy-changed', group: this.name };
  }

  private log(severity: Severity, mnemonic: string, text: string): Action {
    return { kind: 'log', facility: 'GDOI', severity, mnemonic, text };
  }
}
