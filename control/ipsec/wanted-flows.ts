// Flows for which a pair of SAs is wanted: which peer is tried, what is waited for, and how long to be quiet after a failure, so that
// traffic towards a peer that does not answer costs one attempt in ten seconds and not one a packet.

import type { Endpoint, Ms } from '../actions.js';
import type { Ipv4 } from '../config/model.js';
import type { PeerEnd } from './peer-end.js';
import type { QuickInitiator } from './quick-initiator.js';
import type { TrafficSelector } from './selector.js';

const QuietMs = 10_000;

export interface WantedFlow {
  key: string;
  /** policyKey(). */
  policy: string;
  selector: TrafficSelector;
  /** Still to be tried; the first is being tried. */
  peers: Ipv4[];
  /** The first of them, where it is known which of those at that address is meant: what there is with it is replaced. */
  end: PeerEnd | null;
  /** null: phase 1 is waited for. */
  exchange: QuickInitiator | null;
  isRekey: boolean;
  /** An SA that the peer did not answer under was replaced. */
  hasRenewed: boolean;
}

export class WantedFlows {
  private readonly flows = new Map<string, WantedFlow>();
  private readonly quietUntil = new Map<string, Ms>();

  [Symbol.iterator](): Iterator<WantedFlow> {
    return this.flows.values();
  }

  /** @returns null when it is wanted already, or was in vain just now */
  add(flow: Omit<WantedFlow, 'exchange' | 'hasRenewed'>, now: Ms): WantedFlow | null {
    if (this.flows.has(flow.key) || flow.peers.length === 0) return null;
    const until = this.quietUntil.get(flow.key) ?? 0;
    // A clock that was set back must not make it quiet for long.
    if (now < until && until - now <= QuietMs) return null;
    this.quietUntil.delete(flow.key);
    const wanted = { ...flow, exchange: null, hasRenewed: false };
    this.flows.set(flow.key, wanted);
    return wanted;
  }

  /** Those that wait for phase 1 with this peer. */
  waitingFor({ address, port }: Endpoint): WantedFlow[] {
    return [...this.flows.values()].filter(({ peers, exchange, end }) => {
      const isOther = end?.translated === true && end.remote.port !== port;
      return exchange === null && peers[0] === address && !isOther;
    });
  }

  ofExchange(exchange: QuickInitiator): WantedFlow | null {
    for (const flow of this.flows.values()) if (flow.exchange === exchange) return flow;
    return null;
  }

  /** It has what it wanted, or nobody wants it any more. */
  delete(key: string): void {
    this.flows.delete(key);
  }

  has(flow: WantedFlow): boolean {
    return this.flows.get(flow.key) === flow;
  }

  /** The peer that was tried does not do. @returns whether there is another one to try */
  nextPeer(flow: WantedFlow, now: Ms): boolean {
    Object.assign(flow, { exchange: null, hasRenewed: false, end: null });
    flow.peers = flow.peers.slice(1);
    if (flow.peers.length > 0) return true;
    this.flows.delete(flow.key);
    this.quietUntil.set(flow.key, now + QuietMs);
    for (const [key, until] of this.quietUntil) if (until <= now) this.quietUntil.delete(key);
    return false;
  }
}
