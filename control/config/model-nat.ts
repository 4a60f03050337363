// `ip nat ...` as the rest of control sees them. Plain data, like model.ts.

export type NatSide = 'inside' | 'outside';

/** Which flows a statement translates. A route-map without an entry that matches, and a list that denies, leave them to the next statement. */
export interface NatSource {
  kind: 'list' | 'route-map';
  name: string;
}

/** `ip nat inside source list|route-map NAME interface IF overload`. */
export interface NatStatement extends NatSource {
  line: number;
  /** Full name; its primary address is the inside global one. */
  interface: string;
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

export interface NatConfig {
  /** In order of the configuration: the first that matches decides. */
  statements: NatStatement[];
  /** What differs from {@link defaultNatTimeouts}. */
  timeouts: Partial<Record<NatTimeout, number | 'never'>>;
  /** `max-entries`; null = as many as fit. */
  maxEntries: number | null;
}
