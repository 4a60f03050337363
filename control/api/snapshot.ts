// The state of one router at one moment, as plain JSON: the only source of every `show`, its `| json` form, /metrics and the status page.
// Control fills it from its engines and from the dataplane's counters; the cli renders it. Parsing strips what is not named here, so
// a key, a pre-shared key or an engine object that strays into it cannot leave the process: no field below can hold key material.
//
// Addresses are dotted strings, SPIs unsigned numbers, times relative to `takenAt` in seconds, null means "not there (yet)".

import { z } from 'zod';
import { tunnelStates } from '../../dataplane/tables/message.js';
import { captureState } from './snapshot-capture.js';
import {
  type groupCounters,
  memberGroupState,
  type memberTek,
  type saCounters,
  serverGroupState,
  type serverMember,
  type serverTek,
} from './snapshot-gdoi.js';
import { cryptoMapState, dynamicMapState, type ipsecFlow, ipsecInterface, type ipsecSa } from './snapshot-ipsec.js';
import { admissionState, isakmpSaState } from './snapshot-isakmp.js';
import { debuggingState, loggingState } from './snapshot-logging.js';
import { natState } from './snapshot-nat.js';
import { packetTraceState } from './snapshot-packet-trace.js';
import { aceState, count, seconds } from './snapshot-parts.js';
import { pathMtuState, pathSearchState, reassemblyState } from './snapshot-path.js';
import { trustpointState } from './snapshot-pki.js';
import { qosState } from './snapshot-qos.js';
import { policyInterfaceState } from './snapshot-qos-interface.js';
import { policyState, routeMapState } from './snapshot-route-map.js';

const tunnelState = z.object({
  /** As configured: an interface's name, an address, or null. */
  sourceInterface: z.string().nullable(),
  /** Of the outer header now; null = unknown. */
  source: z.string().nullable(),
  destination: z.string().nullable(),
  key: z.number().nullable(),
  checksum: z.boolean(),
  sequence: z.boolean(),
  ttl: z.number(),
  tos: z.number().nullable(),
  pathMtuDiscovery: z.boolean(),
  /** Minutes, as configured, and bytes; absent: 10 and 92. */
  pathMtuAger: z.union([z.number(), z.literal('infinite')]).optional(),
  pathMtuLeast: z.number().optional(),
  /** Of the path of its outer packets; null = none was learnt. */
  pathMtu: z.object({ mtu: z.number(), remainingSeconds: count.nullable() }).nullable().optional(),
  keepalive: z.object({ seconds: z.number(), retries: z.number() }).nullable(),
  /** `up`, or why it carries nothing. */
  state: z.enum([...tunnelStates, 'unknown']),
  /** How often recursive routing has taken it down. */
  recursions: count,
});

const interfaceCounters = z.object({
  receivedPackets: count,
  receivedBytes: count,
  sentPackets: count,
  sentBytes: count,
  receiveDrops: count,
  sendDrops: count,
  /** TCP SYNs that `ip tcp adjust-mss` changed, and those that it could not read. */
  mssLowered: count.optional(),
  mssMalformed: count.optional(),
});

const interfaceState = z.object({
  name: z.string(),
  device: z.string().nullable(),
  description: z.string().nullable(),
  /** As after `Hardware is`, e.g. `tun port on eth0`, `Loopback`. */
  hardware: z.string(),
  /** `a.b.c.d/len`, primary first. */
  addresses: z.array(z.string()),
  adminUp: z.boolean(),
  /** Line protocol. */
  up: z.boolean(),
  mtu: z.number(),
  ipMtu: z.number(),
  /** `aa:bb:cc:dd:ee:ff`, null for a Loopback. */
  mac: z.string().nullable(),
  cryptoMap: z.string().nullable(),
  /** The port driver in use, without a dataplane the wanted one; null for a Loopback. */
  driver: z.string().nullable(),
  /** The driver that is wanted: another than `driver` when it could not be had (the log says why). */
  wantedDriver: z.string().nullable(),
  /** Superpackets and checksums are left to devices. */
  offloads: z.boolean(),
  /** How often the kernel looks for packets while many come, µs; 0 = each is told at once; null, absent = not moderated by us: no xdp port, or values of the operator. */
  moderationUs: z.number().nullable().optional(),
  /** `bandwidth`, kbit/s; absent = what the type has. */
  bandwidthKbps: z.number().optional(),
  /** Of a Tunnel. */
  tunnel: tunnelState.optional(),
  counters: interfaceCounters,
  /** `ip access-group`: names of lists. `unreachables`: ICMP unreachables are sent about what comes by it. */
  accessGroupIn: z.string().nullable().optional(),
  accessGroupOut: z.string().nullable().optional(),
  unreachables: z.boolean().optional(),
  /** `ip tcp adjust-mss`, bytes; absent = none. */
  adjustMss: z.number().optional(),
  /** Its service-policy output has queues. */
  hasQueues: z.boolean().optional(),
  /** Five-minute averages, null when not measured yet (rates.ts). */
  rates: z.object({ receivedBps: count, receivedPacketsPerSecond: count, sentBps: count, sentPacketsPerSecond: count }).nullable(),
});

const dropCell = z.object({
  port: count,
  /** null: of a port whose interface is no longer configured. */
  interface: z.string().nullable(),
  reason: z.string(),
  /** Where it was lost: after it was received, or where it was to be sent. */
  direction: z.enum(['receive', 'send']),
  packets: count,
});

const isakmpPolicyState = z.object({
  priority: z.number(),
  encryption: z.enum(['des', '3des', 'aes-128', 'aes-192', 'aes-256']),
  hash: z.enum(['md5', 'sha', 'sha256', 'sha384', 'sha512']),
  authentication: z.enum(['pre-share', 'rsa-sig']),
  group: z.number(),
  lifetimeSeconds: seconds,
});

/** `crypto map NAME gdoi fail-close`. */
const failCloseState = z.object({
  name: z.string(),
  activated: z.boolean(),
  /** Interfaces of the map that drop now, because a group of it is not registered. */
  closedInterfaces: z.array(z.string()),
  aclName: z.string().nullable(),
  acl: z.array(aceState),
});

/** `hits` of entries: null when nothing in the packet path uses the list. */
const accessListState = z.object({
  name: z.string(),
  kind: z.enum(['standard', 'extended']),
  /** Some interface filters by it. */
  filters: z.boolean().optional(),
  entries: z.array(aceState),
});

const objectGroupState = z.object({
  name: z.string(),
  kind: z.enum(['network', 'service']),
  description: z.string().nullable(),
  /** As configured. */
  members: z.array(z.string()),
});

/** One path of the kernel's FIB. */
const routeState = z.object({
  prefix: z.string(),
  via: z.string().nullable(),
  /** IOS name where it is a configured interface, else the netdev. */
  interface: z.string(),
  /** The kernel's word (`kernel`, `static`, `boot`, `ospf`, `bgp`, ...), `connected` or `local`. */
  protocol: z.string(),
  distance: z.number(),
  metric: z.number(),
});

const publicKeyState = z.object({
  name: z.string(),
  bits: z.number(),
  exportable: z.boolean(),
  /** Unix ms. */
  generatedAt: z.number(),
  /** DER SubjectPublicKeyInfo: the public half only. */
  publicKeyHex: z.string().regex(/^30[0-9A-Fa-f]*$/),
});

const counterValue = z.object({ name: z.string(), help: z.string(), value: count });

const processState = z.object({
  name: z.string(),
  /** null = not running. */
  pid: z.number().nullable(),
  rssBytes: count,
  restarts: count,
  /** Processor time used, and times it was given a processor; absent when not known. */
  runtimeMs: count.optional(),
  invoked: count.optional(),
  /** Percent of one processor (cpu-meter.ts). */
  cpu: z.object({ fiveSeconds: count, oneMinute: count, fiveMinutes: count }).optional(),
});

export const snapshotSchema = z.object({
  instance: z.string(),
  hostname: z.string(),
  /** What a shell begins with; absent when no banner is configured. */
  banner: z.string().optional(),
  version: z.string(),
  /** Unix ms. */
  takenAt: z.number(),
  uptimeSeconds: seconds,
  dataplaneConnected: z.boolean(),
  /** Forwarding workers of the dataplane, 0 without one. */
  workers: count,
  /** The library whose AES the workers use, null without a dataplane. */
  aes: z.string().nullable(),
  interfaces: z.array(interfaceState),
  isakmpPolicies: z.array(isakmpPolicyState),
  isakmpSas: z.array(isakmpSaState),
  admission: admissionState,
  gdoiMembers: z.array(memberGroupState),
  gdoiServers: z.array(serverGroupState),
  cryptoMaps: z.array(cryptoMapState),
  dynamicMaps: z.array(dynamicMapState).optional(),
  failClose: z.array(failCloseState),
  ipsec: z.array(ipsecInterface),
  accessLists: z.array(accessListState),
  objectGroups: z.array(objectGroupState).optional(),
  nat: natState,
  routeMaps: z.array(routeMapState),
  policies: z.array(policyState).optional(),
  qos: qosState.optional(),
  policyInterfaces: z.array(policyInterfaceState).optional(),
  routes: z.array(routeState),
  /** Path MTUs that the dataplane has learnt. */
  pathMtus: z.array(pathMtuState).optional(),
  /** Searches for path MTUs without ICMP (RFC 8899). */
  pathSearches: z.array(pathSearchState).optional(),
  /** Interfaces where fragments are looked at. */
  virtualReassembly: z.array(reassemblyState).optional(),
  publicKeys: z.array(publicKeyState),
  trustpoints: z.array(trustpointState).optional(),
  /** With every secret masked. */
  runningConfig: z.string(),
  counters: z.object({
    /** Dataplane drops by reason (dropTexts). */
    drops: z.array(counterValue),
    /** The same packets by the interface that lost them too: without the zeros. */
    dropCells: z.array(dropCell).optional(),
    /** The dataplane's path block (pathTexts). */
    path: z.array(counterValue),
    /** NAT (natTexts); `sessions` is how many there are now. */
    nat: z.array(counterValue),
    /** counters.ts. */
    control: z.array(counterValue),
  }),
  /** What counters were at `clear counters` (Unix ms); drops in the order of `counters.drops`. Those here are never set back. */
  cleared: z
    .object({
      at: z.number(),
      interfaces: z.array(z.object({ name: z.string(), counters: interfaceCounters })),
      drops: z.array(count),
      dropCells: z.array(dropCell).optional(),
    })
    .optional(),
  processes: z.array(processState),
  captures: z.array(captureState).optional(),
  packetTrace: packetTraceState.optional(),
  logging: loggingState,
  debugging: debuggingState,
});

export type Snapshot = z.infer<typeof snapshotSchema>;
export type AceState = z.infer<typeof aceState>;
export type InterfaceState = z.infer<typeof interfaceState>;
export type DropCell = z.infer<typeof dropCell>;
export type TunnelState = z.infer<typeof tunnelState>;
export type IsakmpPolicyState = z.infer<typeof isakmpPolicyState>;
export type IsakmpSaState = z.infer<typeof isakmpSaState>;
export type SaCounters = z.infer<typeof saCounters>;
export type GroupCounters = z.infer<typeof groupCounters>;
export type MemberGroupState = z.infer<typeof memberGroupState>;
export type MemberTekState = z.infer<typeof memberTek>;
export type ServerGroupState = z.infer<typeof serverGroupState>;
export type ServerMemberState = z.infer<typeof serverMember>;
export type ServerTekState = z.infer<typeof serverTek>;
export type IpsecInterfaceState = z.infer<typeof ipsecInterface>;
export type IpsecFlowState = z.infer<typeof ipsecFlow>;
export type IpsecSaState = z.infer<typeof ipsecSa>;
export type CryptoMapState = z.infer<typeof cryptoMapState>;
export type DynamicMapState = z.infer<typeof dynamicMapState>;
export type SiteToSiteState = NonNullable<CryptoMapState['site']>;
export type FailCloseState = z.infer<typeof failCloseState>;
export type AccessListState = z.infer<typeof accessListState>;
export type ObjectGroupState = z.infer<typeof objectGroupState>;
export type RouteState = z.infer<typeof routeState>;
export type PublicKeyState = z.infer<typeof publicKeyState>;
export type CounterValue = z.infer<typeof counterValue>;
export type ProcessState = z.infer<typeof processState>;
