// What control asks the network through the dataplane (ping, traceroute): messages of message.ts. A session is a pair of sockets. Times are
// milliseconds of CLOCK_MONOTONIC, taken beside the socket, so that what the messages cost is in no round-trip time.

/** Sessions at a time. */
export const MaxProbeSessions = 8;

/** What is the same for all that a session sends. Addresses unsigned. */
export interface ProbeSocket {
  /** 1 ICMP, 17 UDP. */
  protocol: 1 | 17;
  /** null = the kernel chooses. */
  source: number | null;
  tos: number;
  dontFragment: boolean;
}

export type ToProber =
  /** Answered by `probe-opened`. Two of one session: the latter takes its place. */
  | ({ type: 'probe-open'; id: number; session: number } & ProbeSocket)
  /** Behind it: what stands behind the IPv4 header. Answered by `probe-sent`. */
  | { type: 'probe-send'; session: number; number: number; destination: number; ttl: number }
  | { type: 'probe-close'; session: number };

/** Path MTU discovery without ICMP (RFC 8899). Addresses unsigned; the nonce is two signed words. */
export type ToPathSearch =
  /** A probe as long as `size` once it is sealed. @param group index, null = by the SA between two gateways */
  | {
      type: 'mtu-probe';
      port: number;
      group: number | null;
      destination: number;
      peerPort: number;
      size: number;
      nonce: [number, number];
    }
  /** What has been found: `mtu` for so many seconds. */
  | { type: 'mtu-found'; destination: number; mtu: number; seconds: number };

export type PathSearchEvent =
  /** Long packets with DF are sealed for a destination about whose path nothing is known. `group`: index, null = by an SA between two gateways; `mtu`: of the interface. */
  | { kind: 'path-unknown'; destination: number; port: number; group: number | null; peerPort: number; mtu: number }
  /** A probe has arrived. */
  | { kind: 'mtu-answer'; from: number; size: number; nonce: [number, number] };

export type FromProber =
  | { type: 'probe-opened'; id: number /** '' = it is open. */; error: string }
  /** @param errno 0 = it was sent */
  | { type: 'probe-sent'; session: number; number: number; errno: number; at: number }
  /** Behind it: a datagram with its IPv4 header, of all ICMP that comes to this host. */
  | { type: 'probe-answer'; session: number; at: number };
