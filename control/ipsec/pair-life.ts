// Pairs of SAs come and go: tables, counters, logs and the peer are told.

import type { Action, Ms } from '../actions.js';
import { IpsecLog } from './ipsec-log.js';
import type { PeerEnd } from './peer-end.js';
import { deleteEsp } from './peer-messages.js';
import type { PeerSas } from './peer-sas.js';
import type { NegotiatedPair } from './quick-exchange.js';
import { flowKey, type SaPair, SaPairs } from './sa-pairs.js';

/** Message 3 is on its way, and the peer is busy. */
const SettleMs = 1000;

export class PairLife {
  readonly pairs = new SaPairs();
  readonly log = new IpsecLog();

  constructor(private readonly peers: PeerSas) {}

  /** It receives; establish() lets it send. */
  add(agreed: NegotiatedPair, place: Pick<SaPair, 'policy' | 'peer' | 'local' | 'remote'>, now: Ms): { pair: SaPair; actions: Action[] } {
    const { pair, surplus } = this.pairs.add(agreed, { ...place, established: false }, now);
    this.peers.followUse(this.pairs);
    return { pair, actions: [{ kind: 'sas-changed' }, ...this.remove(surplus, true, now)] };
  }

  /** The peer has proved that it has the SA towards it. A pair that is gone meanwhile stays gone. */
  establish(pair: SaPair): Action[] {
    if (!this.pairs.has(pair)) return [];
    const isFirst = !this.hasEstablished(pair);
    pair.established = true;
    pair.sendsAt = Number.POSITIVE_INFINITY;
    return [{ kind: 'sas-changed' }, ...(isFirst ? this.log.session('UP', pair.remote) : [])];
  }

  /**
   * We have sent message 3, upon which the peer takes the SA towards it into use: a replacement gives it time for that, and the old pair sends on. What
   * came before message 3 would be lost. A peer that set the commit bit is given it for the first pair too, unless it says CONNECTED before.
   */
  establishSoon(pair: SaPair, now: Ms): Action[] {
    if (!this.pairs.has(pair)) return [];
    if (!pair.awaitsConnected && !this.pairs.sending(flowKey(pair))) return this.establish(pair);
    pair.sendsAt = now + SettleMs;
    return [];
  }

  /** The peer says CONNECTED (RFC 2408 §3.1). @param spi that it names: of the SA towards it; null = of all that wait */
  connected(peer: PeerEnd, spi: number | null): Action[] {
    const waiting = this.pairs.ofPeer(peer).filter(({ awaitsConnected, sendsAt }) => awaitsConnected && Number.isFinite(sendsAt));
    const named = waiting.filter(({ outboundSpi, inboundSpi }) => spi === null || spi === outboundSpi || spi === inboundSpi);
    return named.flatMap((pair) => this.establish(pair));
  }

  /** Replacements whose time has come. */
  tick(now: Ms): Action[] {
    return [...this.pairs].filter(({ sendsAt }) => sendsAt <= now).flatMap((pair) => this.establish(pair));
  }

  /** Behind a translator a peer's port may change (RFC 3947 §4): ESP in UDP goes where phase 1 goes. */
  followPorts(now: Ms): Action[] {
    const actions: Action[] = [];
    this.peers.followPorts(now);
    for (const pair of this.pairs) {
      const sa = pair.suite.udp ? this.peers.newestWith(pair.peer, now) : null;
      if (!sa || sa.remote.port === pair.remote.port) continue;
      pair.remote = sa.remote;
      actions.push({ kind: 'sas-changed' });
    }
    return actions;
  }

  /** @param tell the peer, which may still send under them */
  remove(pairs: readonly SaPair[], tell: boolean, now: Ms): Action[] {
    const actions: Action[] = [];
    for (const pair of pairs) {
      if (!this.pairs.delete(pair)) continue;
      const sa = tell ? this.peers.newestWith(pair.peer, now) : null;
      actions.push({ kind: 'count', counter: 'ipsec_sas_deleted' }, { kind: 'sas-changed' });
      if (sa) actions.push(...this.peers.inform(sa, deleteEsp([pair.inboundSpi])));
      if (pair.established && !this.hasEstablished(pair)) actions.push(...this.log.session('DOWN', pair.remote));
    }
    if (actions.length > 0) this.peers.followUse(this.pairs);
    return actions;
  }

  private hasEstablished({ peer }: SaPair): boolean {
    return this.pairs.ofPeer(peer).some(({ established }) => established);
  }
}
