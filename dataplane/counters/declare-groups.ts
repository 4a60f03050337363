// Counters of groups, route-maps and NAT, part of declare.ts.

import type { CounterText } from './declare.js';

/** Per group, kept when SAs come and go. */
export const enum GroupCount {
  SealedPackets,
  SealedBytes,
  OpenedPackets,
  OpenedBytes,
  TimeSent,
  TimeAccepted,
  TimeRefused,
  Count,
}
export const groupTexts: readonly CounterText[] = [
  { name: 'sealed_packets', help: 'packets of the group encrypted' },
  { name: 'sealed_bytes', help: 'bytes of inner packets of the group encrypted' },
  { name: 'opened_packets', help: 'packets of the group decrypted' },
  { name: 'opened_bytes', help: 'bytes of inner packets of the group decrypted' },
  { name: 'time_sent', help: 'packets of the group sent with a pseudotime' },
  { name: 'time_accepted', help: 'packets of the group whose pseudotime was within the window' },
  { name: 'time_refused', help: 'packets of the group whose pseudotime was not' },
];
export const GroupCap = 16;

/** Per entry of a route-map that routes by policy. */
export const enum PolicyCount {
  Packets,
  Bytes,
  Count,
}
export const policyTexts: readonly CounterText[] = [
  { name: 'matched_packets', help: 'packets that the entry of a route-map for policy routing matched' },
  { name: 'matched_bytes', help: 'bytes of these, IP datagrams' },
];

/** NAT. */
export const enum NatCount {
  /** Sessions there are now. */
  Sessions,
  Created,
  Expired,
  /** Packets translated from inside to outside, and back. */
  Outbound,
  Inbound,
  /** Beginnings and ends of sessions that were to be logged and found no room. */
  LogLost,
  Count,
}
export const natTexts: readonly CounterText[] = [
  { name: 'sessions', help: 'NAT sessions there are, flows of the router’s own among them' },
  { name: 'sessions_created', help: 'NAT sessions made, the router’s own flows not counted' },
  { name: 'sessions_expired', help: 'NAT sessions that ended because they were quiet' },
  { name: 'outbound_packets', help: 'packets translated on their way from inside to outside' },
  { name: 'inbound_packets', help: 'packets translated on their way from outside to inside' },
  { name: 'log_lost', help: 'beginnings and ends of NAT sessions that were to be logged and found no room' },
];
