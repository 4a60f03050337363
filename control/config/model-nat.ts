// `ip nat ...` and `route-map ...` as the rest of control sees them. Plain data, like model.ts. Local addresses are as the inside sees them, global ones
// as the outside does; inside and outside say whose they are.

export type NatSide = 'inside' | 'outside';

/** Which flows a statement translates. A route-map without an entry that matches, and a list that denies, leave them to the next statement. */
export interface NatSource {
  kind: 'list' | 'route-map';
  name: string;
}

/** `ip nat inside source list|route-map NAME interface IF overload`, `... pool P [overload]`. */
export interface NatStatement extends NatSource {
  line: number;
  /** Full name; its primary address is the inside global one. null: the pool's are. */
  interface: string | null;
  pool: string | null;
  /** Hosts share addresses, told apart by ports. Otherwise each has one for itself. */
  overload: boolean;
}

export const natPoolTypes = ['generic', 'rotary', 'match-host'] as const;
export type NatPoolType = (typeof natPoolTypes)[number];

/** `ip nat pool`. Addresses are unsigned. */
export interface NatPool {
  line: number;
  name: string;
  first: number;
  last: number;
  mask: number;
  type: NatPoolType;
}

/** `ip nat inside|outside source static`. */
export interface NatStatic {
  line: number;
  side: NatSide;
  /** null: all protocols, and ports stay. */
  protocol: 'tcp' | 'udp' | null;
  local: number;
  localPort: number | null;
  /** null: the primary address of `interface`. */
  global: number | null;
  interface: string | null;
  globalPort: number | null;
  /** Of both; all ones but for `network`. */
  mask: number;
  routeMap: string | null;
  /** The local or global address stands in other lines too. */
  extendable: boolean;
  /** The router does not answer ARP for the address. */
  noAlias: boolean;
  /** No translation in payloads: there never is. */
  noPayload: boolean;
  /** A route to the outside local address. */
  addRoute: boolean;
}

/** `ip nat outside source list|route-map NAME pool P [add-route]`. */
export interface NatOutsideSource extends NatSource {
  line: number;
  pool: string;
}

/** `ip nat inside destination list NAME pool P`: TCP connections to what the list permits are spread over the pool. */
export interface NatDestination {
  line: number;
  list: string;
  pool: string;
}

/** How long an idle translation stays, seconds, as IOS has it unless told otherwise. */
export const defaultNatTimeouts = {
  /** Protocols without ports. */
  timeout: 86400,
  'tcp-timeout': 86400,
  'udp-timeout': 300,
  'dns-timeout': 60,
  'icmp-timeout': 60,
  /** No answer yet. */
  'syn-timeout': 60,
  /** After FIN or RST. */
  'finrst-timeout': 60,
} as const;
export type NatTimeout = keyof typeof defaultNatTimeouts;
export const natTimeoutNames = Object.keys(defaultNatTimeouts) as NatTimeout[];

/** Seconds: 17 years, what IOS takes. */
export const LongestNatTimeout = 536870912;

/** IP protocols of what has ports. */
export const natProtocols = { tcp: 6, udp: 17 } as const;

/** `ip nat translation port-timeout tcp|udp PORT SECONDS`: of flows that ask this port. */
export interface NatPortTimeout {
  protocol: 'tcp' | 'udp';
  port: number;
  seconds: number | 'never';
}

/** `ip nat log translations`. */
export interface NatLogging {
  syslog: boolean;
  /** JSON lines are appended to it; ours, not IOS's. */
  file: string | null;
}

export interface NatConfig {
  pools: NatPool[];
  statics: NatStatic[];
  /** In order of the configuration: the first that matches decides. */
  statements: NatStatement[];
  outsideSources: NatOutsideSource[];
  destinations: NatDestination[];
  /** What differs from {@link defaultNatTimeouts}. */
  timeouts: Partial<Record<NatTimeout, number | 'never'>>;
  /** `port-timeout`, each port of a protocol once. */
  portTimeouts: NatPortTimeout[];
  /** `max-entries`; null = as many as fit. */
  maxEntries: number | null;
  /** `max-entries all-host`: of each inside host; absent = as many as fit. */
  hostEntries?: number;
  logging: NatLogging;
  /** `max-entries host`, in place of `all-host`. */
  hostLimits: { line: number; address: number; entries: number }[];
}
