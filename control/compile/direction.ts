// Which way a member uses its SAs while a network moves to the VPN (IOS: receive-only SAs and passive mode).
//
//                      sends       accepts
//   both               encrypted   encrypted
//   inbound-only       clear       both        `sa receive-only` at the key server
//   inbound-optional   encrypted   both        `passive` at the member, whatever the key server says

import type { Tek } from '../gdoi/group-policy.js';

export type SaDirection = 'both' | 'inbound-only' | 'inbound-optional';

/** As `show crypto gdoi` says it. */
export const directionTexts: Record<SaDirection, string> = {
  both: 'Both',
  'inbound-only': 'Inbound Only',
  'inbound-optional': 'Inbound Optional',
};

/** @param sending TEK of the SA @param chosen at this member, null = what the key server says */
export function directionOf(sending: Tek, chosen: SaDirection | null): SaDirection {
  return chosen ?? (sending.receiveOnly ? 'inbound-only' : 'both');
}

/** While a receive-only TEK lives other members may not have changed over yet: what they send in the clear is taken. @param same TEKs of one SA */
export function acceptsClear(direction: SaDirection, same: readonly Tek[], chosen: SaDirection | null): boolean {
  return direction !== 'both' || (chosen === null && same.some(({ receiveOnly }) => receiveOnly));
}
