// The control block, and rows of a bank that the main thread fills from what it knows of Linux: ports, neighbours, hops of policy routing, multicast groups. The others come from
// control (tables/layout.ts).

import { CryptoFlag } from '../tables/layout.js';

/** Per port, filled from the Linux netdev by the main thread. */
export const enum PortRow {
  Up = 0,
  /** IP MTU in bytes. */
  Mtu = 1,
  /** Primary address, 0 = none: source of ICMP errors. */
  Address = 2,
  /** PortCrypto. */
  HasCryptoMap = 3,
  /** NatSide */
  Nat = 4,
  Silent = 5, // 1 when ICMP unreachables are not sent about what comes by it
  InFirst = 6, // first ACE row of the list on what comes in
  InCount = 7, // its rows, -1 = no list
  OutFirst = 8, // the same for what leaves
  OutCount = 9,
  Mss = 10, // largest segment that a TCP SYN on it may announce, bytes; 0 = any
  CryptoDf = 11, // CryptoDf (tables/layout.ts) of what is sealed on its way out
  CutSealed = 12, // 1: what is too long is sealed whole, and its ESP is cut (`crypto ipsec fragmentation after-encryption`)
  SearchMtu = 13, // 1: path MTUs of what is sealed on its way out are searched for (`crypto ipsec path-mtu-discovery probe`)
  Fragments = 14, // PortFragments
  MaxDatagrams = 15, // in fragments that are known at a time, 0 = as many as fit
  MaxFragments = 16, // of one datagram, 0 = any
  FragmentMs = 17, // how long a datagram in fragments is known, 0 = FragmentLimit.TimeoutMs
  Words = 18,
}

/** What is done about fragments that come by a port (`ip virtual-reassembly`). */
export const enum PortFragments {
  /** Nothing, unless there is NAT. */
  Pass = 0,
  Check = 1,
  /** `drop-fragments`. */
  Drop = 2,
}

/** What entries of crypto maps there are on a port. */
export const enum PortCrypto {
  None = 0,
  /** Between gateways alone. */
  Peers = 1,
  /** Of groups too: ESP between others may be ours to open. */
  Groups = 3,
}

/** @param flags CryptoFlag of one entry */
export function portCryptoOf(flags: number): PortCrypto {
  return (flags & (CryptoFlag.PeerOut | CryptoFlag.PeerIn)) !== 0 ? PortCrypto.Peers : PortCrypto.Groups;
}

/** `ip nat inside|outside`. */
export const enum NatSide {
  None = 0,
  Inside = 1,
  Outside = 2,
}

/** Who is reached on an Ethernet port, and the header that leads there (RFC 894), ready to be written: 12 bytes and the type. */
export const enum NeighbourRow {
  Port = 0,
  /** IPv4, signed. */
  Address = 1,
  /** Destination MAC 0..3 · destination 4..5, source 0..1 · source 2..5, as big-endian words. */
  Header = 2,
  Words = 5,
}
export const MaxNeighbours = 4096;

/** Where policy routing may send packets, as far as that can be done now. */
export const enum PolicyHopRow {
  /** {@link HopKind} */
  Kind = 0,
  /** Port by which it is reached, -1 = it cannot be reached now. */
  Port = 1,
  /** Of a router; signed. */
  Address = 2,
  Words = 3,
}
export const enum HopKind {
  NextHop = 0,
  Interface = 1,
  Null = 2,
}

/** Static multicast: the ports that get a copy of what is for a group. */
export const enum GroupRow {
  /** IPv4, signed. */
  Group = 0,
  /** Bit per port. */
  Ports = 1,
  Words = 2,
}
export const MaxGroups = 16;

/** Words of the control block. */
export const enum Ctl {
  /** Published epoch; bank = epoch & 1. */
  Epoch = 0,
  /** Not 0: workers leave their loop. */
  Stop = 1,
  /** Wall clock, Unix seconds, written by the main thread once a second (low 32 bits). */
  NowSeconds = 2,
  /** Not 0: beginnings and ends of NAT sessions are noted (mem/nat-log.ts). */
  NatLog = 3,
  /** Bit per port whose wire `monitor capture` records, and not 0 where what SAs seal and open is recorded (mem/capture.ts). */
  CaptureWire = 4,
  CaptureInner = 5,
  /** Not 0: packets are followed. */
  CaptureFollow = 6,
  /** Counted by the main thread once a second, from 1. A worker writes it to `Seen` in its next turn: one that is far behind is stuck. */
  Turn = 7,
  /** First of one acknowledgement word per worker. */
  Ack = 8,
  /** First of one word per worker: 1 while it sleeps in poll, or is about to. */
  Sleeping = 24,
  /** First of one word per worker: NAT sessions it has. In cache lines of their own. */
  NatSessions = 48,
  Tunnels = 64, // first of Cap.Ports * TunnelWord.Count words
  /** First of one word per worker: the last `Turn` it has seen, 0 = it has not begun. */
  Seen = 128,
  Words = 144,
}
