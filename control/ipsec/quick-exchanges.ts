// The Quick Mode exchanges under way, and those that ended a moment ago, whose last message may have to be sent again. Bounded in all and per
// phase-1 SA: a peer that never finishes must not keep others out.

import type { Ms } from '../actions.js';
import { toHex } from '../isakmp/bytes.js';
import type { Phase1Sa } from '../isakmp/phase1-sa.js';
import type { QuickInitiator } from './quick-initiator.js';
import type { QuickResponder } from './quick-responder.js';

/** An exchange takes less than a second; the rest is repetitions. */
const LifeMs = 60_000;
const MaxPerSa = 16;
const MaxExchanges = 1024;

export type AnyExchange = QuickInitiator | QuickResponder;

function keyOf({ initiatorCookie, responderCookie }: Phase1Sa, messageId: number): string {
  return `${toHex(initiatorCookie)}${toHex(responderCookie)}${messageId}`;
}

export class QuickExchanges {
  /** In order of creation. */
  private readonly exchanges = new Map<string, AnyExchange>();

  [Symbol.iterator](): Iterator<AnyExchange> {
    return this.exchanges.values();
  }

  get size(): number {
    return this.exchanges.size;
  }

  find(sa: Phase1Sa, messageId: number): AnyExchange | undefined {
    return this.exchanges.get(keyOf(sa, messageId));
  }

  ofSa(sa: Phase1Sa): AnyExchange[] {
    return [...this.exchanges.values()].filter((exchange) => exchange.sa === sa);
  }

  /** @returns those that had to make room */
  add(exchange: AnyExchange): AnyExchange[] {
    const own = this.ofSa(exchange.sa);
    const gone = own.length >= MaxPerSa ? [own[0]] : this.size >= MaxExchanges ? [...this.exchanges.values()].slice(0, 1) : [];
    for (const old of gone) this.delete(old);
    this.exchanges.set(keyOf(exchange.sa, exchange.messageId), exchange);
    return gone;
  }

  delete({ sa, messageId }: AnyExchange): void {
    this.exchanges.delete(keyOf(sa, messageId));
  }

  dropEnded(now: Ms): void {
    for (const exchange of this.exchanges.values()) {
      const age = now - exchange.startedAt;
      if (exchange.outcome && (age > LifeMs || age < 0)) this.delete(exchange);
    }
  }

  nextTick(): Ms | null {
    let next: Ms | null = null;
    for (const exchange of this.exchanges.values()) {
      const at = exchange.nextTick();
      if (at !== null && (next === null || at < next)) next = at;
    }
    return next;
  }
}
