// The configuration as the rest of control sees it: plain data, no text. Built by parse.ts, written back by print.ts
// (parse of print is the identity), checked by verify.ts. Maps keep configuration order; names are case-sensitive as on IOS.

import type { DfBit } from '../../dataplane/tables/message.js';
import type { Logging } from './logging-model.js';
import type { AccessList, ObjectGroup } from './model-acl.js';
import type { VirtualReassembly } from './model-fragments.js';
import type {
  CutOrder,
  IpsecSettings,
  IsakmpKey,
  IsakmpPolicy,
  IsakmpProfile,
  IsakmpSettings,
  Keyring,
  SiteToSite,
  Trustpoint,
} from './model-ike.js';
import type { IpsecProfile, TransformSet } from './model-ipsec.js';
import type { NatConfig, NatSide } from './model-nat.js';
import type { ClassMap, PolicyMap } from './model-qos.js';
import type { RouteMapEntry } from './model-route-map.js';

export * from './model-acl.js';
export * from './model-fragments.js';
export * from './model-ike.js';
export * from './model-ipsec.js';
export * from './model-nat.js';
export * from './model-qos.js';
export * from './model-route-map.js';

/** IPv4 address, unsigned 32-bit number, host order. */
export type Ipv4 = number;

export interface Config {
  /** `version`: the software that wrote the text; absent when the text does not say. Kept, means nothing here. */
  version?: string;
  hostname: string;
  domainName: string | null;
  /** Key exchanges and registrations a second that a key server takes up; absent = {@link DefaultRegistrationRate}. */
  registrationRate?: number;
  /** Ascending priority. */
  isakmpPolicies: IsakmpPolicy[];
  isakmpKeys: IsakmpKey[];
  isakmp: IsakmpSettings;
  ipsec: IpsecSettings;
  keyrings: Map<string, Keyring>;
  isakmpProfiles: Map<string, IsakmpProfile>;
  trustpoints: Map<string, Trustpoint>;
  transformSets: Map<string, TransformSet>;
  ipsecProfiles: Map<string, IpsecProfile>;
  gdoiGroups: Map<string, GdoiGroup>;
  /** `crypto identity NAME`: what an IKE identity may be. */
  identities: Map<string, CryptoIdentity>;
  /** Entries in ascending sequence. */
  cryptoMaps: Map<string, CryptoMapEntry[]>;
  /** `crypto dynamic-map`: entries for peers of unknown address, by name of the map, in ascending sequence. */
  dynamicMaps: Map<string, CryptoMapEntry[]>;
  /** `crypto map NAME local-address`: the interface whose address is used, by name of the crypto map. */
  localAddresses: Map<string, string>;
  /** `crypto map NAME isakmp-profile`: for the entries that name none, by name of the crypto map. */
  mapProfiles: Map<string, string>;
  /** By name of the crypto map. */
  failClose: Map<string, FailClose>;
  accessLists: Map<string, AccessList>;
  objectGroups: Map<string, ObjectGroup>;
  /** `crypto key export wireshark`: the keys of SAs may be exported. */
  keyExport: boolean;
  /** `ip multicast-routing`. */
  multicastRouting: boolean;
  interfaces: Map<string, InterfaceConfig>;
  staticRoutes: StaticRoute[];
  /** `ip nat ...`. */
  nat: NatConfig;
  /** Entries in ascending sequence. */
  routeMaps: Map<string, RouteMapEntry[]>;
  classMaps: Map<string, ClassMap>;
  policyMaps: Map<string, PolicyMap>;
  /** `ip local policy route-map`; absent = what this host sends is routed by destination. */
  localPolicy?: string;
  /** `logging ...`, as far as it is not the default (commands/logging.ts). */
  logging?: Logging;
  /** `banner ...`, without delimiters; absent when there is none. */
  banners?: Partial<Record<BannerKind, string>>;
  /** Lines that no command matches: reported once, kept, printed back. */
  unknownLines: UnknownLine[];
}

/** A tenth to a quarter of one core with group 14; a thousand members are through in ten seconds. */
export const DefaultRegistrationRate = 100;

/** In the order that they are shown. */
export const bannerKinds = ['motd', 'login', 'exec'] as const;
export type BannerKind = (typeof bannerKinds)[number];

export interface UnknownLine {
  line: number;
  /** Lines of the modes around it, outermost first, then the line itself. */
  path: string[];
}

export interface GdoiGroup {
  line: number;
  name: string;
  identity: { kind: 'number'; number: number } | { kind: 'address'; address: Ipv4 } | null;
  /** In the order to try. Empty on a key server. */
  serverAddresses: Ipv4[];
  /** Encrypts and accepts both, while a network moves to the VPN. */
  passive: boolean;
  /** `client registration interface`: full IOS name; registrations come from its address. */
  registrationInterface?: string;
  /** Set by `server local`: this router is the group's key server. */
  server: GdoiServer | null;
}

/** Defaults: KEK AES-128... see ios-cli.md; null means the default that parse.ts documents beside the command. */
export interface GdoiServer {
  line: number;
  rekeyEncryption: '3des' | 'des' | 'aes-128' | 'aes-192' | 'aes-256';
  rekeySignatureHash: 'sha' | 'sha256' | 'sha384' | 'sha512';
  rekeyLifetimeSeconds: number;
  rekeyRetransmitSeconds: number;
  rekeyRetransmitNumber: number;
  /** Label of the RSA key. */
  rekeyAuthentication: string | null;
  rekeyTransport: 'unicast' | 'multicast';
  /** `group size`: bits of sender IDs (RFC 6054 §3); absent = 24, medium. */
  senderIdBits?: 8 | 12 | 16 | 32;
  /** `rekey signature-encoding raw-hash`: PKCS #1 over the bare hash, as old implementations expect; absent = with DigestInfo (RFC 6407 §5.3.6). */
  rekeySignatureEncoding?: 'raw';
  /** `rekey deactivation-delay`: seconds after a rekey at which members drop what it replaced (RFC 6407 §5.4.1); absent = at its expiry. */
  rekeyDeactivationSeconds?: number;
  /** `rekey address ipv4`: the access list that names the multicast group. */
  rekeyAddress?: string;
  rekeyAcknowledgement: 'any' | 'cisco' | 'interoperable';
  /** `address ipv4`: source of rekeys; null = first interface address that routes to the member. */
  address: Ipv4 | null;
  /** Who may register; null = whoever phase 1 lets in. Both may be set, both must be met. */
  authorizationAcl: string | null;
  authorizationIdentity: string | null;
  /** `sa receive-only`: members encrypt nothing and accept both, while a network moves to the VPN. */
  receiveOnly: boolean;
  /** By sequence number. */
  sas: Map<number, GdoiSa>;
}

export interface GdoiSa {
  line: number;
  sequence: number;
  profile: string | null;
  matchAddress: string | null;
  replay: { method: 'counter'; windowSize: number } | { method: 'time'; windowSeconds: number } | { method: 'none' };
  /** `udp-encapsulation`: members send ESP in UDP (ours). */
  udpEncapsulation?: true;
}

export interface CryptoMapEntry {
  line: number;
  name: string;
  sequence: number;
  /** dynamic-map: an entry of a `crypto dynamic-map`. */
  kind: 'gdoi' | 'ipsec-isakmp' | 'dynamic-map';
  group: string | null;
  /** Of GDOI: the member's own ACL, deny entries only, in front of the key server's. Of ipsec-isakmp: what is protected. */
  matchAddress: string | null;
  /** `qos pre-classify`: queues ask what the packet was before ESP. */
  qosPreClassify?: true;
  /** Of ipsec-isakmp that names no dynamic map, of dynamic-map, and of nothing else. */
  ipsec?: SiteToSite;
  /** Of ipsec-isakmp: the dynamic map whose entries stand here. */
  dynamic?: string;
}

/** `crypto identity NAME`: an IKE identity that fits one of these. */
export interface CryptoIdentity {
  line: number;
  name: string;
  /** Host and domain names: the name itself or what ends in `.name`. Lower case. */
  fqdns: string[];
  /** Attributes that a distinguished name must have, as formatDistinguishedName() writes them. */
  dns: string[];
}

/** `crypto map NAME gdoi fail-close`. Without it, or without `activate`, a map is fail-open. */
export interface FailClose {
  line: number;
  /** Of the crypto map. */
  name: string;
  /** Exceptions: what it denies passes in the clear, all else is dropped. */
  matchAddress: string | null;
  activated: boolean;
}

/** How packets pass between a netdev and the dataplane, in the order of the help. */
export const portDrivers = ['packet', 'raw', 'tun', 'xdp'] as const;
export type PortDriver = (typeof portDrivers)[number];

/** Which one a port has without `port-driver`: those with a crypto map carry ESP. */
export const defaultPortDriver: { cryptoMap: PortDriver; plain: PortDriver } = { cryptoMap: 'xdp', plain: 'tun' };

export interface InterfaceConfig {
  line: number;
  /** Full IOS name, e.g. `GigabitEthernet0/0`, or a netdev's own name. */
  name: string;
  description: string | null;
  /** `linux-device`; null = the netdev has the interface's own name. Loopback has none. */
  linuxDevice: string | null;
  /** null = {@link defaultPortDriver}. */
  portDriver: PortDriver | null;
  /** Superpackets and checksums may be left to devices. */
  offload: boolean;
  addresses: { address: Ipv4; mask: Ipv4; secondary: boolean }[];
  ipMtu: number | null;
  /** `crypto ipsec df-bit` and `fragmentation` of the interface; absent: those for all. */
  dfBit?: DfBit;
  fragmentation?: CutOrder;
  /** `crypto ipsec path-mtu-discovery probe`: path MTUs of what is encrypted are searched for without ICMP (RFC 8899); absent: not. */
  searchPathMtu?: true;
  /** `ip tcp adjust-mss`: largest segment that TCP SYNs on it may announce; absent = any. */
  adjustMss?: number;
  /** `ip virtual-reassembly`: fragments are checked without NAT too, and within these bounds; absent: where there is NAT, within ours. */
  virtualReassembly?: VirtualReassembly;
  /** `ip igmp static-group`: multicast groups that are sent out of it, whoever asks. */
  staticGroups: Ipv4[];
  shutdown: boolean;
  cryptoMap: string | null;
  /** `ip nat inside|outside`; absent = neither. */
  nat?: NatSide;
  /** `bandwidth`: kbit/s, what metrics and loads are reckoned from; absent = what the type has. */
  bandwidthKbps?: number;
  /** Of a Tunnel, and of nothing else. */
  tunnel?: TunnelConfig;
  /** `ip policy route-map`: what comes in by it may go other ways than by its destination. */
  policy?: string;
  /** `ip access-group NAME in|out`: names of access lists. */
  accessGroupIn?: string;
  accessGroupOut?: string;
  /** `service-policy input|output NAME`. */
  servicePolicyIn?: string;
  servicePolicyOut?: string;
  /** `no ip unreachables`: no ICMP unreachable about what comes by it; absent = they are sent. */
  unreachables?: false;
}

/** `tunnel ...`: GRE over IPv4. Both ends are needed before anything passes. */
export interface TunnelConfig {
  /** Exactly one of these two, or neither. */
  sourceInterface: string | null;
  sourceAddress: Ipv4 | null;
  destination: Ipv4 | null;
  key: number | null;
  checksum: boolean;
  /** `tunnel sequence-datagrams`. */
  sequence: boolean;
  /** Of the outer header. */
  ttl: number;
  /** null = copied from the inner header. */
  tos: number | null;
  /** `tunnel path-mtu-discovery`: the outer DF is the inner one, and what routers tell of its path is learnt. */
  pathMtuDiscovery: boolean;
  /** `age-timer`, minutes; absent: 10. */
  pathMtuAger?: number | 'infinite';
  /** `min-mtu`, bytes; absent: 92. */
  pathMtuLeast?: number;
  /** `keepalive`: seconds between them, and how many may fail to come back; null = none are sent. */
  keepalive: { seconds: number; retries: number } | null;
  /** `qos pre-classify`: queues ask what the packet was before GRE. */
  qosPreClassify?: true;
  /** `tunnel protection ipsec profile`: what GRE of it is encrypted by; null = by nothing of its own. */
  protection: string | null;
}

/** What IOS has. */
export const defaultTunnelTtl = 255;

/** The driver that is wanted. */
export function driverOf({ portDriver, cryptoMap }: InterfaceConfig): PortDriver {
  return portDriver ?? (cryptoMap === null ? defaultPortDriver.plain : defaultPortDriver.cryptoMap);
}

export interface StaticRoute {
  line: number;
  prefix: Ipv4;
  mask: Ipv4;
  interface: string | null;
  nextHop: Ipv4 | null;
  distance: number;
}

/** What is wrong with a configuration text. `error` keeps it from being applied; `warning` does not. */
export interface Problem {
  line: number;
  severity: 'error' | 'warning';
  /** The offending line, secrets masked. */
  text: string;
  message: string;
  hint: string | null;
}
