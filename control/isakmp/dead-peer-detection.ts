// Dead peer detection, RFC 3706, of one SA. `crypto isakmp keepalive SECONDS [RETRY] [periodic|on-demand]`: after SECONDS without a word from the
// peer (on-demand: only when we have sent it something meanwhile) R-U-THERE goes out, then every RETRY seconds; after five without an answer
// the peer is dead, as on IOS.
//
//   Notification data: | sequence number (4) |, its SPI: both cookies

import type { Ms, RandomBytes } from '../actions.js';
import type { KeepaliveSettings } from '../config/model.js';
import { concatBytes, equalBytes, readU32, u32Bytes } from './bytes.js';
import { type Notification, NotifyType } from './notification.js';
import type { Phase1Sa } from './phase1-sa.js';
import { WireError } from './wire-error.js';

const Tries = 5;

/** @throws WireError when it is not of this SA, or has no sequence number (RFC 3706 §5.3) */
function readSequence(sa: Phase1Sa, { spi, data }: Notification): number {
  if (!equalBytes(spi, concatBytes(sa.initiatorCookie, sa.responderCookie)))
    throw new WireError('RFC 3706 §5.3', 'R-U-THERE with other cookies');
  if (data.length !== 4) throw new WireError('RFC 3706 §5.3', `sequence number of ${data.length} bytes`);
  return readU32(data, 0);
}

export class DeadPeerDetection {
  private sequence: number;
  /** Sent since the peer last spoke. */
  private unanswered = 0;
  private nextAt: Ms;
  private heardAt: Ms;
  /** The peer's newest. */
  private peerSequence: number | null = null;

  constructor(
    /** null: only answers. */
    private readonly settings: KeepaliveSettings | null,
    random: RandomBytes,
    now: Ms,
  ) {
    // RFC 3706 §6.2: random, the top bit 0 so that it does not wrap.
    this.sequence = readU32(random(4), 0) >>> 1;
    this.heardAt = now;
    this.nextAt = now + (settings?.seconds ?? 0) * 1000;
  }

  /** When tick() has something to do. */
  due(): Ms {
    return this.settings ? this.nextAt : Number.POSITIVE_INFINITY;
  }

  /** The peer proved itself: any message under the SA counts (RFC 3706 §5.5). */
  heard(now: Ms): void {
    this.heardAt = now;
    this.unanswered = 0;
    this.nextAt = now + (this.settings?.seconds ?? 0) * 1000;
  }

  /** @param sentAt when we last sent the peer something that wants an answer @returns the data of R-U-THERE to send, `dead`, or null */
  tick(sentAt: Ms, now: Ms): Uint8Array | 'dead' | null {
    const { settings } = this;
    if (!settings || now < this.nextAt) return null;
    if (settings.mode === 'on-demand' && this.unanswered === 0 && sentAt <= this.heardAt) {
      this.nextAt = now + settings.seconds * 1000;
      return null;
    }
    if (this.unanswered >= Tries) return 'dead';
    this.unanswered++;
    this.nextAt = now + settings.retrySeconds * 1000;
    return this.ask();
  }

  /** @returns the data of an R-U-THERE; outside tick() nothing follows when it is not answered */
  ask(): Uint8Array {
    this.sequence = (this.sequence + 1) >>> 0;
    return u32Bytes(this.sequence);
  }

  /**
   * A notification under the SA, proved by its HASH.
   * @returns null when it is none of ours; else the data of R-U-THERE-ACK to send, if any
   * @throws WireError on a number that is not newer (RFC 3706 §6.1), or an answer to another than our newest (§5.4)
   */
  read(sa: Phase1Sa, notification: Notification): { answer: Uint8Array | null } | null {
    if (notification.type === NotifyType.AreYouThere) {
      const sequence = readSequence(sa, notification);
      if (this.peerSequence !== null && sequence <= this.peerSequence)
        throw new WireError('RFC 3706 §6.1', 'stale R-U-THERE', 'ike_unexpected');
      this.peerSequence = sequence;
      return { answer: u32Bytes(sequence) };
    }
    if (notification.type !== NotifyType.AreYouThereAck) return null;
    if (readSequence(sa, notification) !== this.sequence)
      throw new WireError('RFC 3706 §5.4', 'R-U-THERE-ACK of another number', 'ike_unexpected');
    return { answer: null };
  }
}
