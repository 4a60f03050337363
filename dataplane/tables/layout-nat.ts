// The NAT rows of layout.ts, which exports them too.

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

/** `ip nat translation port-timeout`: of TCP connections that stand and UDP flows to a port of whoever was asked. */
export const enum NatPortTimeout {
  Protocol = 0,
  Port = 1,
  Seconds = 2, // 0 = never
  Words = 3,
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

/** A TCP connection that is not there yet, or is no more, has the timeout of its state, whatever its port. */
export function hasPortTimeout(state: NatState): boolean {
  return state === NatState.TcpEstablished || state === NatState.Udp || state === NatState.Dns;
}

export const enum NatSeconds {
  /** Of what never ends by itself. */
  Never = 0x7fffffff,
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
  /** Of a free row: the next, -1 = none; in an answer to control 0. */
  NextFree = 9,
  /** Seconds in place of its state's timeout ({@link NatPortTimeout}), 0 = that. */
  Limit = 10,
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

/** A session that has begun or ended, as it travels to control: a NatRow with these words in place of what is no session's. */
export const enum NatLogRow {
  Event = 9, // NatLogEvent
  /** How long ago, ms. */
  At = 10,
}
export const enum NatLogEvent {
  Created = 1,
  Ended = 2,
}
