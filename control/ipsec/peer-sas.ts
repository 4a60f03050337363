// The policies, and the phase-1 SAs with their peers: which are ours, whom each is with, which is used, what is told under it.

import type { Action, Endpoint, Ms } from '../actions.js';
import type { Ipv4 } from '../config/model.js';
import type { IkeEngine } from '../isakmp/ike-engine.js';
import type { Phase1Sa } from '../isakmp/phase1-sa.js';
import { GdoiPort, IkePort, NatPort } from '../isakmp/ports.js';
import { Doi } from '../isakmp/sa-payload.js';
import { admits, type FlowPolicy, policiesFor, policyKey, serves } from './flow-policy.js';
import { type PeerEnd, PeerEnds } from './peer-end.js';
import type { SaPairs } from './sa-pairs.js';
import type { TrafficSelector } from './selector.js';

export class PeerSas {
  private policies = new Map<string, FlowPolicy>();
  private readonly ends = new PeerEnds();
  /** Of entries with several peers: those that gave no answer when they were asked last. */
  private readonly silent = new Set<Ipv4>();
  ike: IkeEngine | null = null;

  setPolicies(policies: readonly FlowPolicy[]): void {
    this.policies = new Map(policies.map((policy) => [policyKey(policy), policy]));
    for (const peer of this.silent) if (!this.hasAlternative(peer)) this.silent.delete(peer);
  }

  private hasAlternative(peer: Ipv4): boolean {
    return [...this.policies.values()].some(({ peers }) => peers.length > 1 && peers.includes(peer));
  }

  /** It gave no answer, or is dead. */
  noteSilent(peer: Ipv4): void {
    if (this.hasAlternative(peer)) this.silent.add(peer);
  }

  noteAlive(peer: Ipv4): void {
    this.silent.delete(peer);
  }

  /** Of an entry, in the order to try: who gave no answer stands behind the others, so that with a dead first peer not every attempt waits for it. */
  inTurn({ peers }: FlowPolicy): Ipv4[] {
    const isSilent = (peer: Ipv4): boolean => this.silent.has(peer);
    return [...peers.filter((peer) => !isSilent(peer)), ...peers.filter(isSilent)];
  }

  /** @param key policyKey() */
  policy(key: string): FlowPolicy | undefined {
    return this.policies.get(key);
  }

  /** Those that permit this traffic between the SA's ends, in order. */
  policiesFor(sa: Phase1Sa, selector: TrafficSelector): FlowPolicy[] {
    return policiesFor(this.policies.values(), sa, selector);
  }

  /** Whether Quick Mode is what an SA is for: of the IPsec DOI, not on GDOI's port, with a peer of ours. */
  owns({ doi, local, remote }: Phase1Sa): boolean {
    if (doi !== Doi.Ipsec || local.port === GdoiPort) return false;
    for (const policy of this.policies.values()) if (policy.local === local.address && admits(policy, remote.address)) return true;
    return false;
  }

  /** Whether a peer is configured with which we begin. */
  hasPeer(local: Ipv4, peer: Ipv4): boolean {
    for (const policy of this.policies.values()) if (policy.local === local && !policy.dynamic && policy.peers.includes(peer)) return true;
    return false;
  }

  /** Whether a dynamic entry that might be with this address says that it be called. */
  recoversFrom(local: Ipv4, peer: Ipv4): boolean {
    return [...this.policies.values()].some((policy) => policy.recovers === true && policy.local === local && admits(policy, peer));
  }

  /** Those that are up, in order of their beginning. */
  up(now: Ms): Phase1Sa[] {
    return (this.ike?.sas() ?? []).filter((sa) => sa.state === 'GDOI_IDLE' && sa.expiresAt > now && this.owns(sa));
  }

  /** With whom an SA is that is up. */
  endOf(sa: Phase1Sa): PeerEnd {
    return this.ends.of(sa);
  }

  /** Of those with a peer at this address, of which there may be several behind a translator. */
  newest(policy: FlowPolicy, peer: Ipv4, now: Ms): Phase1Sa | null {
    return this.up(now).findLast((sa) => sa.remote.address === peer && serves(policy, sa)) ?? null;
  }

  /** One with each peer at this address. */
  newestOfEach(local: Ipv4, peer: Ipv4, now: Ms): Phase1Sa[] {
    const sas = this.up(now).filter((sa) => sa.local.address === local && sa.remote.address === peer);
    return [...new Map(sas.map((sa) => [this.endOf(sa), sa])).values()];
  }

  newestWith(peer: PeerEnd, now: Ms): Phase1Sa | null {
    const isUp = ({ state, expiresAt }: Phase1Sa): boolean => state === 'GDOI_IDLE' && expiresAt > now;
    // Also when the configuration has no such peer any more: it is to learn that it is over.
    return (this.ike?.sas() ?? []).findLast((sa) => isUp(sa) && this.ends.isOf(sa, peer)) ?? null;
  }

  /** @param profile that is to be used; null = whichever fits */
  connect(local: Ipv4, peer: Ipv4, profile: string | null, now: Ms): Action[] {
    return this.begin({ address: local, port: IkePort }, { address: peer, port: IkePort }, profile, now);
  }

  /** Who stands behind a translator is reached where it sends from, while the translator remembers that. */
  reconnect({ local, remote, translated }: PeerEnd, profile: string | null, now: Ms): Action[] {
    if (!translated) return this.connect(local, remote.address, profile, now);
    return this.begin({ address: local, port: NatPort }, remote, profile, now);
  }

  private begin(local: Endpoint, remote: Endpoint, profile: string | null, now: Ms): Action[] {
    return this.ike?.initiate(local, remote, now, profile) ?? [];
  }

  /** Sends protected notifications or deletes. */
  inform(sa: Phase1Sa, payload: { type: number; body: Uint8Array }): Action[] {
    return this.ike?.inform(sa, payload) ?? [];
  }

  /** Ports may have changed. */
  followPorts(now: Ms): void {
    this.ends.follow(this.up(now));
  }

  /** SAs with whose peer there are pairs do not end because they are idle. */
  followUse(pairs: SaPairs): void {
    const sas = this.up(0);
    this.ends.keep(
      sas,
      [...pairs].map(({ peer }) => peer),
    );
    for (const sa of sas) sa.inUse = pairs.ofPeer(this.endOf(sa)).length > 0;
  }
}
