// A record of messages that were received lately, so that a repetition is dropped before anything is computed for it (RFC 8263 §5).

import type { Datagram } from '../actions.js';

const Remembered = 4096;
/** What is longer is no acknowledgement, and is refused anyway. */
const MaxLength = 256;

export class RecentMessages {
  private readonly seen = new Set<string>();

  /** @returns false when the same bytes from the same address are among the last 4096 */
  add({ remote, bytes }: Datagram): boolean {
    if (bytes.length > MaxLength) return true;
    const text = `${remote.address} ${Buffer.from(bytes).toString('latin1')}`;
    if (this.seen.has(text)) return false;
    this.seen.add(text);
    // Sets keep the order of insertion: the oldest goes.
    if (this.seen.size > Remembered) for (const oldest of this.seen) return this.seen.delete(oldest);
    return true;
  }
}
