// The snapshot's part about IPsec: SAs by flow, crypto maps. No field can hold a key.

import { z } from 'zod';
import { count, seconds } from './snapshot-parts.js';

export const ipsecSa = z.object({
  spi: z.number(),
  transform: z.string(),
  mode: z.enum(['tunnel', 'transport']),
  /** ESP in UDP (RFC 3948); absent = not. */
  udp: z.boolean().optional(),
  /** Extended sequence numbers. */
  extended: z.boolean().optional(),
  connectionId: z.number(),
  flowId: z.string(),
  siblingFlags: z.string(),
  remainingSeconds: seconds,
  /** null = no volume lifetime. */
  remainingKilobytes: z.number().nullable(),
  ivBytes: z.number(),
  replay: z.boolean(),
  /** `ACTIVE(ACTIVE)`. */
  status: z.string(),
});

const flowIdent = z.object({ address: z.string(), mask: z.string(), protocol: z.number(), port: z.number() });

/** One ACL entry of a crypto map with its SAs. */
export const ipsecFlow = z.object({
  local: flowIdent,
  remote: flowIdent,
  action: z.enum(['permit', 'deny']),
  /** 0.0.0.0 for a group. */
  peer: z.string(),
  peerPort: z.number(),
  /** Between the braces, e.g. `origin_is_acl,`. */
  flags: z.string(),
  encapsulated: count,
  decapsulated: count,
  sendErrors: count,
  receiveErrors: count,
  replayDrops: count,
  integrityDrops: count,
  localEndpoint: z.string(),
  remoteEndpoint: z.string(),
  plaintextMtu: z.number(),
  pathMtu: z.number(),
  ipMtu: z.number(),
  /** 0 = none. */
  outboundSpi: z.number(),
  /** Group of the key exchange for perfect forward secrecy; absent or null = none. */
  pfsGroup: z.number().nullable().optional(),
  inbound: z.array(ipsecSa),
  outbound: z.array(ipsecSa),
});

export const ipsecInterface = z.object({
  interface: z.string(),
  cryptoMap: z.string(),
  localAddress: z.string(),
  flows: z.array(ipsecFlow),
});

const siteToSiteState = z.object({
  peers: z.array(z.string()),
  /** Lines of the access list, as `show access-lists` has them without their numbers. */
  acl: z.array(z.string()),
  /** `text`: as `show crypto ipsec sa` names a transform. */
  transformSets: z.array(z.object({ name: z.string(), text: z.string() })),
  pfsGroup: z.number().nullable(),
  lifetimeSeconds: seconds,
  /** null = no limit. */
  lifetimeKilobytes: count.nullable(),
  /** Whom the newest pair of SAs is with. */
  currentPeer: z.string().nullable(),
  /** That peers have to match; absent = any, or none. */
  isakmpProfile: z.string().optional(),
});

export const cryptoMapState = z.object({
  name: z.string(),
  sequence: z.number(),
  kind: z.enum(['gdoi', 'ipsec-isakmp']),
  group: z.string().nullable(),
  identity: z.string().nullable(),
  serverAddresses: z.array(z.string()),
  localAcl: z.string().nullable(),
  /** Of a protected tunnel; absent = it is a crypto map of the configuration. */
  profile: z.string().optional(),
  /** Of an entry between gateways; absent = it is of a group. */
  site: siteToSiteState.optional(),
  /** Of an entry that stands for a dynamic map: its name. */
  dynamicMap: z.string().optional(),
  /** `NAME/SEQ` of the entry of a dynamic map that a peer's flow is under; absent = it is configured. */
  createdFrom: z.string().optional(),
  /** Interfaces that carry the map. */
  interfaces: z.array(z.string()),
});

/** One entry of a `crypto dynamic-map`. */
export const dynamicMapState = z.object({
  name: z.string(),
  sequence: z.number(),
  localAcl: z.string().nullable(),
  site: siteToSiteState,
  /** Crypto maps that name it. */
  usedBy: z.array(z.string()),
  /** Flows that peers have now. */
  flows: count,
});
