// What a bank of tables (shared.ts) holds and how much: counts at its head, leaves and nodes of the FIB, words of compiled lists.

/** Row counts at the head of each bank. */
export const enum BankCount {
  Aces = 0,
  CryptoEntries = 1,
  Sas = 2,
  FibRoot = 3, // first word of this bank's FIB in the root array of both banks
  LocalAddresses = 5,
  Neighbours = 6,
  Groups = 7,
  NatClauses = 8,
  /** NAT sessions that all workers may have together. */
  NatSessions = 9,
  Filters = 10, // lists on interfaces
  PolicyEntries = 11,
  PolicyClauses = 12,
  NatStatics = 13,
  NatPools = 14,
  NatRanges = 15,
  NatLimits = 16,
  Tunnels = 17, // ports that are tunnels
  NatPortTimeouts = 18,
  QosTests = 19,
  QosClasses = 20,
  MssLimits = 21, // ports with PortRow.Mss
  Words = 22,
}

/** FIB leaf: what a longest-prefix match yields. */
export const enum FibLeaf {
  Port = 0, // egress port id; LeafLocal for the host's own addresses
  NextHop = 1, // 0 = directly connected
  Default = 2, // 1: of the default route
  Words = 3,
}
export const LeafLocal = -1;
export const LeafUnreachable = -2;

/** The FIB is a multibit trie, 16-8-8 bits (proto/fib.ts): root entry >= 0 is a leaf, < 0 is ~(first line of a node). Lines that are not used are not touched. */
export const enum FibShape {
  RootEntries = 65536,
  /** A cache line. */
  LineWords = 16,
  MaxLines = 524288,
  MaxLeaves = 4096,
}

/** Half-words of a FIB node. */
export const enum FibNode {
  FirstBase = 16,
  FirstRun = 24,
  /** Added to a run's value: not a leaf. */
  Deep = 32768,
  /** A node with 256 runs and as many nodes below. */
  MaxLines = 25,
}
/** Compiled access lists, proto/classifier.ts. */
export const enum AclShape {
  MaxWords = 524288,
  /** Kept free for lists that are walked: a head for each crypto entry, SA, clause, interface and test of QoS. */
  Heads = 69632, // 24 words each
}
export const MaxLocalAddresses = 64;
