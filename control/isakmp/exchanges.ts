// The exchanges and SAs of one engine, by the peer's end and the initiator's cookie.

import type { Endpoint, Ms } from '../actions.js';
import { equalBytes, toHex } from './bytes.js';
import { ExchangeRefusal } from './exchange-refusal.js';
import { ExchangeTable } from './exchange-table.js';
import type { IsakmpHeader } from './header.js';
import { MainModeInitiator } from './main-mode-initiator.js';
import type { MainModeResponder } from './main-mode-responder.js';
import type { Phase1Sa } from './phase1-sa.js';

/** A responder's exchange that is not complete by then is given up: longer than the initiator's five sendings take. */
export const HalfOpenMs = 45_000;
/** An SA without messages is deleted: registration needs it for seconds only (IOS times GDOI_IDLE out). */
export const IdleMs = 300_000;

export type MainModeExchange = MainModeInitiator | MainModeResponder;

function keyOf(remote: Endpoint, initiatorCookie: Uint8Array): string {
  return `${remote.address}:${remote.port}/${toHex(initiatorCookie)}`;
}

/** When an exchange wants tick(). */
export function dueTime(exchange: MainModeExchange): Ms {
  if (exchange.up) return Math.min(exchange.sa.expiresAt, exchange.sa.lastUsedAt + IdleMs);
  return exchange instanceof MainModeInitiator ? exchange.due : exchange.startedAt + HalfOpenMs;
}

export class Exchanges {
  private readonly table = new ExchangeTable<MainModeExchange>(dueTime);

  /** In order of arrival. */
  [Symbol.iterator](): Iterator<MainModeExchange> {
    return this.table.values();
  }

  get(remote: Endpoint, initiatorCookie: Uint8Array): MainModeExchange | undefined {
    return this.table.get(keyOf(remote, initiatorCookie));
  }

  /** @throws WireError when no exchange has these cookies with this peer */
  find(remote: Endpoint, header: IsakmpHeader): MainModeExchange {
    const exchange = this.get(remote, header.initiatorCookie);
    if (exchange && equalBytes(exchange.sa.responderCookie, header.responderCookie)) return exchange;
    throw new ExchangeRefusal('RFC 2408 §5.2', 'has no SA and is not an initialization offer', 'ike_no_sa', 4, 'IKMP_NO_SA');
  }

  has(exchange: MainModeExchange): boolean {
    return this.ofSa(exchange.sa) === exchange;
  }

  ofSa(sa: Phase1Sa): MainModeExchange | undefined {
    const exchange = this.get(sa.remote, sa.initiatorCookie);
    return exchange?.sa === sa ? exchange : undefined;
  }

  add(exchange: MainModeExchange): void {
    this.table.set(keyOf(exchange.sa.remote, exchange.sa.initiatorCookie), exchange);
  }

  remove({ sa }: MainModeExchange): void {
    this.table.delete(keyOf(sa.remote, sa.initiatorCookie));
  }

  /** When the first of them wants tick(), or earlier; null = none does. */
  nextDue(): Ms | null {
    return this.table.nextDue();
  }

  /** Those that want tick(), the earliest first. */
  takeDue(now: Ms): MainModeExchange[] {
    return this.table.takeDue(now);
  }
}
