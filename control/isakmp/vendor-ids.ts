// Vendor IDs that announce what a peer can do. Those of drafts are never sent: their payload numbers are GDOI's on port 848.

import type { PayloadBody } from './authentication.js';
import { equalBytes } from './bytes.js';
import { PayloadType } from './header.js';
import type { Payload } from './payloads.js';

/** MD5 of "RFC 3947" (RFC 3947 §3.1). */
const NatTraversal = new Uint8Array(Buffer.from('4a131c81070358455c5728f20e95452f', 'hex'));
/** RFC 3706 §5.1; the last two octets are the version, 1.0. */
const DeadPeerDetection = new Uint8Array(Buffer.from('afcad71368a1f1c96b8696fc77570100', 'hex'));

export interface Abilities {
  natTraversal: boolean;
  deadPeerDetection: boolean;
}

export const noAbilities: Abilities = { natTraversal: false, deadPeerDetection: false };

export function readAbilities(payloads: readonly Payload[]): Abilities {
  const has = (id: Uint8Array): boolean => payloads.some(({ type, body }) => type === PayloadType.VendorId && equalBytes(body, id));
  return { natTraversal: has(NatTraversal), deadPeerDetection: has(DeadPeerDetection) };
}

export function vendorIds({ natTraversal, deadPeerDetection }: Abilities): PayloadBody[] {
  const ids = [...(natTraversal ? [NatTraversal] : []), ...(deadPeerDetection ? [DeadPeerDetection] : [])];
  return ids.map((body) => ({ type: PayloadType.VendorId, body }));
}

export function bothCan(ours: Abilities, theirs: Abilities): Abilities {
  return {
    natTraversal: ours.natTraversal && theirs.natTraversal,
    deadPeerDetection: ours.deadPeerDetection && theirs.deadPeerDetection,
  };
}
