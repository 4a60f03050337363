// Quick Mode exchanges from what wants or allows them to the pairs that they make: which peer is tried next, what an offer is judged by, what
// becomes of an exchange that has ended.

import type { Action, Endpoint, Ms, RandomBytes } from '../actions.js';
import { readU32 } from '../isakmp/bytes.js';
import type { Phase1Sa } from '../isakmp/phase1-sa.js';
import { WireError } from '../isakmp/wire-error.js';
import { type EspProposal, LeastSpi } from './esp-proposal.js';
import { checkRoom } from './flow-bounds.js';
import { choose, type FlowPolicy, policyKey, policyText, proposalsOf, serves } from './flow-policy.js';
import type { PairLife } from './pair-life.js';
import { deleteEsp, refusal } from './peer-messages.js';
import type { PeerSas } from './peer-sas.js';
import { counted, type NegotiatedPair, provesNothing, type QuickOutcome } from './quick-exchange.js';
import { type AnyExchange, QuickExchanges } from './quick-exchanges.js';
import { QuickInitiator } from './quick-initiator.js';
import { type QuickDecision, type QuickPolicy, QuickResponder } from './quick-responder.js';
import type { SaPair } from './sa-pairs.js';
import { selectorText, type TrafficSelector } from './selector.js';
import { type WantedFlow, WantedFlows } from './wanted-flows.js';

export interface NegotiationOptions {
  random: RandomBytes;
  /** Whether another SA of this router has the SPI: a group's. */
  spiTaken(spi: number): boolean;
  /** Whether the tables hold another flow. Absent = they do. */
  hasRoom?(): boolean;
}

export class Negotiation {
  private readonly wanted = new WantedFlows();
  private readonly exchanges = new QuickExchanges();
  /** Pairs whose message 3 has not come. */
  private readonly unproved = new Map<QuickResponder, SaPair>();
  /** What settle() has just made of an exchange of ours: it sends when message 3 is out. */
  private begun: SaPair | null = null;

  constructor(
    private readonly options: NegotiationOptions,
    private readonly peers: PeerSas,
    private readonly life: PairLife,
  ) {}

  /** Begins unless it is under way, or was in vain just now. */
  want(flow: Omit<WantedFlow, 'exchange' | 'hasRenewed'>, now: Ms): Action[] {
    const wanted = this.peers.policy(flow.policy) ? this.wanted.add(flow, now) : null;
    return wanted ? this.start(wanted, now) : [];
  }

  /** Policies have changed. */
  dropUnwanted(): void {
    for (const flow of [...this.wanted]) if (!this.peers.policy(flow.policy)) this.wanted.delete(flow.key);
  }

  receive(sa: Phase1Sa, message: Uint8Array, messageId: number, now: Ms): Action[] {
    const exchange = this.exchanges.find(sa, messageId);
    if (!exchange) return this.answer(sa, message, messageId, now);
    const isOver = exchange.outcome !== null;
    const actions = exchange.receive(message, now);
    if (isOver) return actions;
    // What settles it first: the SA is there before message 3 tells the peer to send; and message 3 before we send.
    const settled = this.settle(exchange, now);
    const pair = this.begun;
    this.begun = null;
    return [...settled, ...actions, ...(pair ? this.life.establishSoon(pair, now) : [])];
  }

  tick(now: Ms): Action[] {
    const actions: Action[] = [];
    for (const exchange of [...this.exchanges]) {
      const isOver = exchange.outcome !== null;
      actions.push(...exchange.tick(now), ...(isOver ? [] : this.settle(exchange, now)));
    }
    this.exchanges.dropEnded(now);
    return actions;
  }

  nextTick(): Ms | null {
    return this.exchanges.nextTick();
  }

  phase1Up(sa: Phase1Sa, now: Ms): Action[] {
    return this.wanted.waitingFor(sa.remote).flatMap((flow) => this.begin(flow, sa, now));
  }

  phase1Failed(peer: Endpoint, now: Ms): Action[] {
    return this.wanted.waitingFor(peer).flatMap((flow) => this.tryNext(flow, now));
  }

  phase1Deleted(sa: Phase1Sa, now: Ms): Action[] {
    return this.exchanges.ofSa(sa).flatMap((exchange) => {
      this.exchanges.delete(exchange);
      return this.end(exchange, 'the ISAKMP SA is gone', now);
    });
  }

  /** The peer has sent an error notification. @param spi that it names */
  refused(sa: Phase1Sa, type: number, spi: number | null, now: Ms): Action[] {
    const open = this.exchanges.ofSa(sa).filter((exchange) => exchange instanceof QuickInitiator && exchange.outcome === null);
    const named = (open as QuickInitiator[]).find(({ request }) => request.spi === spi);
    const refused = named ?? (open.length === 1 ? open[0] : undefined);
    return refused ? this.end(refused, `the peer refuses it: notification ${type}`, now) : [];
  }

  private end(exchange: AnyExchange, reason: string, now: Ms): Action[] {
    if (exchange.outcome) return [];
    exchange.fail(reason);
    return this.settle(exchange, now);
  }

  private answer(sa: Phase1Sa, message: Uint8Array, messageId: number, now: Ms): Action[] {
    if (messageId === 0) return [{ kind: 'count', counter: 'ipsec_quick_mode_malformed', reason: 'Quick Mode without a message ID' }];
    const exchange = new QuickResponder(sa, messageId, this.options.random, now);
    try {
      let policy = '';
      const decide: QuickPolicy['decide'] = (_, selector, offers) => {
        const decided = this.decide(sa, selector, offers);
        policy = policyKey(decided.policy);
        return decided.decision;
      };
      const actions = exchange.begin(message, { decide }, now);
      const added = this.life.add(exchange.pair as NegotiatedPair, { policy, ...this.placeOf(sa) }, now);
      this.unproved.set(exchange, added.pair);
      return [...this.register(exchange, now), ...added.actions, ...actions];
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      if (provesNothing(error)) return [counted(error)];
      const told = this.peers.inform(sa, refusal(exchange.offeredSpi, error));
      return [counted(error), ...this.life.log.failed(sa.remote.address, error.message, now), ...told];
    }
  }

  /** The first entry, in order of sequence, that permits the traffic and has a transform of the peer's. @throws WireError of the last one when there is none */
  private decide(sa: Phase1Sa, selector: TrafficSelector, offers: readonly EspProposal[]): { policy: FlowPolicy; decision: QuickDecision } {
    let error = new WireError('RFC 2409 §5.5', `no crypto map entry permits ${selectorText(selector)}`, 'ipsec_no_flow');
    for (const policy of this.peers.policiesFor(sa, selector)) {
      try {
        const chosen = choose(policy, selector, sa, offers);
        const bounds = { policyOf: (key: string) => this.peers.policy(key), hasRoom: () => this.options.hasRoom?.() ?? true };
        checkRoom(policy, selector, this.peers.endOf(sa), this.life.pairs, bounds);
        return { policy, decision: { ...chosen, spi: this.newSpi() } };
      } catch (caught) {
        if (!(caught instanceof WireError)) throw caught;
        error = caught;
      }
    }
    throw error;
  }

  /** What becomes of an exchange that has just ended. */
  private settle(exchange: AnyExchange, now: Ms): Action[] {
    const { outcome } = exchange;
    if (!outcome) return [];
    const actions =
      outcome.kind === 'done'
        ? [{ kind: 'count', counter: 'ipsec_quick_mode_completed' } as const]
        : [
            { kind: 'count', counter: 'ipsec_quick_mode_failed' } as const,
            ...this.life.log.failed(exchange.sa.remote.address, outcome.reason, now),
          ];
    const rest = exchange instanceof QuickInitiator ? this.settleOurs(exchange, outcome, now) : this.settleTheirs(exchange, outcome, now);
    return [...actions, ...rest];
  }

  private settleOurs(exchange: QuickInitiator, outcome: QuickOutcome, now: Ms): Action[] {
    const { sa } = exchange;
    const flow = this.wanted.ofExchange(exchange);
    if (outcome.kind === 'failed') {
      if (!flow) return [];
      return outcome.unanswered && !flow.hasRenewed ? this.tryAfresh(flow, sa, now) : this.tryNext(flow, now);
    }
    // Nobody wants it any more.
    if (!flow) return this.peers.inform(sa, deleteEsp([outcome.pair.inboundSpi]));
    this.wanted.delete(flow.key);
    const { pair, actions } = this.life.add(outcome.pair, { policy: flow.policy, ...this.placeOf(sa) }, now);
    const rekeyed: Action[] = flow.isRekey ? [{ kind: 'count', counter: 'ipsec_rekeys' }] : [];
    this.begun = pair;
    return [...rekeyed, ...actions];
  }

  private settleTheirs(exchange: QuickResponder, outcome: QuickOutcome, now: Ms): Action[] {
    const pair = this.unproved.get(exchange);
    this.unproved.delete(exchange);
    if (!pair) return [];
    return outcome.kind === 'done' ? this.life.establish(pair) : this.life.remove([pair], true, now);
  }

  /** Under the SA that there is with its peer, else phase 1 first. */
  private start(flow: WantedFlow, now: Ms): Action[] {
    const policy = this.peers.policy(flow.policy);
    if (!policy) return [];
    const { end, peers } = flow;
    const sa = end ? this.peers.newestWith(end, now) : this.peers.newest(policy, peers[0], now);
    if (sa && serves(policy, sa)) return this.begin(flow, sa, now);
    const { local, profile = null } = policy;
    return end ? this.peers.reconnect(end, profile, now) : this.peers.connect(local, peers[0], profile, now);
  }

  private placeOf(sa: Phase1Sa): Pick<SaPair, 'peer' | 'local' | 'remote'> {
    return { peer: this.peers.endOf(sa), local: sa.local, remote: sa.remote };
  }

  private begin(flow: WantedFlow, sa: Phase1Sa, now: Ms): Action[] {
    const policy = this.peers.policy(flow.policy);
    if (policy?.local !== sa.local.address) return [];
    if (!serves(policy, sa)) {
      // The peer began that one; ours is under way.
      if (!sa.initiator) return [];
      const text = `its identity does not match isakmp profile ${policy.profile} of ${policyText(policy)}`;
      return [...this.life.log.failed(sa.remote.address, text, now), ...this.tryNext(flow, now)];
    }
    const request = { selector: flow.selector, proposals: proposalsOf(policy, flow.selector, sa), spi: this.newSpi() };
    const exchange = new QuickInitiator(sa, request, this.options.random, now);
    flow.exchange = exchange;
    return [...this.register(exchange, now), ...exchange.start(now)];
  }

  /** The same peer, under a new phase-1 SA. */
  private tryAfresh(flow: WantedFlow, sa: Phase1Sa, now: Ms): Action[] {
    Object.assign(flow, { exchange: null, hasRenewed: true });
    const farewell = this.peers.ike?.deleteSa(sa, now) ?? [];
    return [...farewell, ...(this.wanted.has(flow) ? this.start(flow, now) : [])];
  }

  private tryNext(flow: WantedFlow, now: Ms): Action[] {
    return this.wanted.has(flow) && this.wanted.nextPeer(flow, now) ? this.start(flow, now) : [];
  }

  /** Others make room for it. */
  private register(exchange: AnyExchange, now: Ms): Action[] {
    return this.exchanges.add(exchange).flatMap((old) => this.end(old, 'too many exchanges at once', now));
  }

  private newSpi(): number {
    for (;;) {
      const spi = readU32(this.options.random(4), 0);
      if (spi >= LeastSpi && !this.life.pairs.usesInboundSpi(spi) && !this.options.spiTaken(spi)) return spi;
    }
  }
}
