// Counters of service-policies, part of declare.ts.

import type { CounterText } from './declare.js';

/** Per class of a policy at an interface (QosClass), reset when service-policies change. What waits now is offered - sent - all drops. A class counts what those below it do. */
export const enum QosCount {
  OfferedPackets,
  OfferedBytes,
  SentPackets,
  SentBytes,
  /** By its own policer. */
  ConformPackets,
  ConformBytes,
  ExceedPackets,
  ExceedBytes,
  ViolatePackets,
  ViolateBytes,
  PoliceDropPackets,
  PoliceDropBytes,
  TailDropPackets,
  TailDropBytes,
  RandomDropPackets,
  RandomDropBytes,
  OverRatePackets,
  OverRateBytes,
  NoBufferPackets,
  NoBufferBytes,
  /** Packets that `set` has marked. */
  Marked,
  EcnMarked,
  /** Average that random early detection goes by, packets. */
  MeanQueue,
  Count,
}
export const qosTexts: readonly CounterText[] = [
  { name: 'offered_packets', help: 'packets that came to the class' },
  { name: 'offered_bytes', help: 'bytes that came to the class, IP datagrams' },
  { name: 'sent_packets', help: 'packets that left the class' },
  { name: 'sent_bytes', help: 'bytes that left the class' },
  { name: 'police_conform_packets', help: 'packets within the committed rate of the policer' },
  { name: 'police_conform_bytes', help: 'bytes of these' },
  { name: 'police_exceed_packets', help: 'packets above it, within the excess burst or the peak rate' },
  { name: 'police_exceed_bytes', help: 'bytes of these' },
  { name: 'police_violate_packets', help: 'packets above both' },
  { name: 'police_violate_bytes', help: 'bytes of these' },
  { name: 'police_drop_packets', help: 'packets that policers dropped' },
  { name: 'police_drop_bytes', help: 'bytes of these' },
  { name: 'tail_drop_packets', help: 'packets for which the queue had no room' },
  { name: 'tail_drop_bytes', help: 'bytes of these' },
  { name: 'random_drop_packets', help: 'packets dropped by random early detection' },
  { name: 'random_drop_bytes', help: 'bytes of these' },
  { name: 'over_rate_drop_packets', help: 'packets of a priority class above its rate while others waited' },
  { name: 'over_rate_drop_bytes', help: 'bytes of these' },
  { name: 'no_buffer_drop_packets', help: 'packets for which the pool had no slot to wait in' },
  { name: 'no_buffer_drop_bytes', help: 'bytes of these' },
  { name: 'marked_packets', help: 'packets marked by set' },
  { name: 'ecn_marked_packets', help: 'packets in which congestion was marked (RFC 3168)' },
  { name: 'mean_queue_packets', help: 'average length of the queue that random-detect goes by' },
];

/** Per random-detect and DSCP. */
export const enum RedCount {
  SentPackets,
  SentBytes,
  RandomPackets,
  RandomBytes,
  TailPackets,
  TailBytes,
  EcnPackets,
  EcnBytes,
  Count,
}
