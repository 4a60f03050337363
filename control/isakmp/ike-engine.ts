// IKEv1 phase 1 for GDOI, both roles, any number of peers (RFC 2408, 2409, 6407 §2). receive() and tick() return actions; no sockets, no
// timers; the clock is injected, randomness too except Diffie-Hellman's (keying-material.ts). Does: dispatch by exchange and cookies,
// lifetimes, limits, informational exchanges, logs in IOS's words at a limited rate. Does not: quick mode (control/ipsec).

import type { Action, Datagram, Endpoint, Ms, RandomBytes } from '../actions.js';
import { DefaultRegistrationRate, type IsakmpPolicy } from '../config/model.js';
import { RateGate } from '../rate-gate.js';
import { AggressiveInitiator } from './aggressive-mode.js';
import { concatBytes, equalBytes, isZero } from './bytes.js';
import { whyUnusable } from './credentials.js';
import { notEncrypted, outOfState } from './exchange-refusal.js';
import { Exchanges, idleAt, type MainModeExchange } from './exchanges.js';
import { defaultBounds, HalfOpenSet } from './half-open.js';
import { Exchange, HeaderFlag, type IsakmpHeader, readHeader } from './header.js';
import { IkeLog } from './ike-log.js';
import { configurationOf, type IkeConfiguration, type IkeEngineOptions, type IkeSettings } from './ike-options.js';
import type { IkeUser } from './ike-user.js';
import {
  deletePayload,
  HeardMessages,
  nameClearNotifications,
  notifyPayload,
  openInformational,
  sealInformational,
} from './informational.js';
import { MainModeInitiator } from './main-mode-initiator.js';
import { MainModeResponder } from './main-mode-responder.js';
import { keepaliveBytes } from './nat-traversal.js';
import { type Deletion, type Notification, NotifyType } from './notification.js';
import { makeResponder, openOffer } from './offers.js';
import type { Phase1Sa } from './phase1-sa.js';
import { startProfile } from './profiles.js';
import { Protocol } from './sa-payload.js';
import { WireError } from './wire-error.js';

export { HalfOpenMs, IdleMs } from './exchanges.js';
export type { IkeEngineOptions, IkeSettings } from './ike-options.js';
export type { IkeUser } from './ike-user.js';

export class IkeEngine {
  private configuration: IkeConfiguration;
  private acceptInbound: boolean;
  private readonly random: RandomBytes;
  private readonly user: IkeUser;
  private readonly exchanges = new Exchanges();
  private readonly halfOpen: HalfOpenSet;
  private readonly log = new IkeLog();
  private readonly heard = new HeardMessages();
  private readonly gate: RateGate;
  private serial = 0;

  constructor(options: IkeEngineOptions) {
    this.configuration = configurationOf(options);
    this.acceptInbound = options.acceptInbound;
    this.random = options.random;
    this.user = options.user;
    this.halfOpen = new HalfOpenSet(options.bounds ?? defaultBounds);
    this.gate = new RateGate(options.registrationRate ?? DefaultRegistrationRate);
  }

  /** For new exchanges; SAs and exchanges under way keep what they agreed on, but for peers whose key was taken away or changed: their SAs end. */
  reconfigure(options: IkeSettings & { acceptInbound?: boolean; registrationRate?: number }, now: Ms): Action[] {
    this.configuration = configurationOf(options);
    this.acceptInbound = options.acceptInbound ?? this.acceptInbound;
    this.gate.perSecond = options.registrationRate ?? DefaultRegistrationRate;
    return this.configuration.credentials.withoutKey(this.exchanges).flatMap(({ sa }) => this.deleteSa(sa, now));
  }

  /** All of them, also those in main mode (state MM_*, no keys yet). */
  sas(): Phase1Sa[] {
    return [...this.exchanges].map((exchange) => exchange.sa);
  }

  /** Begins main mode, or aggressive mode where a profile says so. Does nothing while one that we began with the same remote is under way; an SA that is up does not hinder. @param profile that is to be used; null = whichever fits */
  initiate(local: Endpoint, remote: Endpoint, now: Ms, profile: string | null = null): Action[] {
    if (this.exchanges.isUnderWay(remote)) return [];
    const { credentials, settings, policies: all } = this.configuration;
    const policies = credentials.usable(all, remote.address, null, profile);
    const wanted: Action = { kind: 'count', counter: 'ike_requests_sent' };
    if (policies.length === 0) return [wanted, ...this.log.unusable(all, remote, now), ...this.fail(remote, whyUnusable(all), now)];
    const authenticatorFor = (method: IsakmpPolicy['authentication']) => credentials.authenticator(method, remote.address, null, profile);
    const abilities = { natTraversal: settings.natTraversal, deadPeerDetection: true };
    const options = { serial: this.serial++, local, remote, policies, authenticatorFor, random: this.random, abilities };
    const aggressive = credentials.initiatesAggressive(remote.address, profile);
    const exchange = aggressive ? new AggressiveInitiator(options, now) : new MainModeInitiator(options, now);
    this.exchanges.add(exchange);
    return [wanted, { kind: 'count', counter: 'ike_requests_begun' }, ...exchange.start(now)];
  }

  /** Any datagram of ports 848, 500 and 4500, there without the marker (unwrapNonEsp). Never throws because of its contents. */
  receive(datagram: Datagram, now: Ms): Action[] {
    try {
      const header = readHeader(datagram.bytes);
      return this.dispatch({ ...datagram, bytes: datagram.bytes.subarray(0, header.length) }, header, now);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return this.log.refused(error, datagram.remote, now);
    }
  }

  /** Repetitions, lifetimes, giving up. */
  tick(now: Ms): Action[] {
    const actions: Action[] = [];
    for (const exchange of this.exchanges.takeDue(now)) {
      // Something that an earlier one's user did may have deleted it.
      if (!this.exchanges.has(exchange)) continue;
      if (exchange.up) actions.push(...this.tickSa(exchange, now));
      else if (exchange instanceof MainModeInitiator)
        actions.push(...(exchange.tick(now) ?? this.giveUp(exchange, exchange.failureReason(), now)));
      else actions.push(...this.giveUp(exchange, 'the initiator did not finish', now));
    }
    return actions;
  }

  /** Lifetime and idleness first, then keepalives. */
  private tickSa(exchange: MainModeExchange, now: Ms): Action[] {
    const { sa, liveness } = exchange;
    if (now >= sa.expiresAt || now >= idleAt(sa) || !liveness) return this.deleteSa(sa, now);
    const actions: Action[] = [];
    if (liveness.natKeepaliveDue(now)) {
      const datagram = { local: sa.local, remote: sa.remote, bytes: keepaliveBytes };
      actions.push({ kind: 'count', counter: 'ike_nat_keepalives_sent' }, { kind: 'send', datagram });
    }
    const probe = liveness.detection.tick(sa.lastUsedAt, now);
    if (probe === 'dead')
      return [...this.log.dead(sa.remote, now), ...(this.user.peerDead?.(sa, now) ?? []), ...this.forget(exchange, now)];
    if (probe) actions.push({ kind: 'count', counter: 'ike_dpd_sent' }, ...this.notify(sa, NotifyType.AreYouThere, probe));
    return actions;
  }

  /** When tick() has something to do; null = nothing. */
  nextTick(): Ms | null {
    return this.exchanges.nextDue();
  }

  /** Sends a Delete, forgets the SA, then tells the user (phase1Deleted). An SA still in main mode is dropped silently; an unknown one is ignored. */
  deleteSa(sa: Phase1Sa, now: Ms): Action[] {
    const exchange = this.exchanges.ofSa(sa);
    if (!exchange) return [];
    return [...(exchange.up ? this.inform(sa, deletePayload(sa)) : []), ...this.forget(exchange, now)];
  }

  /** Asks the peer of an SA that is up whether it is there (RFC 3706), whatever `crypto isakmp keepalive` says: `heardAt` of the SA tells of an answer. @returns nothing when it cannot be asked */
  ask(sa: Phase1Sa): Action[] {
    const data = sa.abilities.deadPeerDetection ? this.exchanges.ofSa(sa)?.liveness?.detection.ask() : undefined;
    return data ? [{ kind: 'count', counter: 'ike_dpd_sent' }, ...this.notify(sa, NotifyType.AreYouThere, data)] : [];
  }

  /** Sends a protected notification under an SA that is up. @param data never key material */
  notify(sa: Phase1Sa, type: number, data: Uint8Array): Action[] {
    return this.inform(sa, notifyPayload(sa, type, data));
  }

  /** Sends protected notifications or deletes under an SA that is up. */
  inform(sa: Phase1Sa, payload: { type: number; body: Uint8Array }): Action[] {
    return [{ kind: 'send', datagram: { local: sa.local, remote: sa.remote, bytes: sealInformational(sa, this.random, [payload]) } }];
  }

  private dispatch(datagram: Datagram, header: IsakmpHeader, now: Ms): Action[] {
    switch (header.exchange) {
      case Exchange.Main:
      case Exchange.Aggressive:
        return this.receivePhase1(datagram, header, now);
      case Exchange.Informational:
        return this.receiveInformational(datagram, header, now);
      case Exchange.GroupkeyPull: {
        const exchange = this.exchanges.find(datagram, header);
        if (!exchange.up) throw outOfState('PULL before phase 1 is complete');
        if (!(header.flags & HeaderFlag.Encryption)) throw notEncrypted();
        return this.user.pullMessage(exchange.sa, datagram.bytes, header, now);
      }
      case Exchange.GroupkeyPush:
      case Exchange.GroupkeyPushAck:
        return this.user.pushMessage(datagram, header, now);
      default:
        throw new WireError('RFC 2408 §5.2', `exchange type ${header.exchange}`);
    }
  }

  private receivePhase1(datagram: Datagram, header: IsakmpHeader, now: Ms): Action[] {
    if (header.messageId !== 0) throw new WireError('RFC 2408 §3.1', 'phase 1 with a message ID');
    const known = this.exchanges.get(datagram.remote, header.initiatorCookie);
    if (!known && isZero(header.responderCookie)) return this.receiveOffer(datagram, header, now);
    // Message 2 tells the initiator the responder's cookie; a repeated message 1 does not know it yet.
    const learning = known instanceof MainModeInitiator && known.sa.state.endsWith('_NO_STATE');
    const repeated = known instanceof MainModeResponder && isZero(header.responderCookie);
    const exchange = known && (learning || repeated) ? known : this.exchanges.find(datagram, header);
    if (exchange.exchange !== header.exchange) throw outOfState('a message of the other mode');
    // Message 3 costs a Diffie-Hellman. Its sender got message 2, so a forger of addresses cannot close the gate for others.
    if (exchange instanceof MainModeResponder && exchange.awaitsKeys(datagram.bytes) && !this.gate.take(datagram.remote.address, now))
      return this.log.overRate(datagram.remote, now);
    try {
      const wasUp = exchange.up;
      const actions = exchange.receive(header, datagram, now);
      this.exchanges.follow(exchange);
      if (wasUp || !exchange.up) return actions;
      exchange.liveness = startProfile(exchange.sa, this.configuration, this.random, now);
      if (exchange instanceof MainModeResponder) this.halfOpen.remove(exchange);
      return [...actions, ...this.user.phase1Up(exchange.sa, now)];
    } catch (error) {
      const telling = error instanceof WireError && error.counter !== 'ike_unexpected';
      if (telling && exchange instanceof MainModeInitiator) exchange.hint = error.message;
      throw error;
    }
  }

  /** Message 1. Creates no state unless there is a key and a policy for the peer. */
  private receiveOffer(datagram: Datagram, header: IsakmpHeader, now: Ms): Action[] {
    const { remote } = datagram;
    if (!this.acceptInbound) throw outOfState('an offer, but no group here has a key server');
    const { configuration, log, random, halfOpen } = this;
    const place = halfOpen.placeFor(remote.address);
    const offer = openOffer({ configuration, log, random }, datagram, header, now);
    const request: Action = { kind: 'count', counter: 'ike_requests_received' };
    if (Array.isArray(offer)) return [request, ...offer];
    if (place === 'full') return [request, ...log.tooManyHalfOpen(remote, now)];
    // Here message 1 costs a Diffie-Hellman, though a forger may have sent it.
    if (header.exchange === Exchange.Aggressive && !this.gate.take(remote.address, now)) return [request, ...log.overRate(remote, now)];
    const exchange = makeResponder(offer, this.serial++, now);
    const answer = exchange.answer();
    const actions: Action[] = [request, { kind: 'count', counter: 'ike_requests_accepted' }];
    if (place !== 'free') actions.push({ kind: 'count', counter: 'ike_half_open_limited' }, ...this.forget(place, now));
    this.exchanges.add(exchange);
    this.exchanges.follow(exchange);
    halfOpen.add(exchange);
    return [...actions, ...answer];
  }

  private receiveInformational(datagram: Datagram, header: IsakmpHeader, now: Ms): Action[] {
    if (!(header.flags & HeaderFlag.Encryption)) return this.receiveClear(datagram, header, now);
    const exchange = this.exchanges.find(datagram, header);
    if (!exchange.up) throw outOfState('protected notification before phase 1 is complete');
    const { notifications, deletions } = openInformational(exchange.sa, header, datagram.bytes);
    if (!this.heard.add(exchange.sa, header.messageId)) throw outOfState('repeated informational message');
    const actions: Action[] = [];
    this.proved(exchange, datagram, now);
    for (const notification of notifications) actions.push(...this.receiveNotification(exchange, notification, now));
    for (const deletion of deletions) actions.push(...this.receiveDeletion(exchange.sa, deletion, now));
    return actions;
  }

  /** The peer has proved that it is there, and, behind a translator, where (RFC 3947 §4). */
  private proved(exchange: MainModeExchange, { local, remote }: Datagram, now: Ms): void {
    exchange.liveness?.detection.heard(now);
    Object.assign(exchange.sa, { local, remote, heardAt: now });
    this.exchanges.follow(exchange);
  }

  /** Dead peer detection is answered here and is no use of the SA (RFC 3706 §5.5); the rest is the user's. */
  private receiveNotification(exchange: MainModeExchange, notification: Notification, now: Ms): Action[] {
    const { sa, liveness } = exchange;
    const reply = liveness?.detection.read(sa, notification);
    if (reply)
      return reply.answer
        ? [{ kind: 'count', counter: 'ike_dpd_answered' }, ...this.notify(sa, NotifyType.AreYouThereAck, reply.answer)]
        : [];
    sa.lastUsedAt = now;
    return this.user.notification(sa, notification.type, notification.data, now, notification);
  }

  /** The peer may delete the SAs that it has with us, no others; repeated deletes find nothing. */
  private receiveDeletion(sa: Phase1Sa, deletion: Deletion, now: Ms): Action[] {
    const actions: Action[] = [];
    if (deletion.protocol !== Protocol.Isakmp) return this.user.deletion?.(sa, deletion, now) ?? actions;
    if (deletion.spiSize !== 16) return actions;
    for (const spi of deletion.spis) {
      const exchange = this.exchanges.get(sa.remote, spi.subarray(0, 8));
      if (!exchange?.up) continue;
      const { initiatorCookie, responderCookie } = exchange.sa;
      if (equalBytes(concatBytes(initiatorCookie, responderCookie), spi)) actions.push(...this.forget(exchange, now));
    }
    return actions;
  }

  /** In clear, so from anybody: a hint for the operator, never a reason to act. */
  private receiveClear(datagram: Datagram, header: IsakmpHeader, now: Ms): Action[] {
    const name = nameClearNotifications(header, datagram.bytes);
    const known = this.exchanges.get(datagram.remote, header.initiatorCookie);
    if (known instanceof MainModeInitiator && !known.up) known.hint = `peer notified ${name} (not authenticated)`;
    return this.log.unprotected(datagram.remote, name, now);
  }

  private giveUp(exchange: MainModeExchange, reason: string, now: Ms): Action[] {
    const { remote } = exchange.sa;
    const initiated = exchange instanceof MainModeInitiator;
    return [...this.forget(exchange, now), ...(initiated ? this.fail(remote, reason, now) : this.log.failed(remote, reason, now))];
  }

  private fail(remote: Endpoint, reason: string, now: Ms): Action[] {
    return [...this.log.failed(remote, reason, now), ...this.user.phase1Failed(remote, reason, now)];
  }

  /** Removes it; tells the user when it was up. */
  private forget(exchange: MainModeExchange, now: Ms): Action[] {
    this.exchanges.remove(exchange);
    if (exchange instanceof MainModeResponder) this.halfOpen.remove(exchange);
    return exchange.up ? [{ kind: 'count', counter: 'ike_sas_deleted' }, ...this.user.phase1Deleted(exchange.sa, now)] : [];
  }
}
