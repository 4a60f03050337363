// What peers have been told already: INITIAL-CONTACT once since we started, INVALID-SPI once in a while. Bounded: peers of unknown address come and go.

import type { Ms } from '../actions.js';
import type { Ipv4 } from '../config/model.js';
import { endText, type PeerEnd } from './peer-end.js';

const Remembered = 1024;
/** Between two INVALID-SPI to one address. */
const QuietMs = 10_000;

/** Between two calls of addresses that nobody configured: who forges senders must not make us call the world. */
const StrangerMs = 1000;

/** Maps and sets keep the order of insertion: the oldest goes. */
function shrink(collection: { size: number; keys(): Iterable<unknown>; delete(key: never): boolean }): void {
  if (collection.size <= Remembered) return;
  for (const oldest of collection.keys()) {
    collection.delete(oldest as never);
    return;
  }
}

export class Contacts {
  private readonly greeted = new Map<string, Ipv4>();
  private readonly told = new Map<Ipv4, Ms>();
  private strangerAt: Ms = Number.NEGATIVE_INFINITY;

  /** It has heard INITIAL-CONTACT from us, or we have had SAs with it. */
  add(peer: PeerEnd): void {
    this.greeted.set(endText(peer), peer.remote.address);
    shrink(this.greeted);
  }

  has(peer: PeerEnd): boolean {
    return this.greeted.has(endText(peer));
  }

  /** Somebody at this address has. */
  hasAddress(address: Ipv4): boolean {
    return [...this.greeted.values()].includes(address);
  }

  /** Whether an address may be told INVALID-SPI now; then not again for a while. */
  mayTell(address: Ipv4, now: Ms): boolean {
    const before = this.told.get(address);
    // A clock that was set back must not silence it for long.
    if (before !== undefined && now >= before && now < before + QuietMs) return false;
    this.told.delete(address);
    this.told.set(address, now);
    shrink(this.told);
    return true;
  }

  /** Whether an address that is in no configuration may be called now; then no other one for a while. */
  mayCallStranger(now: Ms): boolean {
    if (now >= this.strangerAt && now < this.strangerAt + StrangerMs) return false;
    this.strangerAt = now;
    return true;
  }
}
