// An ISAKMP SA under which there are pairs is replaced before it expires: peers that tie the pairs to it (strongSwan does) would drop them with it.

import type { Ms } from '../actions.js';
import type { Phase1Sa } from '../isakmp/phase1-sa.js';
import type { PeerEnd } from './peer-end.js';

/** Before its end; who answered is later, so that as a rule only one side begins. */
const MarginMs = 60_000;
const ResponderShare = 0.5;

function renewalTime({ establishedAt, expiresAt, initiator }: Phase1Sa): Ms {
  return expiresAt - Math.min(MarginMs, (expiresAt - establishedAt) / 10) * (initiator ? 1 : ResponderShare);
}

export class Phase1Renewal {
  private readonly begun = new WeakSet<Phase1Sa>();

  constructor(private readonly endOf: (sa: Phase1Sa) => PeerEnd) {}

  /** @param sas that are up, the newest with each peer last @returns those to be replaced now, each once */
  due(sas: readonly Phase1Sa[], now: Ms): Phase1Sa[] {
    const due = this.pending(sas).filter((sa) => renewalTime(sa) <= now);
    for (const sa of due) this.begun.add(sa);
    return due;
  }

  next(sas: readonly Phase1Sa[]): Ms | null {
    const times = this.pending(sas).map(renewalTime);
    return times.length > 0 ? Math.min(...times) : null;
  }

  private pending(sas: readonly Phase1Sa[]): Phase1Sa[] {
    const newest = new Map(sas.map((sa) => [this.endOf(sa), sa]));
    return [...newest.values()].filter((sa) => sa.inUse && !this.begun.has(sa));
  }
}
