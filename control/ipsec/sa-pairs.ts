// The pairs of SAs that are there: which protects which traffic, when each is replaced and when it ends. Of pairs for the same traffic the newest
// that is established sends; all of them receive, so that nothing is lost while the sides change over. No messages here.

import type { Endpoint, Ms } from '../actions.js';
import type { PeerEnd } from './peer-end.js';
import type { NegotiatedPair } from './quick-exchange.js';
import { selectorText } from './selector.js';

export interface SaPair extends NegotiatedPair {
  /** policyKey() of its entry. */
  policy: string;
  peer: PeerEnd;
  /** Ends of ESP; ports only matter in UDP. */
  local: Endpoint;
  remote: Endpoint;
  createdAt: Ms;
  /** When to begin its replacement. */
  rekeyAt: Ms;
  /** After an attempt: not before then again. */
  retryAt: Ms;
  expiresAt: Ms;
  /** The peer has proved that it has the SA towards it: message 3 came, or we sent it. Until then it only receives. */
  established: boolean;
  /** When a replacement that we began takes over sending; Infinity = it waits for nothing. */
  sendsAt: Ms;
}

/** As IOS: 30 s before the end, or a quarter of a life that is shorter than two minutes. */
const MarginMs = 30_000;
/** Both sides may begin; who answered last time is later, so that as a rule only one does. */
const ResponderShare = 0.5;
/** IOS: 256 KB before the end of a life by volume; at least a tenth of it is left. */
const MarginKilobytes = 256;
/** Pairs for the same traffic: two that replace each other, begun by both sides. Older ones go. */
const MostPerFlow = 4;

export function flowKey({ policy, selector }: Pick<SaPair, 'policy' | 'selector'>): string {
  return `${policy} ${selectorText(selector)}`;
}

export class SaPairs {
  private readonly pairs = new Set<SaPair>();

  /** In order of creation. */
  [Symbol.iterator](): Iterator<SaPair> {
    return this.pairs.values();
  }

  get size(): number {
    return this.pairs.size;
  }

  /** @returns the pair, and those that have to go for it */
  add(
    agreed: NegotiatedPair,
    place: Pick<SaPair, 'policy' | 'peer' | 'local' | 'remote' | 'established'>,
    now: Ms,
  ): { pair: SaPair; surplus: SaPair[] } {
    const lifetimeMs = agreed.lifetimeSeconds * 1000;
    const margin = Math.min(MarginMs, lifetimeMs / 4) * (agreed.initiator ? 1 : ResponderShare);
    const pair = {
      ...agreed,
      ...place,
      createdAt: now,
      sendsAt: Number.POSITIVE_INFINITY,
      retryAt: now,
      rekeyAt: now + lifetimeMs - margin,
      expiresAt: now + lifetimeMs,
    };
    this.pairs.add(pair);
    const others = this.ofFlow(flowKey(pair)).filter((other) => other !== pair);
    // Those that nobody proved first: a peer that begins and begins must not end what works.
    const leaving = [...others.filter(({ established }) => !established), ...others.filter(({ established }) => established)];
    return { pair, surplus: leaving.slice(0, Math.max(0, others.length + 1 - MostPerFlow)) };
  }

  /** @returns false when it was not there */
  delete(pair: SaPair): boolean {
    return this.pairs.delete(pair);
  }

  has(pair: SaPair): boolean {
    return this.pairs.has(pair);
  }

  /** Oldest first. */
  ofFlow(key: string): SaPair[] {
    return [...this.pairs].filter((pair) => flowKey(pair) === key);
  }

  ofPeer(peer: PeerEnd): SaPair[] {
    return [...this.pairs].filter((pair) => pair.peer === peer);
  }

  /** The one that sends; null = none is established. */
  sending(key: string): SaPair | null {
    return this.ofFlow(key).findLast(({ established }) => established) ?? null;
  }

  usesInboundSpi(spi: number): boolean {
    return [...this.pairs].some(({ inboundSpi }) => inboundSpi === spi);
  }

  /** When something is to be done about a pair: its replacement, if it is the newest, or its end. */
  changeTime(pair: SaPair): Ms {
    return this.isNewest(pair) ? Math.min(Math.max(pair.rekeyAt, pair.retryAt), pair.expiresAt) : pair.expiresAt;
  }

  /** Of all; null = there are none. */
  nextChange(): Ms | null {
    let next: Ms | null = null;
    for (const pair of this.pairs) {
      const at = Math.min(this.changeTime(pair), pair.sendsAt);
      if (next === null || at < next) next = at;
    }
    return next;
  }

  isNewest(pair: SaPair): boolean {
    return this.sending(flowKey(pair)) === pair;
  }

  /** Its traffic so far. @param bytes of the direction that had more @returns whether it is to be replaced, or has to end */
  volumeVerdict({ lifetimeKilobytes }: SaPair, bytes: number): 'fine' | 'rekey' | 'expired' {
    if (lifetimeKilobytes === null) return 'fine';
    const kilobytes = bytes / 1024;
    if (kilobytes >= lifetimeKilobytes) return 'expired';
    return kilobytes >= lifetimeKilobytes - Math.max(MarginKilobytes, lifetimeKilobytes / 10) ? 'rekey' : 'fine';
  }
}
