// Every counter of the dataplane, declared once: name, help, unit. Stages add to them by index, `show` and /metrics read
// them by name. Blocks live in shared memory as Float64 (exact to 2^53; `Float64Array[k] += n` does not allocate).

export * from './declare-qos.js';

export interface CounterText {
  /** snake_case, as it appears in /metrics behind the block's prefix. */
  name: string;
  help: string;
}

/** Why a packet was dropped. Order is the index in the drops block. */
export const enum Drop {
  IpMalformed,
  IpHeaderChecksum,
  NotIpv4,
  TooBig,
  NoSlot,
  PortDown,
  NoRoute,
  EspTruncated,
  EspUnknownSpi,
  EspExpired,
  EspReplay,
  EspIntegrity,
  EspTrailer,
  EspInnerHeader,
  EspHeaderNotPreserved,
  EspPolicy,
  EspFragment,
  ClearMustBeEncrypted,
  NoSa,
  SequenceExhausted,
  IvExhausted,
  MtuExceeded,
  NestingTooDeep,
  TxFull,
  TxError,
  IpMartian,
  EspDummy,
  EspCongestion,
  SealFailed,
  TtlExpired,
  HandOverFull,
  FailClose,
  EspTime,
  MulticastReverse,
  MulticastNoLink,
  NatNoPort,
  NatFull,
  NatFragment,
  NatNoFlow,
  NatNoAddress,
  NatNoMapping,
  NatHostFull,
  FragmentOverlap,
  FragmentDuplicate,
  FragmentLimit,
  FragmentTimeout,
  GreMalformed,
  GreVersion,
  GreFlags,
  GreKey,
  GreChecksum,
  GreSequence,
  GreProtocol,
  GreFragment,
  GreCongestion,
  GreKeepalive,
  PolicyNull,
  AclIn,
  AclOut,
  PoliceIn,
  PoliceOut,
  QueueFull,
  QueueRandom,
  QueueOverRate,
  QueueNoBuffer,
  TransportFragment,
  Count,
}
export const dropTexts: readonly CounterText[] = [
  { name: 'ip_malformed', help: 'IPv4 header shorter than it says, or longer than the datagram (RFC 791 §3.1)' },
  { name: 'ip_header_checksum', help: 'IPv4 header checksum wrong (RFC 1812 §5.2.2)' },
  { name: 'not_ipv4', help: 'not an IPv4 datagram' },
  { name: 'too_big', help: 'datagram larger than a packet slot' },
  { name: 'no_slot', help: 'packet pool empty' },
  { name: 'port_down', help: 'egress interface is down' },
  { name: 'no_route', help: 'no route to the destination (RFC 1812 §5.2.4)' },
  { name: 'esp_truncated', help: 'ESP shorter than header, IV and ICV, or not a multiple of the block (RFC 4303 §2)' },
  { name: 'esp_unknown_spi', help: 'no SA for this SPI (RFC 4303 §3.4.2)' },
  { name: 'esp_expired', help: 'SA is past its lifetime' },
  { name: 'esp_replay', help: 'sequence number seen before or left of the window (RFC 4303 §3.4.3)' },
  { name: 'esp_integrity', help: 'ICV check failed (RFC 4303 §3.4.4)' },
  { name: 'esp_trailer', help: 'padding or next header wrong after decryption (RFC 4303 §2.4)' },
  { name: 'esp_inner_header', help: 'decrypted packet is not a well-formed IPv4 datagram' },
  { name: 'esp_header_not_preserved', help: 'outer and inner addresses differ in a header-preserving group (RFC 6407 §5.3.1)' },
  { name: 'esp_policy', help: 'decrypted packet is not covered by the group policy (RFC 4301 §5.2)' },
  { name: 'esp_fragment', help: 'ESP arrived as an IP fragment' },
  { name: 'clear_must_be_encrypted', help: 'came in the clear although the group policy wants it encrypted (RFC 4301 §5.2)' },
  { name: 'no_sa', help: 'group policy wants encryption but no SA is usable' },
  { name: 'sequence_exhausted', help: 'ESP sequence number space used up (RFC 4303 §3.3.3)' },
  { name: 'iv_exhausted', help: "this member's IV space under the sender IDs is used up (RFC 6054 §2)" },
  { name: 'mtu_exceeded', help: 'larger than the egress MTU with DF set; ICMP 3/4 sent (RFC 1191)' },
  { name: 'nesting_too_deep', help: 'encapsulated too many times' },
  { name: 'tx_full', help: 'egress device took no more packets' },
  { name: 'tx_error', help: 'egress device refused the packet' },
  { name: 'ip_martian', help: 'source or destination address that must not be forwarded (RFC 1812 §5.3.7)' },
  { name: 'esp_dummy', help: 'dummy packet, discarded as it is meant to be (RFC 4303 §2.6)' },
  { name: 'esp_congestion', help: 'congestion marked on the outer header of a packet that cannot carry the mark (RFC 6040 §4.2)' },
  { name: 'seal_failed', help: 'the crypto library could not encrypt' },
  { name: 'ttl_expired', help: 'TTL used up; ICMP time exceeded sent (RFC 1812 §5.3.1)' },
  { name: 'hand_over_full', help: 'the worker that owns the sender or seals took no more packets' },
  { name: 'fail_close', help: 'in the clear on an interface that is closed until its groups are registered (fail-close)' },
  {
    name: 'esp_time',
    help: 'time-based anti-replay: pseudotime of the packet too far from ours (RFC 4303 §3.4.3 leaves other schemes to policy)',
  },
  { name: 'multicast_reverse', help: 'multicast that did not come by the interface that leads back to its source (RFC 1812 §5.2.1.2)' },
  {
    name: 'multicast_no_link',
    help: 'multicast out of an interface that cannot send it: no Ethernet, or the router runs without its addon',
  },
  { name: 'nat_no_port', help: 'no free port at the inside global address for a new NAT session' },
  { name: 'nat_full', help: 'as many NAT sessions as there may be (ip nat translation max-entries)' },
  { name: 'nat_fragment', help: 'later fragment of a flow to be translated whose first fragment was not' },
  {
    name: 'nat_no_flow',
    help: 'to be translated, but of no flow: an ICMP error about no session, another ICMP type, ports cut off, lengths that lie',
  },
  { name: 'nat_no_address', help: 'no free address in the pool for a new NAT session' },
  { name: 'nat_no_mapping', help: 'from outside, for an address of a pool or static translation that translates nothing for it' },
  { name: 'nat_host_full', help: 'as many NAT sessions as the inside host may have (ip nat translation max-entries host)' },
  {
    name: 'fragment_overlap',
    help: 'fragments of a datagram that overlap, or end in two places: none of them passes (RFC 5722, RFC 1858)',
  },
  { name: 'fragment_duplicate', help: 'fragment that has come before' },
  {
    name: 'fragment_limit',
    help: 'fragment for which there was no room to wait for its first, or of a datagram in too many scattered pieces',
  },
  { name: 'fragment_timeout', help: 'fragment whose first did not come in time' },
  { name: 'gre_malformed', help: 'GRE header longer than the datagram (RFC 2784 §2)' },
  { name: 'gre_version', help: 'GRE of another version than 0 (RFC 2784 §2.3.1)' },
  { name: 'gre_flags', help: 'GRE with routing or reserved bits that must be 0 (RFC 2784 §2.3)' },
  { name: 'gre_key', help: 'GRE from the peer of a tunnel, with another key than a tunnel has (RFC 2890 §2.1)' },
  { name: 'gre_checksum', help: 'GRE checksum wrong (RFC 2784 §2.5)' },
  { name: 'gre_sequence', help: 'GRE out of sequence (RFC 2890 §2.2)' },
  { name: 'gre_protocol', help: 'GRE that carries another protocol than IPv4' },
  { name: 'gre_fragment', help: 'GRE of a tunnel arrived as an IP fragment: it is not put together' },
  { name: 'gre_congestion', help: 'congestion marked on the outer header of a packet that cannot carry the mark (RFC 6040 §4.2)' },
  { name: 'gre_keepalive', help: 'keepalive of a tunnel of ours that came back, and has done what it is for' },
  { name: 'policy_null', help: 'policy routing sent it to Null0 (set interface Null0)' },
  { name: 'acl_in', help: 'denied by the access list of the interface that it came by (ip access-group in)' },
  { name: 'acl_out', help: 'denied by the access list of the interface that it would leave by (ip access-group out)' },
  { name: 'police_in', help: 'above the rate of a policer at the input (service-policy input)' },
  { name: 'police_out', help: 'above the rate of a policer at the output (service-policy output)' },
  { name: 'queue_full', help: 'the queue of its class was full (queue-limit)' },
  { name: 'queue_random', help: 'by random early detection (random-detect)' },
  { name: 'queue_over_rate', help: 'of a priority class above its rate while others waited (priority)' },
  { name: 'queue_no_buffer', help: 'queues held as many packets as the pool has for them' },
  { name: 'transport_fragment', help: 'a fragment, or too long without DF: transport mode seals whole datagrams (RFC 4303 §3.1.1)' },
];

/** Per port. */
export const enum PortCount {
  RxPackets,
  RxBytes,
  TxPackets,
  TxBytes,
  RxDrops,
  TxDrops,
  MssLowered,
  MssMalformed,
  Count,
}
export const portTexts: readonly CounterText[] = [
  { name: 'received_packets', help: 'datagrams received on the interface' },
  { name: 'received_bytes', help: 'bytes received on the interface, IP datagrams' },
  { name: 'sent_packets', help: 'datagrams sent on the interface' },
  { name: 'sent_bytes', help: 'bytes sent on the interface, IP datagrams' },
  { name: 'receive_drops', help: 'datagrams received on the interface and dropped' },
  { name: 'send_drops', help: 'datagrams dropped at the interface when sending' },
  { name: 'mss_lowered', help: 'TCP SYNs whose maximum segment size was lowered (ip tcp adjust-mss)' },
  { name: 'mss_malformed', help: 'TCP SYNs that ip tcp adjust-mss left as they are, because their header or options are malformed' },
];

/** Per SA slot. */
export const enum SaCount {
  SealedPackets,
  SealedBytes,
  OpenedPackets,
  OpenedBytes,
  ReplayDrops,
  IntegrityDrops,
  SendErrors,
  ReceiveErrors,
  Count,
}
export const saTexts: readonly CounterText[] = [
  { name: 'sealed_packets', help: 'packets encrypted' },
  { name: 'sealed_bytes', help: 'bytes of inner packets encrypted' },
  { name: 'opened_packets', help: 'packets verified and decrypted' },
  { name: 'opened_bytes', help: 'bytes of inner packets decrypted' },
  { name: 'replay_drops', help: 'packets that failed the replay check' },
  { name: 'integrity_drops', help: 'packets that failed the integrity check' },
  { name: 'send_errors', help: 'packets that could not be encrypted' },
  { name: 'receive_errors', help: 'packets that could not be decrypted, for any reason' },
];

/** The path as a whole. The invariant of DESIGN §3: received + made = sent + dropped + punted + queued + held, held = fragments that wait + handed over - taken over. */
export const enum PathCount {
  Received,
  Sent,
  Dropped,
  Punted,
  /** Packets the router itself created: ICMP errors, fragments beyond the first. */
  Made,
  Passes,
  /** Given to the worker that owns the sender or is to seal, and taken from other workers. */
  HandedOver,
  TakenOver,
  /** Replay windows of quiet senders given to others (proto/replay.ts). */
  ReplayEvictions,
  /** Fragments that wait for their first, now (path/20). */
  Held,
  /** Packets in queues of service-policies, now. */
  Queued,
  Count,
}
export const pathTexts: readonly CounterText[] = [
  { name: 'received_packets', help: 'datagrams read from all ports' },
  { name: 'sent_packets', help: 'datagrams written to all ports' },
  { name: 'dropped_packets', help: 'datagrams dropped, all reasons' },
  { name: 'punted_packets', help: 'datagrams handed to the host itself' },
  { name: 'made_packets', help: 'datagrams created by the router: ICMP errors, further fragments' },
  { name: 'passes', help: 'passes of the pipeline' },
  { name: 'handed_over_packets', help: 'datagrams given to the worker that owns their sender or seals them' },
  { name: 'taken_over_packets', help: 'datagrams taken from other workers' },
  { name: 'replay_evictions', help: 'replay windows of quiet senders that were given to others' },
  { name: 'held_packets', help: 'fragments that wait now for the first of their datagram' },
  { name: 'queued_packets', help: 'datagrams that wait now in queues of service-policies' },
];

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
