// The policies, and the phase-1 SAs with the peers that they name: which are ours, which is used, what is told under it.

import type { Action, Ms } from '../actions.js';
import type { Ipv4 } from '../config/model.js';
import type { IkeEngine } from '../isakmp/ike-engine.js';
import type { Phase1Sa } from '../isakmp/phase1-sa.js';
import { GdoiPort, IkePort } from '../isakmp/ports.js';
import { Doi } from '../isakmp/sa-payload.js';
import { type FlowPolicy, policyFor, policyKey } from './flow-policy.js';
import type { SaPairs } from './sa-pairs.js';
import type { TrafficSelector } from './selector.js';

export class PeerSas {
  private policies = new Map<string, FlowPolicy>();
  ike: IkeEngine | null = null;

  setPolicies(policies: readonly FlowPolicy[]): void {
    this.policies = new Map(policies.map((policy) => [policyKey(policy), policy]));
  }

  /** @param key policyKey() */
  policy(key: string): FlowPolicy | undefined {
    return this.policies.get(key);
  }

  /** The first that permits this traffic between the SA's ends. */
  policyFor({ local, remote }: Phase1Sa, selector: TrafficSelector): FlowPolicy | null {
    return policyFor(this.policies.values(), local.address, remote.address, selector);
  }

  /** Whether Quick Mode is what an SA is for: of the IPsec DOI, not on GDOI's port, with a peer of ours. */
  owns({ doi, local, remote }: Phase1Sa): boolean {
    if (doi !== Doi.Ipsec || local.port === GdoiPort) return false;
    return this.hasPeer(local.address, remote.address);
  }

  hasPeer(local: Ipv4, peer: Ipv4): boolean {
    for (const policy of this.policies.values()) if (policy.local === local && policy.peers.includes(peer)) return true;
    return false;
  }

  /** Those that are up, in order of their beginning. */
  up(now: Ms): Phase1Sa[] {
    return (this.ike?.sas() ?? []).filter((sa) => sa.state === 'GDOI_IDLE' && sa.expiresAt > now && this.owns(sa));
  }

  newest(local: Ipv4, peer: Ipv4, now: Ms): Phase1Sa | null {
    return this.up(now).findLast((sa) => sa.local.address === local && sa.remote.address === peer) ?? null;
  }

  connect(local: Ipv4, peer: Ipv4, now: Ms): Action[] {
    return this.ike?.initiate({ address: local, port: IkePort }, { address: peer, port: IkePort }, now) ?? [];
  }

  /** Sends protected notifications or deletes. */
  inform(sa: Phase1Sa, payload: { type: number; body: Uint8Array }): Action[] {
    return this.ike?.inform(sa, payload) ?? [];
  }

  /** SAs with whose peer there are pairs do not end because they are idle. */
  followUse(pairs: SaPairs): void {
    for (const sa of this.ike?.sas() ?? []) if (this.owns(sa)) sa.inUse = pairs.ofPeer(sa.remote.address).length > 0;
  }
}
