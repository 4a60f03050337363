// Which pre-shared key belongs to a peer: by its address, longest mask first (`crypto isakmp key K address A [mask]`).

import type { Ipv4, IsakmpKey } from '../config/model.js';

/** @returns the key's bytes, or null. Secret. */
export function findPreSharedKey(keys: readonly IsakmpKey[], peer: Ipv4): Uint8Array | null {
  let best: IsakmpKey | null = null;
  for (const item of keys) {
    if (((peer ^ item.address) & item.mask) !== 0) continue;
    if (best === null || item.mask >>> 0 > best.mask >>> 0) best = item;
  }
  return best ? new TextEncoder().encode(best.key) : null;
}
