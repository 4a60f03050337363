// Rows of QoS, part of layout.ts: what control compiles of class-maps and policy-maps (control/compile/qos.ts).
//
//   use (port, direction) ──start──> test ──true/false──> test ... ──~class──> class row ──child──> test ... ──~class──> class row
//
// Rates are bytes a second in two words, high and low (`high * 2^32 + (low >>> 0)`).

export const enum QosCap {
  Tests = 2048,
  Classes = 512,
  /** Classes with random-detect. */
  Reds = 64,
  /** Classes with fair-queue. */
  FairClasses = 48,
  /** Flows that it tells apart in one class. */
  Flows = 32,
}

/** Values that a DSCP has. */
export const enum Dscp {
  Count = 64,
}

/** Words of a port and direction: row `port * 2 + QosDirection`. */
export const enum QosUse {
  /** First test, or ~class when the policy asks nothing. Looked at only when ClassCount > 0. */
  Start = 0,
  FirstClass = 1,
  /** 0 = no service-policy. */
  ClassCount = 2,
  /** What the port sends at most. */
  RateHigh = 3,
  RateLow = 4,
  /** 1: its classes have queues; 0 = what passes is policed and marked alone. */
  Queues = 5,
  Words = 6,
}
export const enum QosDirection {
  Input = 0,
  Output = 1,
}

/** One question about a packet, and where to go on: >= 0 a test, < 0 ~(row of the class that it is of). */
export const enum QosTest {
  Kind = 0, // QosTestKind; tests lead to tests in front of them, so that every way ends
  A = 1,
  B = 2,
  True = 3,
  False = 4,
  Words = 5,
}
export const enum QosTestKind {
  /** An access list permits it: A first ACE row, B rows. */
  List = 0,
  /** Its DSCP is one of the bits of A (0..31) and B (32..63). */
  Dscp = 1,
  /** Bytes of the datagram: A..B. */
  Length = 2,
  /** IP protocol A, -1 = any; source or destination port B, -1 = any. */
  Protocol = 3,
  /** A policy at the input has set qos-group A. */
  Group = 4,
}

/** A class of a policy at one port and direction. */
export const enum QosClass {
  /** Row of the class whose `service-policy` it is in, -1 = of the port's own policy. */
  Parent = 0,
  /** The policy below it: as QosUse. ChildCount 0 = none. */
  ChildStart = 1,
  ChildFirst = 2,
  ChildCount = 3,
  /** Bits of the ToS octet that stay, and those that are set. */
  TosKeep = 4,
  TosSet = 5,
  /** -1 = stays. */
  Group = 6,
  /** Committed rate of `police`; 0 = none. */
  CirHigh = 7,
  CirLow = 8,
  CommittedBurst = 9,
  /** 0 = one rate. */
  PirHigh = 10,
  PirLow = 11,
  ExcessBurst = 12,
  /** Three times QosAction: conform, exceed, violate. */
  Actions = 13,
  /** Row of the class in whose queue its packets wait: its own, or class-default's. */
  Queue = 25,
  /** 1 before 2; 0 = by quantum. */
  Priority = 26,
  /** What the conditional policer of a priority class lets through; 0 = everything. */
  PriorityHigh = 27,
  PriorityLow = 28,
  PriorityBurst = 29,
  /** Bytes of a round. */
  Quantum = 30,
  /** Shaper; 0 = none. */
  ShapeHigh = 31,
  ShapeLow = 32,
  /** Bytes. */
  ShapeBurst = 33,
  /** 0 = no such limit. */
  LimitPackets = 34,
  LimitBytes = 35,
  /** Queues of flows below it, 0 = none. */
  Flows = 36,
  /** Row of its curves, -1 = tail drop. */
  Red = 37,
  Words = 38,
}
export const enum QosAction {
  /** 1: drop. */
  Drop = 0,
  TosKeep = 1,
  TosSet = 2,
  Group = 3,
  Words = 4,
}

/** Random early detection of one class: a head, then a curve for each DSCP. */
export const enum QosRed {
  /** The average moves by 2^-n. */
  WeightExponent = 0,
  Ecn = 1,
  /** Microseconds that a packet of 1,500 bytes takes at the class's rate. */
  PacketUs = 2,
  /** Dscp.Count times QosCurve. */
  Curves = 3,
  Words = 195,
}
export const enum QosCurve {
  Least = 0,
  Most = 1,
  Denominator = 2,
  Words = 3,
}
