// Messages on the control <-> dataplane socket (SOCK_STREAM, Unix). A frame is
//
//  +----------------+----------------+----------------------+-----------------------------+
//  | total (u32 BE) | head (u32 BE)  | JSON head, UTF-8     | blobs, in the head's order  |
//  +----------------+----------------+----------------------+-----------------------------+
//
// `total` counts the bytes after itself. Blobs hold rows of layout.ts in the machine's byte order: both ends are one machine.

import type { FromCapture, ToCapture } from './capture.js';
import type { InterfaceStatus } from './interface-status.js';
import type { FromProber, PathSearchEvent, ToPathSearch, ToProber } from './probe.js';
import type { TablesRows } from './table-rows.js';
import type { TraceAnswer, TraceRequest } from './trace.js';
import type { TunnelSpec, TunnelState } from './tunnel.js';

export type { InterfaceStatus, TunnelStatus } from './interface-status.js';
export type { RowTypes, TablesRows } from './table-rows.js';
export { type TunnelSpec, type TunnelState, tunnelStates } from './tunnel.js';

/** How packets pass between a netdev and us (DESIGN §2). */
export const portDrivers = ['tun', 'raw', 'packet', 'xdp'] as const;
export type PortDriver = (typeof portDrivers)[number];

/** Where the DF bit of an outer header comes from (RFC 4301 §8.1). */
export const dfBits = ['clear', 'set', 'copy'] as const;
export type DfBit = (typeof dfBits)[number];

/** One configured interface. Addresses are unsigned 32-bit host-order numbers. */
export interface InterfaceRow {
  /** Port id: index into every per-port table, stable for the life of the instance. */
  port: number;
  /** IOS name, e.g. `GigabitEthernet0/0`: for counters and messages. */
  name: string;
  /** Linux netdev. Loopback interfaces have none: their addresses go to `lo`. */
  device: string | null;
  driver: PortDriver;
  /** The configuration names it. Otherwise it is the default: where that cannot be had, nobody is warned. */
  driverChosen: boolean;
  /** Superpackets and checksums left to devices, where the driver can: `offload` in the configuration. */
  offloads: boolean;
  addresses: { address: number; prefixLength: number }[];
  /** Bytes, IP datagram; null = the netdev's. */
  ipMtu: number | null;
  shutdown: boolean;
  /** Multicast groups that are sent out of it. */
  groups: number[];
  /** `ip nat inside|outside`. */
  nat: 'inside' | 'outside' | null;
  /** A tunnel: `device` is a TUN netdev that is made because this row is there, and `driver` says nothing. */
  tunnel?: TunnelSpec;
  /** ACE rows of `ip access-group ... in` and `out`; null: everything passes. Without rows nothing does. */
  filterIn: { first: number; count: number } | null;
  filterOut: { first: number; count: number } | null;
  /** ICMP unreachables are sent about what comes by it. */
  unreachables: boolean;
  /** Largest segment that TCP SYNs on it may announce, bytes; null = any. */
  adjustMss: number | null;
  /** `crypto ipsec df-bit`: of the outer header in tunnel mode; absent: copied. */
  dfBit?: DfBit;
  /** `crypto ipsec fragmentation after-encryption`. */
  cutSealed?: boolean;
  /** `crypto ipsec path-mtu-discovery probe`. */
  searchMtu?: boolean;
  /** `ip virtual-reassembly`; 0 = the default. */
  fragments?: { drop: boolean; maxDatagrams: number; maxFragments: number; timeoutSeconds: number };
}

/** Blobs behind a head, in order: the tables of {@link TablesRows}. */
export const blobNames = [
  'aces',
  'cryptoEntries',
  'sas',
  'saKeys',
  'natClauses',
  'policyEntries',
  'policyClauses',
  'qosUses',
  'qosTests',
  'qosClasses',
  'qosReds',
] as const satisfies (keyof TablesRows)[];

export interface StaticRouteRow {
  prefix: number;
  prefixLength: number;
  nextHop: number | null;
  /** IOS interface name or null. */
  interface: string | null;
  distance: number;
  /** The next hop may be anywhere: other routes lead to it. Without any there is none of this one. */
  recursive?: boolean;
}

/** Where policy routing sends packets: to a router on a connected network (its address), out of a port, or nowhere. */
export type PolicyHop = { kind: 'next-hop'; address: number } | { kind: 'interface'; port: number } | { kind: 'null' };

/** Desired state, complete. The dataplane applies the difference to what runs. */
export interface TablesHead {
  type: 'tables';
  generation: number;
  interfaces: InterfaceRow[];
  staticRoutes: StaticRouteRow[];
  /** UDP ports of our own control traffic, which must not enter the pipeline. */
  controlPorts: number[];
  /** Of those, where ESP comes too (RFC 3948): IKE there passes the pipeline as well, and is handed to the host. */
  espPorts: number[];
  /** Names of groups by index. */
  groups: string[];
  nat: {
    /** Seconds by NatState (layout.ts); 0 = never. */
    timeouts: number[];
    /** Sessions at the most, 0 = as many as fit. */
    maxEntries: number;
    /** Words of NatStatic, NatPool and NatRange rows. */
    statics: number[];
    pools: number[];
    ranges: number[];
    /** Words of NatLimit rows. */
    limits: number[];
    /** Words of NatPortTimeout rows. */
    portTimeouts: number[];
    /** Routes to outside local addresses: prefix and global address, unsigned; they lead where the global one is. */
    routes: { prefix: number; prefixLength: number; global: number }[];
  };
  /** What rows of policy routing name by number. */
  policyHops: PolicyHop[];
  blobs: [...typeof blobNames];
  blobBytes: number[];
}
export type ToDataplane =
  | TablesHead
  | { type: 'snapshot'; id: number }
  /** @param limit rows at the most, 0..MaxNatRows */
  | { type: 'nat-sessions'; id: number; limit: number }
  /** Whether beginnings and ends of NAT sessions are sent. */
  | { type: 'nat-log'; on: boolean }
  /** Ends sessions of NAT: those whose words (NatRow) are `wanted` where `mask` has bits, NatRow.Words each. Empty: all. */
  | { type: 'nat-clear'; wanted: number[]; mask: number[] }
  | ToProber
  | ToPathSearch
  | ToCapture
  | TraceRequest;

/** Sessions that one answer carries. */
export const MaxNatRows = 32768;

/** What the dataplane says. */
export type FromDataplane =
  | {
      type: 'hello';
      pid: number;
      /** Random per dataplane process. */
      incarnation: string;
      /** Forwarding workers: each wants a sender ID of its own (RFC 6407 §3.5). */
      workers: number;
      /** Generation that is applied now, 0 = none. */
      generation: number;
      /** `${spi}:${sid}` pairs whose IV counters survive in this host's sender-state file; any other sender ID that was in use must not be used again. */
      knownSenders: string[];
    }
  | { type: 'applied'; generation: number /** One line per thing that could not be applied. */; errors: string[] }
  | { type: 'event'; event: DataplaneEvent }
  | SnapshotHead
  /** Behind it: sessions that have begun or ended, NatLogRow (layout.ts). */
  | { type: 'nat-log' }
  | TraceAnswer
  | FromCapture
  | FromProber
  /** Behind it: rows of NatRow (layout.ts), no more than were asked for. @param sessions how many there are */
  | { type: 'nat-sessions'; id: number; sessions: number };

export type DataplaneEvent =
  | { kind: 'invalid-spi'; spi: number; src: number; dst: number; count: number }
  /** What a flow protects has no SA. `flow`: CryptoEntry.Flow; the ends are those of the first packet. */
  | { kind: 'no-sa'; flow: number; src: number; dst: number; count: number }
  | { kind: 'replay'; spi: number; src: number; dst: number; count: number }
  /** Pseudotimes of one of the packets that were refused; `peerMs` -1 = it has none. */
  | { kind: 'replay-time'; spi: number; src: number; dst: number; count: number; ownMs: number; peerMs: number }
  | PathSearchEvent
  | { kind: 'sa-exhausted'; spi: number /** IV or sequence space. */; space: 'iv' | 'sequence' }
  | { kind: 'interface'; port: number; up: boolean; mtu: number; mac: string }
  | { kind: 'tunnel'; port: number; state: TunnelState }
  /** The first packet of a flow that an entry with `log` matched, or more of them. `counter`: Ace.Counter of the entry; ports: Port.None = none, for ICMP type and code. */
  | {
      kind: 'acl-log';
      counter: number;
      port: number;
      protocol: number;
      src: number;
      dst: number;
      sport: number;
      dport: number;
      count: number;
    }
  /** Matches with `log` of flows that there was no room for. */
  | { kind: 'acl-log-missed'; count: number }
  | { kind: 'log'; severity: number; mnemonic: string; text: string };

/** Counters at one moment. Arrays are the counter blocks of counters/declare.ts, summed over workers. */
export interface SnapshotHead {
  type: 'snapshot';
  id: number;
  interfaces: InterfaceStatus[];
  routes: { prefix: string; via: string | null; device: string; protocol: string; metric: number }[];
  rssBytes: number;
  workers: number;
  /** Whose AES the workers use: AesLibrary (native/native.ts). */
  aes: string;
  /** Path MTUs that were learnt; addresses unsigned. `port`: of a tunnel, null = for all that is encrypted to that destination. `router` 0 = known by this router itself: of a tunnel by what it encrypts, else by its probes. */
  pathMtus: {
    destination: number;
    port: number | null;
    mtu: number;
    router: number;
    ageSeconds: number;
    remainingSeconds: number | null;
    /** Since a packet was measured by it; null = none has been. */
    usedAgoSeconds: number | null;
  }[];
  drops: number[];
  /** The same counts, by port and then by reason. */
  portDrops: number[][];
  ports: number[][];
  sas: { slot: number; serial: number; spi: number; counters: number[]; sequence: number }[];
  groups: number[][];
  /** By Ace.Counter. */
  aceHits: number[];
  path: number[];
  /** NatCount of counters/declare.ts. */
  nat: number[];
  /** PolicyCount by row of PolicyEntry. */
  policies: number[][];
  /** QosCount and waits (counters/latency.ts, without the zeros at the end) by row of QosClass; RedCount by row of QosRed and DSCP. */
  qos: { classes: number[][]; waits: number[][]; reds: number[][] };
}

/** Encodes one frame. @param blobs appended in the order of the head's `blobs` */
export function encodeFrame(head: ToDataplane | FromDataplane, blobs: readonly Uint8Array[] = []): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(head));
  let blobBytes = 0;
  for (const blob of blobs) blobBytes += blob.byteLength;
  const frame = new Uint8Array(8 + json.length + blobBytes);
  const view = new DataView(frame.buffer);
  view.setUint32(0, 4 + json.length + blobBytes);
  view.setUint32(4, json.length);
  frame.set(json, 8);
  let at = 8 + json.length;
  for (const blob of blobs) {
    frame.set(blob, at);
    at += blob.byteLength;
  }
  return frame;
}

/** The largest frame either side accepts: every table full, with room for names. */
export const MaxFrameBytes = 4 << 20;

/** Cuts a byte stream into frames. @returns complete frames, each with its JSON head and the blob bytes after it. Throws RangeError on a length that cannot be. */
export class FrameReader {
  private pending = new Uint8Array(0);

  push(chunk: Uint8Array): { head: unknown; rest: Uint8Array }[] {
    const joined = new Uint8Array(this.pending.length + chunk.length);
    joined.set(this.pending);
    joined.set(chunk, this.pending.length);
    const view = new DataView(joined.buffer);
    const frames: { head: unknown; rest: Uint8Array }[] = [];
    let at = 0;
    while (joined.length - at >= 8) {
      const total = view.getUint32(at);
      const headLength = view.getUint32(at + 4);
      if (total > MaxFrameBytes || headLength + 4 > total) throw new RangeError(`frame of ${total} bytes with a head of ${headLength}`);
      if (joined.length - at < 4 + total) break;
      const head: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(joined.subarray(at + 8, at + 8 + headLength)));
      frames.push({ head, rest: joined.slice(at + 8 + headLength, at + 4 + total) });
      at += 4 + total;
    }
    this.pending = joined.slice(at);
    return frames;
  }
}
