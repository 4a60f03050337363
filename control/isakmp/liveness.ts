// What keeps an SA that is up alive and finds out when it is not: dead peer detection, and NAT keepalives (RFC 3948 §4).

import type { Ms, RandomBytes } from '../actions.js';
import type { IsakmpSettings } from '../config/model.js';
import { DeadPeerDetection } from './dead-peer-detection.js';
import type { Phase1Sa } from './phase1-sa.js';

export type LivenessSettings = Pick<IsakmpSettings, 'keepalive' | 'natKeepaliveSeconds'>;

export class Liveness {
  readonly detection: DeadPeerDetection;
  private readonly natKeepaliveMs: Ms | null;
  private natKeepaliveAt: Ms;

  constructor(sa: Phase1Sa, { keepalive, natKeepaliveSeconds }: LivenessSettings, random: RandomBytes, now: Ms) {
    this.detection = new DeadPeerDetection(sa.abilities.deadPeerDetection ? keepalive : null, random, now);
    // RFC 3948 §4: only who stands behind the translator keeps its mapping.
    this.natKeepaliveMs = sa.translation.local && natKeepaliveSeconds !== null ? natKeepaliveSeconds * 1000 : null;
    this.natKeepaliveAt = this.natKeepaliveMs === null ? Number.POSITIVE_INFINITY : now + this.natKeepaliveMs;
  }

  /** When it has something to do. */
  due(): Ms {
    return Math.min(this.detection.due(), this.natKeepaliveAt);
  }

  /** @returns whether a NAT keepalive is to be sent now */
  natKeepaliveDue(now: Ms): boolean {
    if (this.natKeepaliveMs === null || now < this.natKeepaliveAt) return false;
    this.natKeepaliveAt = now + this.natKeepaliveMs;
    return true;
  }
}
