// Table rows: what control compiles and the dataplane reads. Int32 words; addresses and SPIs are stored as signed 32-bit
// words (compare after `| 0`). A table is swapped as a whole between two passes, so every offset below is the contract of
// both sides. Capacities are fixed because stages capture the arrays once (DESIGN §3).
//
//   crypto entry --acl--> ace rows          sa row --slot--> key row, counters, replay windows
//        `-- outbound sa slot ------------------^

export * from './layout-nat.js';
export * from './layout-qos.js';
export * from './layout-tunnel.js';

/** Rows a bank can hold. A configuration that needs more is refused by control with a message, never truncated. */
export const enum Cap {
  Ports = 16,
  Aces = 4096,
  /** Hit counters: twice the rows, so that the number of an entry that is gone is not another's at once. */
  AceCounters = 8192,
  CryptoEntries = 2 << 6,
  Sas = 256,
  /** Sender IDs one SA row carries: one for every worker, whose number takes 4 bits of the IV (proto/sender-iv.ts). */
  Sids = 1 << 4,
  NatClauses = 1 << 7,
  NatStatics = 1024,
  NatPools = 32,
  NatRanges = 2048,
  NatLimits = 48,
  NatPortTimeouts = 1 << 6,
  PolicyEntries = 1 << 7,
  PolicyClauses = 1 << 8,
  /** Next hops and interfaces that policy routing names: four bits each in a row. */
  PolicyHops = 1 << 4,
}

/** ACE: first match wins. Ports are inclusive ranges; a `neq` becomes two rows. What is seldom asked stands behind them, in terms of {@link AclFact}. */
export const enum Ace {
  Action = 0, // AceAction
  Protocol = 1, // IP protocol number, -1 any
  Src = 2,
  SrcCare = 3, // bits that must match (~wildcard)
  Dst = 4,
  DstCare = 5,
  SrcPortLow = 6,
  SrcPortHigh = 7,
  DstPortLow = 8,
  DstPortHigh = 9,
  Mask = 10, // AclFact bits that must be as in Value; 0 = nothing but the words above is asked
  Value = 11,
  AnyOf = 12, // TCP flags of which one is enough: flags | those that must be clear instead << 8; 0 = not asked
  Counter = 13, // index of the hit counter, < Cap.AceCounters: stays with the entry when tables change; rows of one entry share it
  Log = 14, // AceLog, for lists on interfaces
  Words = 15,
}
/** Words of a port in the lists of interfaces. */
export const enum FilterList {
  In = 0,
  Out = 1,
  Words = 2,
}

export const enum AceLog {
  None = 0,
  Log = 1,
  /** With the interface that it came by. */
  LogInput = 2,
}
/**
 * What an ACE may ask of a packet besides addresses, protocol and ports, in one word. The second half is there when Known is set: a later fragment
 * does not hold it.
 */
export const enum AclFact {
  Tos = 0xff,
  /** Not the first fragment. */
  Later = 0x100,
  Known = 0x200,
  /** Eight bits: TCP flags, ICMP type. */
  FirstShift = 10,
  /** Eight bits: ICMP code. */
  SecondShift = 18,
  /** Of the IP header. */
  Header = 0x1ff,
  All = 0x3ffffff,
}
export const enum AceAction {
  Deny = 0,
  Permit = 1,
}

/**
 * One crypto map entry bound to a port, in order of (port, sequence); an entry whose group has several SAs is several rows. Behind those of its
 * groups stand the rows of a port that is closed.
 */
export const enum CryptoEntry {
  Port = 0, // port id
  AclFirst = 1, // first ACE row: local deny ACL, then the key server's
  AclCount = 2,
  OutboundSa = 3, // SA slot, -1 = none yet: what the ACL permits is dropped
  Group = 4, // group index, for counters and events
  Flags = 5, // CryptoFlag
  Flow = 6, // number of a flow between two gateways: told when it has no SA; 0 = of a group
  Words = 7,
}
export const enum CryptoFlag {
  /** Policy is known. Without it the entry does not match at all (fail-open, the IOS default). */
  Registered = 1,
  /** What leaves in the clear and the list permits is dropped: the port is closed (`fail-close`). */
  ClosedOut = 2,
  /** The same for what arrives; the list is that of what leaves with its ends exchanged. */
  ClosedIn = 4,
  /** What the list permits leaves in the clear all the same (`sa receive-only`). */
  ReceiveOnly = 8,
  /** What the list permits is taken in the clear too (receive-only, passive). */
  AcceptClear = 16,
  /** Of a flow between two gateways, what leaves: without an SA it is dropped and control is told. */
  PeerOut = 32,
  /** The same for what arrives; the list is that of what leaves with its ends exchanged. */
  PeerIn = 64,
  /** What it seals is known to queues by what it was (`qos pre-classify`). */
  PreClassify = 128,
}

/**
 * One ESP SA. Of a group: used in both directions by every member (RFC 6407 §5.5). Between two gateways (SaFlag.Pairwise): one direction. The row's index
 * is its slot.
 */
export const enum Sa {
  Serial = 0, // unique per SA for the life of this instance, > 0; a new serial in a slot means a new SA: reset its state
  Spi = 1,
  Flags = 2, // SaFlag
  Cipher = 3, // EspCipher
  Auth = 4, // EspAuth
  CipherKeyLen = 5, // bytes, without salt
  AuthKeyLen = 6, // bytes
  IvLen = 7, // bytes on the wire
  IcvLen = 8, // bytes on the wire
  Align = 9, // padding alignment in bytes (RFC 4303 §2.4)
  ReplayWindow = 10, // packets, 0 = no replay check
  SidBits = 11, // 0: no sender IDs (window per inner source); else RFC 6054 / RFC 6407 §5.4
  SidCount = 12,
  Sids = 13, // Cap.Sids words
  Group = 29,
  AclFirst = 30, // inbound policy check: the group's ACL
  AclCount = 31,
  ExpiresAt = 32, // Unix seconds (low 32 bits); past it the SA neither seals nor opens
  TimeWindow = 33, // seconds of time-based anti-replay (proto/tbar.ts), 0 = none; then the replay window is not looked at
  TimeHigh = 34, // group's pseudotime less CLOCK_MONOTONIC, ms, as a signed 64-bit number: high word, low word
  TimeLow = 35,
  Local = 36, // pairwise: our end, and the peer's, in the outer header
  Peer = 37,
  PeerPort = 38, // ESP goes in UDP (RFC 3948), from port 4500 to this one, of a group to 4500; 0 = ESP as a protocol of its own
  LocalOriginal = 39, // pairwise, inbound, transport mode in UDP: the addresses that the peer's checksums were made with (RFC 3947 §5.2), ours and its own
  PeerOriginal = 40,
  Words = 41,
}
export const enum SaFlag {
  Inbound = 1,
  Outbound = 2,
  /** Between two gateways (RFC 4301 §4.1): an outer header of its own, one sender, the list is the traffic of this direction. */
  Pairwise = 4,
  /** Of those, transport mode (RFC 4303 §3.1.1): the packet keeps its header. */
  Transport = 8,
  /** Of those, sequence numbers of 64 bits (RFC 4303 §2.2.1). */
  Extended = 16,
}
/** DF of the outer header in tunnel mode (`crypto ipsec df-bit`, RFC 4301 §8.1). */
export const enum CryptoDf {
  Copy = 0,
  Clear = 1,
  Set = 2,
}
export const enum EspCipher {
  None = 0,
  Null = 1,
  TripleDesCbc = 2,
  AesCbc = 3,
  // Combined modes, with a salt and an IV that is counted: last (proto/esp.ts, isCombined).
  AesGcm16 = 4,
  AesGmac = 5,
  ChaCha20Poly1305 = 6,
}
export const enum EspAuth {
  None = 0,
  HmacMd5_96 = 1,
  HmacSha1_96 = 2,
  HmacSha256_128 = 3,
  HmacSha384_192 = 4,
  HmacSha512_256 = 5,
}

/** Key bytes of one SA slot, parallel to its row. Never printed, never counted, wiped when the slot is freed. */
export const enum SaKey {
  Cipher = 0, // 32 bytes
  Salt = 32, // 4 bytes, counter modes
  Auth = 36, // 64 bytes
  Bytes = 104,
}
