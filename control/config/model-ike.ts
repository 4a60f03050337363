// What configuration says of IKE and of certificates; part of model.ts.

import type { DfBit } from '../../dataplane/tables/message.js';
import type { Ipv4 } from './model.js';

export type IkeCipher = 'des' | '3des' | 'aes-128' | 'aes-192' | 'aes-256';
export type IkeHash = 'md5' | 'sha' | 'sha256' | 'sha384' | 'sha512';
/** Numbers of IANA's registry, those that IOS has. */
export const dhGroups = [1, 2, 5, 14, 15, 16, 19, 20, 21] as const;
export type DhGroup = (typeof dhGroups)[number];

/** IOS defaults: des, sha, rsa-sig, group 1, 86400 s. */
export interface IsakmpPolicy {
  line: number;
  priority: number;
  encryption: IkeCipher;
  hash: IkeHash;
  authentication: 'pre-share' | 'rsa-sig';
  group: DhGroup;
  lifetimeSeconds: number;
}

export interface IsakmpKey {
  line: number;
  /** The pre-shared key. Secret: only the IKE engine and print with secrets may read it. */
  key: string;
  address: Ipv4;
  /** 0xffffffff for one host; 0.0.0.0 0.0.0.0 matches every peer. Longest mask wins. */
  mask: Ipv4;
}

/** Global settings of phase 1. */
export interface IsakmpSettings {
  /** `crypto isakmp identity`: what we call ourselves. With certificates only what the certificate bears out; address by default. */
  identity: 'address' | 'dn' | 'hostname';
  /** Aggressive mode as responder: off, unlike IOS, until `no crypto isakmp aggressive-mode disable`. */
  aggressiveMode: boolean;
  /** `crypto isakmp keepalive`: dead peer detection; null = peers that ask are answered, no more. */
  keepalive: KeepaliveSettings | null;
  /** `crypto isakmp nat keepalive`; null = none, as on IOS. */
  natKeepaliveSeconds: number | null;
  /** `crypto ipsec nat-transparency udp-encapsulation`. */
  natTraversal: boolean;
  /** `crypto isakmp invalid-spi-recovery`: peers of a dynamic map are called, too, when their ESP has an SPI that is not here. */
  invalidSpiRecovery: boolean;
}

/** `crypto keyring`: pre-shared keys for the peers of the profiles that name it. */
export interface Keyring {
  line: number;
  name: string;
  keys: IsakmpKey[];
  /** For who calls himself so in aggressive mode: main mode shows names too late. */
  hostKeys: { line: number; hostname: string; key: string }[];
}

/** `crypto isakmp profile`: what holds for some peers; the first that matches. */
export interface IsakmpProfile {
  line: number;
  name: string;
  keyring: string | null;
  matchAddresses: { address: Ipv4; mask: Ipv4 }[];
  /** `match identity host|user`: what peers call themselves, or the domain of it. */
  matchNames?: { kind: 'host' | 'host-domain' | 'user' | 'user-domain'; name: string }[];
  initiateAggressive: boolean;
  /** `self-identity`: what we call ourselves; absent = as the global setting says. `name: null`: the router's own. */
  selfIdentity?: { kind: 'address' } | { kind: 'fqdn'; name: string | null } | { kind: 'user-fqdn'; name: string };
  /** Absent = as the global setting says. */
  keepalive?: KeepaliveSettings;
}

export interface KeepaliveSettings {
  seconds: number;
  retrySeconds: number;
  mode: 'periodic' | 'on-demand';
}

/** Where what is too long is cut. */
export type CutOrder = 'before-encryption' | 'after-encryption';

/** `crypto ipsec security-association ...`: what holds where an entry or a profile does not say otherwise. */
export interface IpsecSettings {
  lifetimeSeconds: number;
  lifetimeKilobytes: number | 'disable';
  /** Packets, of SAs between gateways; 0 = replay is not looked for. */
  replayWindow: number;
  /** Single DES is refused; `crypto engine compliance shield disable` permits it. */
  shield: boolean;
  /** `crypto ipsec df-bit`; absent: copied. */
  dfBit?: DfBit;
  /** `crypto ipsec fragmentation`; absent: before. */
  fragmentation?: CutOrder;
}

/** `reverse-route`: routes to what peers protect. */
export interface ReverseRoute {
  /** `static`: by the access list, whether there are SAs or not. */
  always: boolean;
  /** `remote-peer A`; null: the peer. */
  nextHop: Ipv4 | null;
}

/** What an entry `crypto map NAME SEQ ipsec-isakmp` says of its peers. */
export interface SiteToSite {
  /** In the order to try. */
  peers: Ipv4[];
  /** In order of preference. */
  transformSets: string[];
  /** null = none is asked for, any is accepted. */
  pfs: DhGroup | null;
  /** null = as the global settings say. */
  lifetimeSeconds: number | null;
  lifetimeKilobytes: number | 'disable' | null;
  /** `set isakmp-profile`: only with peers of this profile; absent = as the map says. */
  isakmpProfile?: string;
  /** Absent = none. */
  reverseRoute?: ReverseRoute;
  /** `set reverse-route distance`; absent = 1. */
  reverseDistance?: number;
}

/** `crypto pki trustpoint`: whom we trust, and who we are. */
export interface Trustpoint {
  line: number;
  name: string;
  /** PATH of `enrollment url file:PATH`: PATH.ca, PATH.crt, PATH.crl are read, PATH.req is written. */
  enrollmentPath: string | null;
  /** X.500 name; null = CN and the router's own name. */
  subjectName: string | null;
  /** null = the router's own name, `hostname.domain`. */
  fqdn: string | null;
  ipAddress: Ipv4 | null;
  /** null = the key named after the router. */
  rsaKeypair: { label: string; modulusBits: number | null } | null;
  /** In the order to try; IOS default: `crl`. */
  revocationCheck: ('crl' | 'none')[];
}
