// Whom pairs of SAs are with. Behind an address translator several peers share one address, and the port that the translator gives each tells
// them apart (RFC 3947 §4); without one the address alone does, whatever the port. A peer whose port changes stays the same one: phase 1 proves it.

import type { Endpoint } from '../actions.js';
import type { Ipv4 } from '../config/model.js';
import type { Phase1Sa } from '../isakmp/phase1-sa.js';

export interface PeerEnd {
  /** Our end. */
  readonly local: Ipv4;
  /** Where its messages, and its ESP in UDP, come from. */
  remote: Endpoint;
  /** It stands behind a translator. */
  translated: boolean;
}

/** Same text, same peer, as long as its port stays. */
export function endText({ local, remote, translated }: PeerEnd): string {
  return `${local} ${remote.address}${translated ? `:${remote.port}` : ''}`;
}

export class PeerEnds {
  private readonly ofSas = new WeakMap<Phase1Sa, PeerEnd>();
  private ends = new Set<PeerEnd>();

  /** Of a phase-1 SA that is up. */
  of(sa: Phase1Sa): PeerEnd {
    const known = this.ofSas.get(sa);
    if (known) return known;
    const end = this.find(sa) ?? { local: sa.local.address, remote: sa.remote, translated: sa.translation.remote };
    // A peer that moved: behind a translator now, or no longer.
    Object.assign(end, { remote: sa.remote, translated: sa.translation.remote });
    this.ends.add(end);
    this.ofSas.set(sa, end);
    return end;
  }

  /** Whether that SA is known to be with that peer. */
  isOf(sa: Phase1Sa, peer: PeerEnd): boolean {
    return this.ofSas.get(sa) === peer;
  }

  private find({ local, remote, translation }: Phase1Sa): PeerEnd | null {
    for (const end of this.ends) {
      if (end.local !== local.address || end.remote.address !== remote.address) continue;
      if (end.remote.port === remote.port || !(end.translated && translation.remote)) return end;
    }
    return null;
  }

  /** Ports may have changed. @param sas that are up, the newest last */
  follow(sas: readonly Phase1Sa[]): void {
    for (const sa of sas) this.of(sa).remote = sa.remote;
  }

  /** Others are forgotten. @param sas that are up @param used by pairs of SAs */
  keep(sas: readonly Phase1Sa[], used: Iterable<PeerEnd>): void {
    this.ends = new Set([...sas.map((sa) => this.of(sa)), ...used]);
  }
}
