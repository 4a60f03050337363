// The GROUPKEY-PULL exchanges that a key server has under way or still repeats: bounded in all and per phase-1 SA, found and removed at
// the same cost whatever their number. Does not: what they hold.

import type { Ms } from '../actions.js';
import { toHex } from '../isakmp/bytes.js';
import type { Phase1Sa } from '../isakmp/phase1-sa.js';

/** An exchange takes less than a second; the rest is repetitions. */
const ExchangeLifeMs = 60_000;
const MaxPerSa = 8;
const MaxExchanges = 4096;

interface Served {
  sa: Phase1Sa;
  messageId: number;
  createdAt: Ms;
}

function keyOf(sa: Phase1Sa, messageId: number): string {
  return `${toHex(sa.initiatorCookie)}${toHex(sa.responderCookie)}${messageId}`;
}

export class ServedExchanges<T extends Served> {
  /** In order of creation. */
  private readonly exchanges = new Map<string, T>();
  private readonly keysOfSa = new Map<Phase1Sa, Set<string>>();

  find(sa: Phase1Sa, messageId: number): T | undefined {
    return this.exchanges.get(keyOf(sa, messageId));
  }

  /** Old exchanges make room for new ones: a member that never finishes must not lock others out. */
  makeRoom(sa: Phase1Sa): void {
    const own = this.keysOfSa.get(sa);
    if (own && own.size >= MaxPerSa) this.deleteKey(own.values().next().value as string);
    if (this.exchanges.size >= MaxExchanges) this.deleteKey(this.exchanges.keys().next().value as string);
  }

  add(exchange: T): void {
    const key = keyOf(exchange.sa, exchange.messageId);
    this.exchanges.set(key, exchange);
    const own = this.keysOfSa.get(exchange.sa);
    if (own) own.add(key);
    else this.keysOfSa.set(exchange.sa, new Set([key]));
  }

  delete(exchange: T): void {
    this.deleteKey(keyOf(exchange.sa, exchange.messageId));
  }

  /** The SA is gone, and with it its exchanges. */
  forget(sa: Phase1Sa): void {
    for (const key of [...(this.keysOfSa.get(sa) ?? [])]) this.deleteKey(key);
  }

  dropOld(now: Ms): void {
    for (const [key, { createdAt }] of this.exchanges) {
      if (now - createdAt <= ExchangeLifeMs) return;
      this.deleteKey(key);
    }
  }

  private deleteKey(key: string): void {
    const exchange = this.exchanges.get(key);
    if (!exchange) return;
    this.exchanges.delete(key);
    const own = this.keysOfSa.get(exchange.sa);
    own?.delete(key);
    if (own?.size === 0) this.keysOfSa.delete(exchange.sa);
  }
}
