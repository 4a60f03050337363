// A tunnel as control describes it, and what is told about it, part of message.ts.

/** GRE over IPv4 (RFC 2784, RFC 2890). Without a source or a destination the tunnel is down. */
export interface TunnelSpec {
  /** IOS name of the interface whose primary address it is; else `sourceAddress`. */
  sourceInterface: string | null;
  sourceAddress: number | null;
  destination: number | null;
  key: number | null;
  checksum: boolean;
  sequence: boolean;
  /** Of the outer header, 1..255. */
  ttl: number;
  /** Of the outer header, its DSCP alone; null = as inside. */
  tos: number | null;
  /** The outer DF is the inner one. */
  copyDf: boolean;
  /** Until a path MTU that was learnt is forgotten, null = never; absent: ten minutes. */
  agerSeconds?: number | null;
  /** No smaller path MTU is learnt, bytes; absent: what IOS has. */
  leastPathMtu?: number;
  /** Seconds between keepalives, and how many may fail to come back before the tunnel is down; null = none are sent. */
  keepalive: { seconds: number; retries: number } | null;
  /** Queues are told what the packet inside was. */
  preClassify: boolean;
}

/** Why a tunnel carries nothing. */
export const tunnelStates = [
  'up',
  'shutdown',
  'no-source',
  'no-destination',
  'destination-is-own',
  'no-route',
  'recursive',
  'no-keepalive',
] as const;
export type TunnelState = (typeof tunnelStates)[number];
