// What leaves, in order. Messages upon which a peer may send under a new SA wait until the packet path has that SA in force: what came sooner would be
// dropped, and a replacement would lose packets. Does not: wait for ever. Tables that cannot be applied hold nothing up for long.

import type { Datagram, Ms } from './actions.js';

/** Applying takes some ms, on a busy machine a few hundred. */
const MostMs = 2000;

export class Outbox {
  private held: { datagram: Datagram; generation: number; until: Ms }[] = [];

  constructor(private readonly send: (datagram: Datagram) => void) {}

  /** @param generation of the tables that it waits for, null = it waits for none. What goes to a peer goes in order: behind what waits it waits as well */
  post(datagram: Datagram, generation: number | null, now: Ms): void {
    const { address, port } = datagram.remote;
    const before = this.held.findLast(({ datagram: { remote } }) => remote.address === address && remote.port === port);
    const wanted = generation ?? before?.generation;
    if (wanted === undefined) this.send(datagram);
    else this.held.push({ datagram, generation: wanted, until: now + MostMs });
  }

  /** Tables are in force, and all before them. Infinity = nobody applies any. */
  applied(generation: number): void {
    this.release((held) => held.generation <= generation);
  }

  /** Sends what has waited long enough. */
  tick(now: Ms): void {
    this.release(({ until }) => until <= now);
  }

  nextTick(): Ms | null {
    return this.held.length > 0 ? Math.min(...this.held.map(({ until }) => until)) : null;
  }

  private release(isDue: (held: Outbox['held'][number]) => boolean): void {
    const due = this.held.filter(isDue);
    this.held = this.held.filter((held) => !isDue(held));
    for (const { datagram } of due) this.send(datagram);
  }
}
