// The exchanges and SAs of one engine, by the peer's end and the initiator's cookie.

import type { Datagram, Endpoint, Ms } from '../actions.js';
import type { Ipv4 } from '../config/model.js';
import { equalBytes, toHex } from './bytes.js';
import { ExchangeRefusal } from './exchange-refusal.js';
import { ExchangeTable } from './exchange-table.js';
import { Exchange, type IsakmpHeader } from './header.js';
import { MainModeInitiator } from './main-mode-initiator.js';
import type { MainModeResponder } from './main-mode-responder.js';
import type { Phase1Sa } from './phase1-sa.js';
import { NatPort } from './ports.js';

/** A responder's exchange that is not complete by then is given up: longer than the initiator's five sendings take. */
export const HalfOpenMs = 45_000;
/** An SA without messages is deleted: registration needs it for seconds only (IOS times GDOI_IDLE out). */
export const IdleMs = 300_000;

export type MainModeExchange = MainModeInitiator | MainModeResponder;

function keyOf(remote: Endpoint, initiatorCookie: Uint8Array): string {
  return `${remote.address}:${remote.port}/${toHex(initiatorCookie)}`;
}

function cookiesKey(address: Ipv4, { initiatorCookie, responderCookie }: Pick<Phase1Sa, 'initiatorCookie' | 'responderCookie'>): string {
  return `${address}/${toHex(initiatorCookie)}${toHex(responderCookie)}`;
}

/** When an SA ends because nobody uses it. */
export function idleAt({ inUse, lastUsedAt }: Phase1Sa): Ms {
  return inUse ? Number.POSITIVE_INFINITY : lastUsedAt + IdleMs;
}

/** When an exchange wants tick(). */
export function dueTime(exchange: MainModeExchange): Ms {
  if (exchange.up) return Math.min(exchange.sa.expiresAt, idleAt(exchange.sa), exchange.liveness?.due() ?? Infinity);
  return exchange instanceof MainModeInitiator ? exchange.due : exchange.startedAt + HalfOpenMs;
}

export class Exchanges {
  private readonly table = new ExchangeTable<MainModeExchange>(dueTime);
  private readonly keys = new Map<MainModeExchange, string>();
  /** Those with a translator between, by address and both cookies. */
  private readonly floated = new Map<string, MainModeExchange>();

  /** In order of arrival. */
  [Symbol.iterator](): Iterator<MainModeExchange> {
    return this.table.values();
  }

  get(remote: Endpoint, initiatorCookie: Uint8Array): MainModeExchange | undefined {
    return this.table.get(keyOf(remote, initiatorCookie));
  }

  /**
   * Behind a translator the peer's port may change at any time (RFC 3947 §4), so on port 4500 the cookies alone decide, among the exchanges
   * with that address that have found one.
   * @throws WireError when no exchange has these cookies with this peer
   */
  find({ local, remote }: Datagram, header: IsakmpHeader): MainModeExchange {
    const exchange = this.get(remote, header.initiatorCookie);
    if (exchange && equalBytes(exchange.sa.responderCookie, header.responderCookie)) return exchange;
    const floated = local.port === NatPort ? this.floated.get(cookiesKey(remote.address, header)) : undefined;
    if (floated) return this.get(floated.sa.remote, floated.sa.initiatorCookie) ?? floated;
    throw new ExchangeRefusal('RFC 2408 §5.2', 'has no SA and is not an initialization offer', 'ike_no_sa', 4, 'IKMP_NO_SA');
  }

  /** Whether we have begun an exchange with that end that is not complete. */
  isUnderWay({ address, port }: Endpoint): boolean {
    for (const exchange of this) {
      if (!(exchange instanceof MainModeInitiator) || exchange.up) continue;
      if (exchange.begunWith.address === address && exchange.begunWith.port === port) return true;
    }
    return false;
  }

  has(exchange: MainModeExchange): boolean {
    return this.ofSa(exchange.sa) === exchange;
  }

  ofSa(sa: Phase1Sa): MainModeExchange | undefined {
    const exchange = this.get(sa.remote, sa.initiatorCookie);
    return exchange?.sa === sa ? exchange : undefined;
  }

  add(exchange: MainModeExchange): void {
    const key = keyOf(exchange.sa.remote, exchange.sa.initiatorCookie);
    this.keys.set(exchange, key);
    this.table.set(key, exchange);
  }

  /** After a message of it: its ends may have moved, or a translator have been found. */
  follow(exchange: MainModeExchange): void {
    const { sa } = exchange;
    const before = this.keys.get(exchange);
    if (before === undefined) return;
    // In aggressive mode the responder learns of a translator from message 3 itself, which may come from elsewhere.
    const mayMove = exchange.exchange === Exchange.Aggressive && sa.abilities.natTraversal;
    if (sa.translation.local || sa.translation.remote || mayMove) this.floated.set(cookiesKey(sa.remote.address, sa), exchange);
    if (before === keyOf(sa.remote, sa.initiatorCookie)) return;
    this.table.delete(before);
    this.add(exchange);
  }

  remove(exchange: MainModeExchange): void {
    const key = this.keys.get(exchange);
    if (key !== undefined) this.table.delete(key);
    this.keys.delete(exchange);
    this.floated.delete(cookiesKey(exchange.sa.remote.address, exchange.sa));
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
