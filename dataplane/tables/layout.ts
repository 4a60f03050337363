// Table rows: what control compiles and the dataplane reads. Int32 words; addresses and SPIs are stored as signed 32-bit
// words (compare after `| 0`). A table is swapped as a whole between two passes, so every offset below is the contract of
// both sides. Capacities are fixed because stages capture the arrays once (DESIGN §3).
//
//   crypto entry --acl--> ace rows          sa row --slot--> key row, counters, replay windows
//        `-- outbound sa slot ------------------^

/** Rows a bank can hold. A configuration that needs more is refused by control with a message, never truncated. */
export const enum Cap {
  Ports = 16,
  Aces = 4096,
  /** Hit counters: twice the rows, so that the number of an entry that is gone is not another's at once. */
  AceCounters = 8192,
  CryptoEntries = 64,
  Sas = 256,
  /** Sender IDs one SA row carries: one for every worker, whose number takes 4 bits of the IV (proto/sender-iv.ts). */
  Sids = 1 << 4,
  NatClauses = 128,
  NatStatics = 1024,
  NatPools = 32,
  NatRanges = 2048,
  NatLimits = 48,
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
  Words = 6,
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
}

/** One ESP SA, used in both directions by every member of the group (RFC 6407 §5.5). The row's index is its slot. */
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
  Words = 36,
}
export const enum SaFlag {
  Inbound = 1,
  Outbound = 2,
}
export const enum EspCipher {
  None = 0,
  Null = 1,
  TripleDesCbc = 2,
  AesCbc = 3,
  AesGcm16 = 4,
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

/**
 * One clause of one dynamic statement of `ip nat`, in order of the configuration within each kind; clauses of a statement are neighbours. A statement is
 * tried until one of its clauses matches: that clause translates, or says that this statement does not, and the next statement is tried.
 * A list is one clause; a route-map is its entries, one clause for each list that an entry names. Static translations with a route-map have
 * clauses too, behind all others.
 */
export const enum NatClause {
  Rule = 0, // number of the statement (NatRuleBase), ascending
  Permit = 1, // 1: translates; 0: not by this statement
  AclFirst = 2, // the clause matches what the list permits
  AclCount = 3, // -1: an entry without `match ip address`, which matches every packet
  OutPort = 4, // `match interface`: port by which the packet leaves, -1 any
  GlobalPort = 5, // port whose primary address is the inside global one (`interface IF overload`), -1 = the pool's
  Pool = 6, // row of NatPool + 1, 0 = none
  Use = 7, // NatUse, ascending
  OneToOne = 8, // 1: an address for each host (no `overload`); 2: the same, and what comes from outside reaches the host (`list`)
  Words = 9,
}
export const enum NatUse {
  /** `ip nat inside source` */
  InsideSource = 0,
  /** `ip nat outside source` */
  OutsideSource = 1,
  /** `ip nat inside destination` */
  InsideDestination = 2,
  /** The route-map of a static translation. */
  Static = 3,
}

/** Statements are numbered by kind: each has its own numbers from here. */
export const enum NatRuleBase {
  InsideSource = 0,
  Static = 0x1000,
  OutsideSource = 0x2000,
  InsideDestination = 0x3000,
  /** In a session's word: the number is below, and it uses an address of a pool that its inside host, or its outside host, has for itself. */
  Mask = 0xffff,
  HoldsGlobal = 0x10000,
  HoldsLocal = 0x20000,
}

/** `ip nat inside|outside source static`. Local is as the inside sees it, global as the outside does. */
export const enum NatStatic {
  Side = 0, // 0: inside source, 1: outside source
  Rule = 1, // NatRuleBase.Static + number of the statement
  Protocol = 2, // 0 = any, without ports
  Local = 3,
  Global = 4,
  Care = 5, // bits of both that must match: a network's, or all
  LocalPort = 6,
  GlobalPort = 7,
  AddressOf = 8, // port whose primary address is the global one, -1 = Global is
  ClauseFirst = 9, // its route-map; what no clause permits is not translated
  ClauseCount = 10, // 0 = without
  Words = 11,
}

/** `ip nat pool`: addresses first to last, both used. */
export const enum NatPool {
  First = 0,
  Last = 1,
  Type = 2, // NatPoolType
  HostBits = 3, // bits of the address that are the host's part
  Words = 4,
}
export const enum NatPoolType {
  Generic = 0,
  Rotary = 1,
  /** The host's part of the address stays what it is. */
  MatchHost = 2,
}

/** `ip nat translation max-entries all-host|host`: sessions that an inside host may have. */
export const enum NatLimit {
  Host = 0, // address, 0 = every host that has no row
  Entries = 1,
  Words = 2,
}

/** Addresses that are none of an interface and that NAT answers for, ascending. */
export const enum NatRange {
  First = 0,
  Last = 1,
  Flags = 2, // NatRangeFlag
  Words = 3,
}
export const enum NatRangeFlag {
  /** Inside global: used on outside interfaces. Otherwise outside local, used on inside ones. */
  Global = 1,
  /** The router answers ARP for them where they are of a connected network. */
  Arp = 2,
}

/**
 * One entry of a route-map by which packets are routed, as an interface has it; entries of one interface are neighbours, in order. The first that
 * matches decides, or hands on to another (`continue`); what entries set adds up, of equal kinds the last.
 */
export const enum PolicyEntry {
  Port = 0, // packets that came by it; Cap.Ports = what the host itself sends (`ip local policy`)
  Permit = 1, // 0: what it matches is routed by its destination
  Next = 2, // row that goes on after a match, -1 = it decides
  LengthLow = 3, // `match length`, bytes of the datagram
  LengthHigh = 4,
  FirstClause = 5, // `match ip address`: PolicyClause rows, one of which must permit
  ClauseCount = 6, // 0: every packet
  NextHops = 7, // `set ip next-hop`: numbers of hops, four bits each, the first one lowest
  NextHopCount = 8,
  Interfaces = 9, // `set interface`
  InterfaceCount = 10,
  Defaults = 11, // `set ip default next-hop`
  DefaultCount = 12,
  TosKeep = 13, // bits of the ToS octet that stay
  TosSet = 14,
  Df = 15, // 0, 1; -1 = as it is
  Words = 16,
}
export const enum PolicyClause {
  AclFirst = 0,
  AclCount = 1, // 0: a list that is not there, which permits nothing
  Words = 2,
}

/** What a session is, which says how long it may be quiet (`ip nat translation ...-timeout`). */
export const enum NatState {
  /** Protocols without ports: `timeout`. */
  Other = 0,
  Udp = 1,
  Dns = 2,
  Icmp = 3,
  /** No answer with ACK yet. */
  TcpSyn = 4,
  TcpEstablished = 5,
  TcpFinRst = 6,
  Count = 7,
}

/** A session as it lies in a worker's table (mem/nat-sessions.ts) and travels to control. 64 bytes. */
export const enum NatRow {
  /** Signed, as all addresses here. */
  InsideAddress = 0,
  GlobalAddress = 1,
  /** As the outside sees it. */
  OutsideAddress = 2,
  /** Inside port << 16 | outside port as the inside sees it. ICMP queries: their identifier is the inside port, 0 the other. */
  InsidePorts = 3,
  /** Global port << 16 | outside port. */
  OutsidePorts = 4,
  /** IP protocol; 0 = the row is free. */
  Protocol = 5,
  /** {@link NatState} */
  State = 6,
  /** Seconds of the worker's clock: when it was made, when a packet last counted for it. In an answer to control: seconds ago. */
  Made = 7,
  Used = 8,
  /** Chains of the table; in an answer to control 0. */
  NextInside = 9,
  NextOutside = 10,
  /** Statement that made it ({@link NatRuleBase}), -1 = the router's own traffic, which keeps its address. */
  Rule = 11,
  PacketsOut = 12,
  PacketsIn = 13,
  /** Changes whenever the row becomes another session: whoever remembers a row can tell. */
  Serial = 14,
  /** The outside address as the inside sees it (`ip nat outside source`), else the same. */
  OutsideLocal = 15,
  Words = 16,
}

/** A session that has begun or ended, as it travels to control: a NatRow with these words in place of its chains. */
export const enum NatLogRow {
  Event = 9, // NatLogEvent
  /** How long ago, ms. */
  At = 10,
}
export const enum NatLogEvent {
  Created = 1,
  Ended = 2,
}
