// `route-map ...` as the rest of control sees it. Plain data, like model.ts.

import type { Ipv4 } from './model.js';

/** What policy routing does to a packet that an entry matches. What is not there stays as it is. */
export interface RouteMapSet {
  /** `set ip next-hop`: the first that can be reached. */
  nextHops?: Ipv4[];
  /** `set interface`: the first that is up; `Null0` drops. Behind next hops. */
  interfaces?: string[];
  /** `set ip default next-hop`: for destinations without a route of their own. Behind interfaces. */
  defaultNextHops?: Ipv4[];
  df?: 0 | 1;
  /** 0..7, the upper three bits of the ToS octet (RFC 791 §3.1). */
  precedence?: number;
  /** 0..15, the four bits behind them (RFC 1349 §3). */
  tos?: number;
  /** 0..63 (RFC 2474 §3). Not together with precedence or tos. */
  dscp?: number;
}

/** One `route-map NAME permit|deny SEQ`. */
export interface RouteMapEntry {
  line: number;
  name: string;
  sequence: number;
  action: 'permit' | 'deny';
  description: string | null;
  /** `match ip address`: one of these permits the packet. Empty: all packets. */
  matchAddresses: string[];
  /** `match interface`: the packet leaves by one of these. Empty: any. */
  matchInterfaces: string[];
  /** `match length`: bytes of the datagram, inclusive. */
  matchLength?: [least: number, most: number];
  set?: RouteMapSet;
  /** `continue`: where to go on after a match; `next` = with the entry behind it. */
  continueTo?: number | 'next';
}
