// Rows of tunnels, part of layout.ts: what the main thread writes and 12-gre-keepalive, 30-gre-decap and 65-gre-encap read.

/**
 * A tunnel interface, at its port's place: what the main thread makes of the configuration and of the addresses that the host has now. Whether it
 * carries packets is the port's to say (up, down).
 */
export const enum Tunnel {
  Mode = 0, // TunnelMode
  Source = 1, // of the outer header
  Destination = 2,
  Flags = 3, // TunnelFlag
  Key = 4,
  HeaderLen = 5, // bytes of the GRE header that is sent
  Ttl = 6, // of the outer header
  Tos = 7, // of the outer header, its DSCP alone; -1 = as inside
  KeepaliveSeconds = 8, // between keepalives, 0 = none are sent
  PreClassify = 9, // 1: what goes into it is known to queues by what it was
  LeastMtu = 10, // of the path, bytes: no smaller one is learnt (`min-mtu`)
  AgerSeconds = 11, // until a path MTU that was learnt is forgotten; 0x7fffffff = never
  Words = 12,
}
export const enum TunnelMode {
  /** The port is no tunnel, or one that has no ends. */
  None = 0,
  /** RFC 2784 over IPv4. */
  Gre = 1,
}
export const enum TunnelFlag {
  Checksum = 1,
  Key = 2,
  Sequence = 4,
  /** The outer DF is the inner one, else 0 (`tunnel path-mtu-discovery`). */
  CopyDf = 8,
}
