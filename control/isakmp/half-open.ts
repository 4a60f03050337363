// Exchanges that peers began and did not finish: bounded, in all and per address, because anybody can begin one (bad-input 17).
// When full, the oldest one that never came past message 1 makes room: whoever forges his address never gets message 2, so
// never comes further, while a true peer needs one round trip. Does not: cookies without state (the reply must be kept anyway).

import type { Ipv4 } from '../config/model.js';
import type { MainModeResponder } from './main-mode-responder.js';

export interface HalfOpenBounds {
  total: number;
  perAddress: number;
}

/** A key server behind which thousands of members restart at once has them all half open for a second; behind one NAT address, a few. */
export const defaultBounds: HalfOpenBounds = { total: 1000, perAddress: 16 };

export class HalfOpenSet {
  /** In order of arrival. */
  private readonly exchanges = new Set<MainModeResponder>();
  private readonly perAddress = new Map<Ipv4, number>();

  constructor(private readonly bounds: HalfOpenBounds) {}

  /** @returns 'free', 'full', or the exchange that the caller must give up first */
  placeFor(address: Ipv4): 'free' | 'full' | MainModeResponder {
    const full = this.exchanges.size >= this.bounds.total;
    const addressFull = (this.perAddress.get(address) ?? 0) >= this.bounds.perAddress;
    if (!full && !addressFull) return 'free';
    for (const exchange of this.exchanges) {
      const { state, remote } = exchange.sa;
      if ((state === 'MM_SA_SETUP' || state === 'AG_INIT_EXCH') && (!addressFull || remote.address === address)) return exchange;
    }
    return 'full';
  }

  add(exchange: MainModeResponder): void {
    this.exchanges.add(exchange);
    const { address } = exchange.sa.remote;
    this.perAddress.set(address, (this.perAddress.get(address) ?? 0) + 1);
  }

  /** Does nothing when it is not half open. */
  remove(exchange: MainModeResponder): void {
    if (!this.exchanges.delete(exchange)) return;
    const { address } = exchange.sa.remote;
    const left = (this.perAddress.get(address) ?? 0) - 1;
    if (left > 0) this.perAddress.set(address, left);
    else this.perAddress.delete(address);
  }
}
