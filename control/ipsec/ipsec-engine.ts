// Site-to-site IPsec of one router: pairs of SAs by Quick Mode (RFC 2409 §5.5), made when traffic wants them, replaced before they expire, ended
// when the peer says so or is dead. Sits on phase 1 as its user. Sans-I/O: every method returns actions, to be carried out in order;
// `sas-changed` comes before the message upon which the peer begins to send.

import type { Action, Endpoint, Ms } from '../actions.js';
import { type Ipv4, isCombinedMode } from '../config/model.js';
import type { IsakmpHeader } from '../isakmp/header.js';
import type { IkeEngine, IkeUser } from '../isakmp/ike-engine.js';
import { type Deletion, type Notification, NotifyType } from '../isakmp/notification.js';
import type { Phase1Sa } from '../isakmp/phase1-sa.js';
import { Contacts } from './contacts.js';
import { admits, type FlowPolicy, isOf, permits } from './flow-policy.js';
import { Negotiation, type NegotiationOptions } from './negotiation.js';
import { PairLife } from './pair-life.js';
import type { PeerEnd } from './peer-end.js';
import { deletedSpis, invalidSpi, isErrorType, unknownSpi } from './peer-messages.js';
import { PeerSas } from './peer-sas.js';
import { Phase1Renewal } from './phase1-renewal.js';
import { flowKey, type SaPair, type SaPairs } from './sa-pairs.js';
import type { TrafficSelector } from './selector.js';

/** After a replacement that came to nothing. */
const RetryMs = 10_000;
/** Seven eighths of 2^32: what is left lasts nine minutes at a million packets a second. */
const LateSequence = 7 * 2 ** 29;

export class IpsecEngine implements IkeUser {
  private readonly peers = new PeerSas();
  private readonly life = new PairLife(this.peers);
  private readonly negotiation: Negotiation;
  private readonly renewal = new Phase1Renewal((sa) => this.peers.endOf(sa));
  private readonly contacts = new Contacts();

  constructor(options: NegotiationOptions) {
    this.negotiation = new Negotiation(options, this.peers, this.life);
  }

  /** Pairs that are there. To be read only. */
  get pairs(): SaPairs {
    return this.life.pairs;
  }

  /** The phase-1 engine whose user this is. */
  attach(ike: IkeEngine): void {
    this.peers.ike = ike;
  }

  /** Pairs that the new policies would not have made end; lifetimes hold for the next ones. */
  configure(policies: readonly FlowPolicy[], now: Ms): Action[] {
    const unwanted = [...this.pairs];
    this.peers.setPolicies(policies);
    this.negotiation.dropUnwanted();
    return this.life.remove(
      unwanted.filter((pair) => !this.isStillWanted(pair)),
      true,
      now,
    );
  }

  /** Whether a phase-1 SA is for Quick Mode. */
  owns(sa: Phase1Sa): boolean {
    return this.peers.owns(sa);
  }

  /** Traffic that a line of the policy's list permits has no SA. @param policy policyKey() */
  demand(policy: string, selector: TrafficSelector, now: Ms): Action[] {
    const key = flowKey({ policy, selector });
    // It may have come while the tables were on their way.
    if (this.pairs.sending(key)) return [];
    const wanted = this.peers.policy(policy);
    // Peers of a dynamic map begin.
    if (!wanted || wanted.dynamic) return [];
    const peers = this.peers.inTurn(wanted);
    return this.negotiation.want({ key, policy, selector, peers, end: this.lastPeerOf(policy, peers[0]), isRekey: false }, now);
  }

  /** Bytes that have passed under a pair. @param bytes of the direction that had more */
  noteVolume(inboundSpi: number, bytes: number, now: Ms): Action[] {
    const pair = [...this.pairs].find((other) => other.inboundSpi === inboundSpi);
    const verdict = pair ? this.pairs.volumeVerdict(pair, bytes) : 'fine';
    if (!pair || verdict === 'fine') return [];
    const replacement = this.pairs.isNewest(pair) && (verdict === 'expired' || now >= pair.retryAt) ? this.replace(pair, now) : [];
    return verdict === 'expired' ? [...replacement, ...this.life.remove([pair], true, now)] : replacement;
  }

  /** How far an SA towards a peer has counted: it is replaced in time, well before 2^32 would have to come (RFC 4303 §3.3.3). @param sequence last one sent */
  noteSequence(outboundSpi: number, sequence: number, now: Ms): Action[] {
    const pair = this.newestTo(outboundSpi);
    return pair && !pair.suite.extended && sequence >= LateSequence && now >= pair.retryAt ? this.replace(pair, now) : [];
  }

  /** Numbers of the SA towards a peer are used up: it is replaced, and ends when that is done. */
  exhausted(outboundSpi: number, now: Ms): Action[] {
    const pair = this.newestTo(outboundSpi);
    return pair ? this.replace(pair, now) : [];
  }

  private newestTo(outboundSpi: number): SaPair | undefined {
    return [...this.pairs].find((pair) => pair.outboundSpi === outboundSpi && this.pairs.isNewest(pair));
  }

  /** A dataplane came up. What it has no IV counters of must not be sent with again: those counters may have died with another. @param known `SPI:0` */
  dataplaneUp(known: ReadonlySet<string>, now: Ms): Action[] {
    const lost = [...this.pairs].filter(({ suite, outboundSpi }) => isCombinedMode(suite.encryption) && !known.has(`${outboundSpi}:0`));
    return this.life.remove(lost, true, now);
  }

  /** `clear crypto sa`. @param peer null = all */
  clear(peer: Ipv4 | null, now: Ms): Action[] {
    return this.life.remove(
      [...this.pairs].filter(({ remote }) => peer === null || remote.address === peer),
      true,
      now,
    );
  }

  /** Phase-1 SAs with peers end, what is under way too. @param peer null = all */
  disconnect(peer: Ipv4 | null, now: Ms): Action[] {
    const { ike } = this.peers;
    const sas = (ike?.sas() ?? []).filter((sa) => this.peers.owns(sa) && (peer === null || sa.remote.address === peer));
    return sas.flatMap((sa) => ike?.deleteSa(sa, now) ?? []);
  }

  /** ESP came to us under an SPI that is not here: the peer learns it if there is an SA to tell it under (RFC 2408 §3.14.1). */
  invalidSpi(spi: number, source: Ipv4, destination: Ipv4, now: Ms): Action[] {
    const sas = this.peers.newestOfEach(destination, source, now);
    if (sas.length === 0) return this.recover(source, destination, now);
    if (!this.contacts.mayTell(source, now)) return [];
    // Which of those behind a translator it came from is not known; to the others it says nothing.
    return sas.flatMap((sa) => [{ kind: 'count', counter: 'ipsec_invalid_spi_sent' }, ...this.peers.inform(sa, invalidSpi(spi))]);
  }

  /** We have lost everything, and the peer does not know: INITIAL-CONTACT of a new SA tells it. */
  private recover(source: Ipv4, destination: Ipv4, now: Ms): Action[] {
    const isConfigured = this.peers.hasPeer(destination, source);
    if (!isConfigured && !this.peers.recoversFrom(destination, source)) return [];
    if (!this.contacts.mayTell(source, now) || this.contacts.hasAddress(source)) return [];
    return isConfigured || this.contacts.mayCallStranger(now) ? this.peers.connect(destination, source, null, now) : [];
  }

  tick(now: Ms): Action[] {
    const actions = [...this.negotiation.tick(now), ...this.life.tick(now), ...this.life.followPorts(now)];
    for (const pair of [...this.pairs]) {
      if (now >= pair.expiresAt) actions.push(...this.life.remove([pair], true, now));
      else if (now >= this.pairs.changeTime(pair)) actions.push(...this.replace(pair, now));
    }
    for (const sa of this.renewal.due(this.peers.up(now), now))
      actions.push(...this.peers.reconnect(this.peers.endOf(sa), sa.profile ?? null, now));
    return actions;
  }

  /** When tick() has something to do; null = nothing. */
  nextTick(): Ms | null {
    const times = [this.negotiation.nextTick(), this.pairs.nextChange(), this.renewal.next(this.peers.up(0))].filter(
      (time) => time !== null,
    );
    return times.length > 0 ? Math.min(...times) : null;
  }

  phase1Up(sa: Phase1Sa, now: Ms): Action[] {
    const peer = this.peers.endOf(sa);
    // RFC 2407 §4.6.3.3: the first SA since we started: what the peer still has with us is worth nothing.
    const isFirst = !this.contacts.has(peer) && this.pairs.ofPeer(peer).length === 0;
    const greeting = isFirst ? (this.peers.ike?.notify(sa, NotifyType.InitialContact, new Uint8Array(0)) ?? []) : [];
    this.contacts.add(peer);
    this.peers.noteAlive(sa.remote.address);
    this.peers.followUse(this.pairs);
    const lost = sa.saidInitialContact ? this.endBefore(sa, now) : [];
    return [...lost, ...greeting, ...this.negotiation.phase1Up(sa, now)];
  }

  phase1Failed(remote: Endpoint, _reason: string, now: Ms): Action[] {
    this.peers.noteSilent(remote.address);
    return this.negotiation.phase1Failed(remote, now);
  }

  /** The pairs live on: nothing ties them to the SA that they were agreed under. What was under way tries the next peer. */
  phase1Deleted(sa: Phase1Sa, now: Ms): Action[] {
    return this.negotiation.phase1Deleted(sa, now);
  }

  peerDead(sa: Phase1Sa, now: Ms): Action[] {
    this.peers.noteSilent(sa.remote.address);
    return this.life.remove(this.pairs.ofPeer(this.peers.endOf(sa)), false, now);
  }

  /** Quick Mode, under an SA that is owns(). */
  pullMessage(sa: Phase1Sa, message: Uint8Array, { messageId }: IsakmpHeader, now: Ms): Action[] {
    return this.negotiation.receive(sa, message, messageId, now);
  }

  pushMessage(): Action[] {
    return [];
  }

  notification(sa: Phase1Sa, type: number, _data: Uint8Array, now: Ms, whole: Notification): Action[] {
    const pairs = this.pairs.ofPeer(this.peers.endOf(sa));
    if (type === NotifyType.InitialContact) return this.endBefore(sa, now);
    const spi = unknownSpi(whole);
    if (type === NotifyType.Connected) return this.life.connected(this.peers.endOf(sa), spi);
    if (!isErrorType(type)) return [];
    if (type !== NotifyType.InvalidSpi) return this.negotiation.refused(sa, type, spi, now);
    const unknown = pairs.filter(({ outboundSpi }) => outboundSpi === spi);
    if (unknown.length === 0) return [];
    return [{ kind: 'count', counter: 'ipsec_invalid_spi_received' }, ...this.life.remove(unknown, true, now)];
  }

  /** The peer has begun anew: it has nothing of what there was before this SA. */
  private endBefore(sa: Phase1Sa, now: Ms): Action[] {
    const old = this.pairs.ofPeer(this.peers.endOf(sa)).filter(({ createdAt }) => createdAt < sa.establishedAt);
    return this.life.remove(old, false, now);
  }

  deletion(sa: Phase1Sa, deletion: Deletion, now: Ms): Action[] {
    const spis = deletedSpis(deletion);
    const gone = this.pairs.ofPeer(this.peers.endOf(sa)).filter(({ outboundSpi }) => spis.includes(outboundSpi));
    return this.life.remove(gone, false, now);
  }

  /** The peer that it is with first, then the entry's others. */
  private replace(pair: SaPair, now: Ms): Action[] {
    pair.retryAt = now + RetryMs;
    const { policy, selector, remote, peer: end } = pair;
    // Without a phase-1 SA it is a peer of a dynamic map that has to come back.
    const wanted = this.peers.policy(policy);
    if (wanted?.dynamic && !this.peers.newestWith(end, now)) return [];
    const others = wanted ? this.peers.inTurn(wanted).filter((other) => other !== remote.address) : [];
    return this.negotiation.want({ key: flowKey(pair), policy, selector, peers: [remote.address, ...others], end, isRekey: true }, now);
  }

  /** Where several peers share an address: with whom there was something under this policy last. */
  private lastPeerOf(policy: string, peer: Ipv4): PeerEnd | null {
    return [...this.pairs].findLast((pair) => pair.policy === policy && pair.remote.address === peer)?.peer ?? null;
  }

  private isStillWanted({ policy: key, selector, suite, remote }: SaPair): boolean {
    const policy = this.peers.policy(key);
    if (!policy || !admits(policy, remote.address) || !permits(policy, selector)) return false;
    return policy.suites.some((wanted) => isOf(suite, wanted));
  }
}
