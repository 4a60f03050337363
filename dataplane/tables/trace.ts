// What packet-tracer asks of the dataplane and what it is told (message.ts carries it). Numbers of tables here; control knows their lines.

/** A datagram as it stands. Addresses unsigned, ports below 0 = it has none. */
export interface TracedPacket {
  src: number;
  dst: number;
  protocol: number;
  sport: number;
  dport: number;
  tos: number;
  ttl: number;
  /** Bytes of the IPv4 datagram. */
  length: number;
  dontFragment: boolean;
}

/** What became of the packet in a stage: it went on, was dropped, left by a link, was handed to the host or another worker, or waits. */
export type TraceOutcome = 'on' | 'drop' | 'sent' | 'punted' | 'handed-over' | 'held';

/** One stage that did something with the packet. */
export interface TraceStep {
  /** Of the stage's file: `40-route`. */
  stage: string;
  outcome: TraceOutcome;
  /** Drop of counters/declare.ts; -1 = it was not dropped. */
  reason: number;
  /** It is dropped after an ICMP error about it: type << 24 | code << 16 | MTU; 0 = none. */
  error: number;
  before: TracedPacket;
  after: TracedPacket;
  txPort: number;
  /** Unsigned; 0 = not routed yet. */
  nextHop: number;
  /** SA slot, -1 = none. */
  sa: number;
  /** Of that SA. */
  spi: number;
  /** Rows of the tables that matched: access lists, clauses of NAT, entries of route-maps for policy routing. */
  aces: number[];
  natClauses: number[];
  policyEntries: number[];
  /** NAT session that the packet belongs to. @param rule of its statement, -1 = the router's own traffic @param made it is new */
  session: { rule: number; made: boolean } | null;
  /** The route that decided, behind a lookup. */
  route: { prefix: number; prefixLength: number; nextHop: number } | null;
}

/** A datagram that would leave: the packet, its fragments and copies, or an ICMP error about it. */
export interface TraceSent {
  port: number;
  /** `tun`, `raw`, `packet`, `xdp`, `multicast`, `policy`. */
  link: string;
  packet: TracedPacket;
  /** This router made it (an ICMP error). */
  made: boolean;
}

export interface Trace {
  /** Of the tables that were asked. */
  generation: number;
  /** The worker that such a packet belongs to. */
  worker: number;
  steps: TraceStep[];
  sent: TraceSent[];
}

export interface TraceRequest {
  type: 'trace';
  id: number;
  /** By which it arrives. */
  port: number;
  /** The IPv4 datagram, hexadecimal. */
  datagram: string;
  /** It came out of an SA of this port. */
  decrypted: boolean;
}

/** @param error why there is no trace */
export type TraceAnswer = { type: 'trace'; id: number; trace: Trace | null; error: string };

/** Bytes of a datagram that is traced. */
export const MaxTraceBytes = 1856;
