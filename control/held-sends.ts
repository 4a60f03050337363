// Messages upon which a peer may send under a new SA wait until the packet path has that SA in force: what came sooner would be dropped, and a replacement
// would lose packets. Does not: wait for ever. Tables that cannot be applied hold nothing up for long, as the peer repeats what it has no answer to.

import type { Datagram, Ms } from './actions.js';

/** Applying takes some ms, on a busy machine a few hundred. */
const MostMs = 2000;

export class HeldSends {
  private held: { datagram: Datagram; generation: number; until: Ms }[] = [];

  /** @param generation of the tables that it waits for */
  hold(datagram: Datagram, generation: number, now: Ms): void {
    this.held.push({ datagram, generation, until: now + MostMs });
  }

  /** What goes to a peer goes in order: a repetition waits as well. */
  holds({ remote }: Datagram): boolean {
    return this.held.some(({ datagram }) => datagram.remote.address === remote.address && datagram.remote.port === remote.port);
  }

  /** Tables are in force, and all before them. @returns what waited for them, in order */
  applied(generation: number): Datagram[] {
    return this.take((held) => held.generation <= generation);
  }

  /** What has waited long enough. */
  expired(now: Ms): Datagram[] {
    return this.take(({ until }) => until <= now);
  }

  nextTick(): Ms | null {
    return this.held.length > 0 ? Math.min(...this.held.map(({ until }) => until)) : null;
  }

  private take(isDue: (held: HeldSends['held'][number]) => boolean): Datagram[] {
    const due = this.held.filter(isDue);
    this.held = this.held.filter((held) => !isDue(held));
    return due.map(({ datagram }) => datagram);
  }
}
