// Allocation of sender IDs by the key server, RFC 6407 §3.5: sequentially from 0, new ones for every registration, never one twice
// under the same TEKs. Two senders with one ID would repeat a counter-mode nonce under the group's key.

import type { SenderIds } from './group-policy.js';

/** Cisco's "medium" group size; the per-packet part of the 64-bit IV is then 40 bits (RFC 6054 §2). */
export const DefaultSenderIdBits = 24;
/** One registration gets at most so many (a dataplane has no more workers): a member that asks for 65,535 must not use the space up. */
export const MaxSenderIdsPerMember = 16;

export class SenderIdAllocator {
  /** @param next first ID that was never given out */
  constructor(
    readonly bits: SenderIds['bits'] = DefaultSenderIdBits,
    private next = 0,
  ) {}

  /** IDs given out so far. */
  get used(): number {
    return this.next;
  }

  /** @returns null when the space does not hold `count` more: all keys must be replaced, and another allocator begins at 0 (RFC 6407 §3.5 step 5) */
  allocate(count: number): SenderIds | null {
    const wanted = Math.min(Math.max(count, 1), MaxSenderIdsPerMember);
    if (this.next + wanted > 2 ** this.bits) return null;
    const values = Array.from({ length: wanted }, (_, i) => this.next + i);
    this.next += wanted;
    return { bits: this.bits, values };
  }
}
