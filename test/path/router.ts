// A router in one thread for path tests: the real pipeline, tables and crypto; only rx and tx are queues in memory.
// Two routers may live in one thread: each has its own range of the crypto contexts.

import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Drop,
  dropTexts,
  GroupCap,
  GroupCount,
  groupTexts,
  natTexts,
  PathCount,
  PolicyCount,
  PortCount,
  pathTexts,
  policyTexts,
  portTexts,
  SaCount,
  saTexts,
} from '../../dataplane/counters/declare.js';
import { dropsByReason } from '../../dataplane/counters/drops.js';
import { adoptBank, type Env, makeEnv } from '../../dataplane/env.js';
import { Clock } from '../../dataplane/mem/clock.js';
import { type Link, LinkKind } from '../../dataplane/mem/links.js';
import { NatShape } from '../../dataplane/mem/nat-sessions.js';
import { startMeters } from '../../dataplane/mem/qos-meters.js';
import { SenderState, senderStatePath } from '../../dataplane/mem/sender-state.js';
import {
  allocateShared,
  type Bank,
  BankCount,
  bankOf,
  type HopKind,
  NatSide,
  NeighbourRow,
  PolicyHopRow,
  PortFragments,
  PortRow,
  portCryptoOf,
  type SharedState,
} from '../../dataplane/mem/shared.js';
import { SlotShape } from '../../dataplane/mem/slots.js';
import { EthernetHeaderLen, Job, loadNative, type Native } from '../../dataplane/native/native.js';
import { makePipeline } from '../../dataplane/pipeline.js';
import { buildClassifier } from '../../dataplane/proto/classifier-build.js';
import { isCombined } from '../../dataplane/proto/esp.js';
import { buildFib, type FibRoute } from '../../dataplane/proto/fib.js';
import {
  Ace,
  AceAction,
  AceLog,
  Cap,
  CryptoDf,
  CryptoEntry,
  CryptoFlag,
  EspAuth,
  EspCipher,
  NatClause,
  NatLimit,
  NatPool,
  NatPortTimeout,
  NatRange,
  NatStatic,
  PolicyClause,
  PolicyEntry,
  QosClass,
  QosTest,
  QosTestKind,
  Sa,
  SaFlag,
  SaKey,
  Tunnel,
  TunnelFlag,
  TunnelMode,
} from '../../dataplane/tables/layout.js';
import type { TablesHead } from '../../dataplane/tables/message.js';
import { ip } from './packets.js';

/** Unix time of the tests. */
export const Now = 1_800_000_000;
export const bootId = '11111111-2222-3333-4444-555555555555';

export interface AceSpec {
  action: 'permit' | 'deny';
  protocol?: number;
  /** `a.b.c.d/n` or `any` */
  src: string;
  dst: string;
  sport?: [number, number];
  dport?: [number, number];
  /** AclFact. */
  mask?: number;
  value?: number;
  anyOf?: number;
  log?: AceLog;
}
export type TransformName = '3des-sha1' | 'aes-sha1' | 'aes-sha256' | 'gcm-128' | 'gcm-256' | 'gmac-128' | 'chacha20' | 'null-sha1';
export interface SaSpec {
  spi: number;
  transform: TransformName;
  /** Another seed is another key. */
  keySeed?: number;
  serial?: number;
  window?: number;
  sidBits?: number;
  sids?: number[];
  expiresAt?: number;
  acl?: number;
  flags?: number;
  /** Between two gateways: their ends, and `flags` says the direction. */
  local?: string;
  peer?: string;
  /** ESP in UDP. */
  peerPort?: number;
  /** Addresses of both ends before a translator. */
  originals?: { local: string; peer: string };
  /** Time-based anti-replay; `offset` of the pseudotime to the router's clock, ms. */
  time?: { windowSeconds: number; offset: number };
}
export interface TunnelSpec {
  source: string;
  destination: string;
  key?: number;
  checksum?: boolean;
  sequence?: boolean;
  ttl?: number;
  tos?: number;
  copyDf?: boolean;
  leastMtu?: number;
  agerSeconds?: number;
  preClassify?: boolean;
  keepalive?: number;
}
export interface TablesSpec {
  /** `link`: a faster link beside the TUN; it is the queue Cap.Ports + port. */
  ports: {
    mtu?: number;
    address?: string;
    up?: boolean;
    link?: LinkKind;
    /** Its TUN joins UDP datagrams. */
    joinsUdp?: boolean;
    nat?: NatSide;
    /** Lists on the interface, by index; `silent`: no ip unreachables. */
    filterIn?: number;
    filterOut?: number;
    silent?: boolean;
    adjustMss?: number;
    cryptoDf?: CryptoDf;
    cutSealed?: boolean;
    searchMtu?: boolean;
    fragments?: { drop: boolean; maxDatagrams: number; maxFragments: number; timeoutMs: number };
    tunnel?: TunnelSpec;
  }[];
  acls: AceSpec[][];
  /** Crypto map entries, in order of port. `sa`: index into sas, -1 = none. */
  entries: { port: number; acl: number; sa: number; registered?: boolean; flags?: number; flow?: number }[];
  sas: (SaSpec | null)[];
  routes: { prefix: string; port?: number; kind?: FibRoute['kind']; via?: string }[];
  locals: string[];
  /** `header`: 12 bytes, hexadecimal. */
  groups?: { group: string; ports: number[] }[];
  neighbours?: { port: number; address: string; header: string }[];
  /** `acl`: index, null = without `match ip address`; `outPort` null = any. */
  nat?: { rule: number; permit: boolean; acl: number | null; outPort?: number; globalPort: number }[];
  /** Instead: what control compiled (nat-rules/configured.ts). Its lists stand behind `acls`. */
  natTables?: { clauses: Int32Array; aces: Int32Array; head: TablesHead['nat'] };
  /** Seconds by NatState. */
  natTimeouts?: number[];
  natSessions?: number;
  /** Entries of route-maps, those of a port neighbours; port Cap.Ports = the host's own. `acls`: indexes, -1 = a list that is not there. */
  policies?: PolicySpec[];
  /** Service-policies that control compiled (qos/configured.ts). Their lists stand behind `acls`. */
  qosTables?: { uses: Int32Array; tests: Int32Array; classes: Int32Array; reds: Int32Array; aces: Int32Array };
  /** `port` -1 = it cannot be reached now. Each that has a port has a link: the queue 2 * Cap.Ports + its number. */
  hops?: { kind: HopKind; port: number; address?: string }[];
}

export interface PolicySpec {
  port: number;
  permit?: boolean;
  /** Row to go on with. */
  next?: number;
  length?: [number, number];
  acls?: number[];
  nextHops?: number[];
  interfaces?: number[];
  defaults?: number[];
  tos?: [keep: number, set: number];
  df?: number;
}

function packHops(hops: readonly number[] = []): [number, number] {
  return [hops.reduce((packed, hop, place) => packed | (hop << (place * 4)), 0), hops.length];
}

function writePolicies(bank: ReturnType<typeof bankOf>, spec: TablesSpec, lists: { first: number; count: number }[]): void {
  const entries = spec.policies ?? [];
  let clauses = 0;
  entries.forEach((entry, i) => {
    const { port, permit = true, next = -1, length = [0, 65535], acls = [], tos = [255, 0], df = -1 } = entry;
    const hops = [packHops(entry.nextHops), packHops(entry.interfaces), packHops(entry.defaults)].flat();
    bank.policyEntries.set([port, permit ? 1 : 0, next, ...length, clauses, acls.length, ...hops, ...tos, df], i * PolicyEntry.Words);
    for (const acl of acls) {
      const { first, count } = acl < 0 ? { first: 0, count: 0 } : lists[acl];
      bank.policyClauses.set([first, count], clauses++ * PolicyClause.Words);
    }
  });
  bank.counts[BankCount.PolicyEntries] = entries.length;
  bank.counts[BankCount.PolicyClauses] = clauses;
  (spec.hops ?? []).forEach(({ kind, port, address }, i) => {
    bank.policyHops.set([kind, port, address ? ip(address) : 0], i * PolicyHopRow.Words);
  });
}

interface Transform {
  cipher: EspCipher;
  auth: EspAuth;
  cipherKeyLen: number;
  authKeyLen: number;
  ivLen: number;
  icvLen: number;
  align: number;
}
export const transforms: Record<TransformName, Transform> = {
  '3des-sha1': {
    cipher: EspCipher.TripleDesCbc,
    auth: EspAuth.HmacSha1_96,
    cipherKeyLen: 24,
    authKeyLen: 20,
    ivLen: 8,
    icvLen: 12,
    align: 8,
  },
  'aes-sha1': { cipher: EspCipher.AesCbc, auth: EspAuth.HmacSha1_96, cipherKeyLen: 16, authKeyLen: 20, ivLen: 16, icvLen: 12, align: 16 },
  'aes-sha256': {
    cipher: EspCipher.AesCbc,
    auth: EspAuth.HmacSha256_128,
    cipherKeyLen: 32,
    authKeyLen: 32,
    ivLen: 16,
    icvLen: 16,
    align: 16,
  },
  'gcm-128': { cipher: EspCipher.AesGcm16, auth: EspAuth.None, cipherKeyLen: 16, authKeyLen: 0, ivLen: 8, icvLen: 16, align: 4 },
  'gcm-256': { cipher: EspCipher.AesGcm16, auth: EspAuth.None, cipherKeyLen: 32, authKeyLen: 0, ivLen: 8, icvLen: 16, align: 4 },
  'gmac-128': { cipher: EspCipher.AesGmac, auth: EspAuth.None, cipherKeyLen: 16, authKeyLen: 0, ivLen: 8, icvLen: 16, align: 4 },
  chacha20: { cipher: EspCipher.ChaCha20Poly1305, auth: EspAuth.None, cipherKeyLen: 32, authKeyLen: 0, ivLen: 8, icvLen: 16, align: 4 },
  'null-sha1': { cipher: EspCipher.Null, auth: EspAuth.HmacSha1_96, cipherKeyLen: 0, authKeyLen: 20, ivLen: 0, icvLen: 12, align: 4 },
};

/** The key bytes of an SA: 1, 2, 3, … from a seed. */
export function keysOf(sa: SaSpec): Uint8Array {
  return Uint8Array.from({ length: SaKey.Bytes }, (_, i) => (i * 11 + (sa.keySeed ?? 1) * 29 + 5) & 255);
}

function prefixOf(text: string): [number, number] {
  if (text === 'any') return [0, 0];
  const [address, length] = text.split('/');
  return [ip(address), Number(length)];
}

function careOf(length: number): number {
  return length === 0 ? 0 : -1 << (32 - length);
}

function writeAces(aces: Int32Array, acls: AceSpec[][]): { first: number; count: number }[] {
  let row = 0;
  return acls.map((list) => {
    const first = row;
    for (const ace of list) {
      const [src, srcLength] = prefixOf(ace.src);
      const [dst, dstLength] = prefixOf(ace.dst);
      const action = ace.action === 'permit' ? AceAction.Permit : AceAction.Deny;
      const ports = [...(ace.sport ?? [0, 65535]), ...(ace.dport ?? [0, 65535])];
      const facts = [ace.mask ?? 0, ace.value ?? 0, ace.anyOf ?? 0, row, ace.log ?? AceLog.None];
      aces.set([action, ace.protocol ?? -1, src, careOf(srcLength), dst, careOf(dstLength), ...ports, ...facts], row++ * Ace.Words);
    }
    return { first, count: list.length };
  });
}

function writeSas(bank: ReturnType<typeof bankOf>, spec: TablesSpec, lists: { first: number; count: number }[]): void {
  bank.sas.fill(0);
  bank.saKeys.fill(0);
  spec.sas.forEach((sa, slot) => {
    if (!sa) return;
    const transform = transforms[sa.transform];
    const row = bank.sas.subarray(slot * Sa.Words, (slot + 1) * Sa.Words);
    const list = lists[sa.acl ?? 0];
    row[Sa.Serial] = sa.serial ?? sa.spi & 0xffff;
    row[Sa.Spi] = sa.spi;
    row[Sa.Flags] = sa.flags ?? SaFlag.Inbound | SaFlag.Outbound;
    row[Sa.Cipher] = transform.cipher;
    row[Sa.Auth] = transform.auth;
    row[Sa.CipherKeyLen] = transform.cipherKeyLen;
    row[Sa.AuthKeyLen] = transform.authKeyLen;
    row[Sa.IvLen] = transform.ivLen;
    row[Sa.IcvLen] = transform.icvLen;
    row[Sa.Align] = transform.align;
    row[Sa.ReplayWindow] = sa.window ?? 64;
    row[Sa.SidBits] = sa.sidBits ?? (isCombined(transform.cipher) ? 24 : 0);
    row[Sa.SidCount] = sa.sids?.length ?? 0;
    row.set(sa.sids ?? [], Sa.Sids);
    row[Sa.Group] = 0;
    row[Sa.AclFirst] = list.first;
    row[Sa.AclCount] = list.count;
    row[Sa.ExpiresAt] = sa.expiresAt ?? Now + 3600;
    row[Sa.Local] = sa.local ? ip(sa.local) : 0;
    row[Sa.Peer] = sa.peer ? ip(sa.peer) : 0;
    row[Sa.PeerPort] = sa.peerPort ?? 0;
    row[Sa.LocalOriginal] = sa.originals ? ip(sa.originals.local) : 0;
    row[Sa.PeerOriginal] = sa.originals ? ip(sa.originals.peer) : 0;
    if (sa.time) {
      row[Sa.TimeWindow] = sa.time.windowSeconds;
      row[Sa.TimeHigh] = Math.floor(sa.time.offset / 2 ** 32);
      row[Sa.TimeLow] = sa.time.offset | 0;
    }
    bank.saKeys.set(keysOf(sa), slot * SaKey.Bytes);
  });
}

function writeTunnels(bank: ReturnType<typeof bankOf>, { ports }: TablesSpec): void {
  bank.tunnels.fill(0);
  ports.forEach(({ tunnel }, port) => {
    if (!tunnel) return;
    const { source, destination, key, checksum, sequence, ttl, tos, copyDf, keepalive } = tunnel;
    const row = bank.tunnels.subarray(port * Tunnel.Words, (port + 1) * Tunnel.Words);
    row[Tunnel.Mode] = TunnelMode.Gre;
    row[Tunnel.Source] = ip(source);
    row[Tunnel.Destination] = ip(destination);
    if (checksum) row[Tunnel.Flags] |= TunnelFlag.Checksum;
    if (key !== undefined) row[Tunnel.Flags] |= TunnelFlag.Key;
    if (sequence) row[Tunnel.Flags] |= TunnelFlag.Sequence;
    if (copyDf) row[Tunnel.Flags] |= TunnelFlag.CopyDf;
    row[Tunnel.Key] = key ?? 0;
    row[Tunnel.HeaderLen] = 4 + (checksum ? 4 : 0) + (key === undefined ? 0 : 4) + (sequence ? 4 : 0);
    row[Tunnel.Ttl] = ttl ?? 255;
    row[Tunnel.Tos] = tos ?? -1;
    row[Tunnel.KeepaliveSeconds] = keepalive ?? 0;
    row[Tunnel.LeastMtu] = tunnel.leastMtu ?? 92;
    row[Tunnel.AgerSeconds] = tunnel.agerSeconds ?? 600;
    row[Tunnel.PreClassify] = Number(tunnel.preClassify ?? false);
  });
  bank.counts[BankCount.Tunnels] = ports.filter(({ tunnel }) => tunnel !== undefined).length;
}

function writeNat(bank: Bank, { clauses, aces, head }: NonNullable<TablesSpec['natTables']>): void {
  const before = bank.counts[BankCount.Aces];
  bank.aces.set(aces, before * Ace.Words);
  bank.counts[BankCount.Aces] = before + aces.length / Ace.Words;
  bank.natClauses.set(clauses);
  for (let at = 0; at < clauses.length; at += NatClause.Words) bank.natClauses[at + NatClause.AclFirst] += before;
  bank.counts[BankCount.NatClauses] = clauses.length / NatClause.Words;
  bank.natStatics.set(head.statics);
  bank.counts[BankCount.NatStatics] = head.statics.length / NatStatic.Words;
  bank.natPools.set(head.pools);
  bank.counts[BankCount.NatPools] = head.pools.length / NatPool.Words;
  bank.natRanges.set(head.ranges);
  bank.counts[BankCount.NatRanges] = head.ranges.length / NatRange.Words;
  bank.natLimits.set(head.limits);
  bank.counts[BankCount.NatLimits] = head.limits.length / NatLimit.Words;
  bank.natPortTimeouts.set(head.portTimeouts);
  bank.counts[BankCount.NatPortTimeouts] = head.portTimeouts.length / NatPortTimeout.Words;
}

function writeQos(bank: Bank, { uses, tests, classes, reds, aces }: NonNullable<TablesSpec['qosTables']>): void {
  const before = bank.counts[BankCount.Aces];
  bank.aces.set(aces, before * Ace.Words);
  bank.counts[BankCount.Aces] = before + aces.length / Ace.Words;
  bank.qosUses.set(uses);
  bank.qosTests.set(tests);
  for (let at = 0; at < tests.length; at += QosTest.Words)
    if (tests[at + QosTest.Kind] === QosTestKind.List) bank.qosTests[at + QosTest.A] += before;
  bank.counts[BankCount.QosTests] = tests.length / QosTest.Words;
  bank.qosClasses.set(classes);
  bank.counts[BankCount.QosClasses] = classes.length / QosClass.Words;
  bank.qosReds.set(reds);
}

export function writeBank(shared: SharedState, index: number, spec: TablesSpec): void {
  const bank = bankOf(shared, index);
  const lists = writeAces(bank.aces, spec.acls);
  bank.counts[BankCount.Aces] = lists.reduce((sum, { count }) => sum + count, 0);
  bank.cryptoEntries.fill(0);
  spec.entries.forEach((entry, i) => {
    const flags = entry.flags ?? (entry.registered === false ? 0 : CryptoFlag.Registered);
    const { first, count } = lists[entry.acl];
    bank.cryptoEntries.set([entry.port, first, count, entry.sa, 0, flags, entry.flow ?? 0], i * CryptoEntry.Words);
  });
  bank.counts[BankCount.CryptoEntries] = spec.entries.length;
  writeSas(bank, spec, lists);
  bank.counts[BankCount.Sas] = spec.sas.length;
  const clauses = spec.nat ?? [];
  clauses.forEach(({ rule, permit, acl, outPort, globalPort }, i) => {
    const { first, count } = acl === null ? { first: 0, count: -1 } : lists[acl];
    bank.natClauses.set([rule, permit ? 1 : 0, first, count, outPort ?? -1, globalPort], i * NatClause.Words);
  });
  bank.counts[BankCount.NatClauses] = clauses.length;
  if (spec.natTables) writeNat(bank, spec.natTables);
  bank.qosUses.fill(0);
  bank.qosClasses.fill(0);
  bank.counts[BankCount.QosClasses] = 0;
  if (spec.qosTables) writeQos(bank, spec.qosTables);
  bank.counts[BankCount.NatSessions] = spec.natSessions ?? NatShape.Capacity;
  bank.natTimeouts.set(spec.natTimeouts ?? [86400, 300, 60, 60, 60, 86400, 60]);
  writePolicies(bank, spec, lists);
  bank.ports.fill(0);
  for (let port = 0; port < Cap.Ports; port++) bank.ports.set([0, -1, 0, -1], port * PortRow.Words + PortRow.InFirst);
  bank.counts[BankCount.Filters] = 0;
  bank.counts[BankCount.MssLimits] = 0;
  spec.ports.forEach((port, i) => {
    const own = spec.entries.filter((entry) => entry.port === i);
    const crypto = own.reduce((kind, { flags }) => kind | portCryptoOf(flags ?? CryptoFlag.Registered), 0);
    const address = port.address ? ip(port.address) : 0;
    const filters = [port.filterIn, port.filterOut].map((list) => (list === undefined ? null : lists[list]));
    const words = filters.flatMap((rows) => [rows?.first ?? 0, rows?.count ?? -1]);
    const head = [port.up === false ? 0 : 1, port.mtu ?? 1500, address, crypto, port.nat ?? NatSide.None, port.silent ? 1 : 0];
    const ends = [port.adjustMss ?? 0, port.cryptoDf ?? CryptoDf.Copy, Number(port.cutSealed ?? false), Number(port.searchMtu ?? false)];
    const { drop = false, maxDatagrams = 0, maxFragments = 0, timeoutMs = 0 } = port.fragments ?? {};
    const mode = port.fragments === undefined ? PortFragments.Pass : drop ? PortFragments.Drop : PortFragments.Check;
    bank.ports.set([...head, ...words, ...ends, mode, maxDatagrams, maxFragments, timeoutMs], i * PortRow.Words);
    bank.counts[BankCount.MssLimits] += Number(port.adjustMss !== undefined);
    bank.counts[BankCount.Filters] += filters.filter((rows) => rows !== null).length;
  });
  writeTunnels(bank, spec);
  buildClassifier(bank);
  buildFib(
    bank,
    spec.routes.map((route) => {
      const [prefix, prefixLength] = prefixOf(route.prefix);
      return { prefix, prefixLength, kind: route.kind ?? 'unicast', port: route.port ?? 0, nextHop: route.via ? ip(route.via) : 0 };
    }),
  );
  bank.localAddresses.set(spec.locals.map(ip));
  bank.counts[BankCount.LocalAddresses] = spec.locals.length;
  const groups = spec.groups ?? [];
  bank.groups.set(groups.flatMap(({ group, ports }) => [ip(group), ports.reduce((bits, port) => bits | (1 << port), 0)]));
  bank.counts[BankCount.Groups] = groups.length;
  const neighbours = spec.neighbours ?? [];
  neighbours.forEach(({ port, address, header }, i) => {
    const words = [0, 8, 16].map((at) => Number.parseInt(header.slice(at, at + 8), 16));
    bank.neighbours.set([port, ip(address), ...words], i * NeighbourRow.Words);
  });
  bank.counts[BankCount.Neighbours] = neighbours.length;
}

/** The machine's native part with queues in place of devices. Descriptor = number of the queue + 100. */
function withQueues(real: Native, router: Router, slotShift: number): Native {
  const shifted =
    (run: (pool: Uint8Array, jobs: Int32Array, count: number) => void) => (pool: Uint8Array, jobs: Int32Array, count: number) => {
      for (let i = 0; i < count; i++) jobs[i * Job.Words + Job.Slot] += slotShift;
      run(pool, jobs, count);
      for (let i = 0; i < count; i++) jobs[i * Job.Words + Job.Slot] -= slotShift;
    };
  return {
    ...real,
    kind: real.kind,
    bound: undefined,
    mapFile: (path, bytes) => real.mapFile(path, bytes),
    mapFlush: (buffer) => real.mapFlush(buffer),
    adviseHuge: (words) => real.adviseHuge(words),
    monotonicMs: () => router.nowMs,
    wakeSignal: (worker) => router.wakes.push(worker),
    saSet: (slot, ...rest) => real.saSet(slot + slotShift, ...rest),
    saClear: (slot) => real.saClear(slot + slotShift),
    seal: shifted((pool, jobs, count) => real.seal(pool, jobs, count)),
    open: shifted((pool, jobs, count) => real.open(pool, jobs, count)),
    rx(fd, pool, offsets, lengths, count, maxLength) {
      const queue = router.inputs[fd - 100];
      let i = 0;
      for (; i < count && queue.length > 0; i++) {
        const packet = queue.shift() as Uint8Array;
        pool.set(packet.subarray(0, maxLength), offsets[i]);
        lengths[i] = Math.min(packet.length, maxLength + 1);
      }
      return i;
    },
    tx(fd, pool, offsets, lengths, count, results) {
      let sent = 0;
      for (let i = 0; i < count; i++) {
        results[i] = i < router.txRoom ? router.txErrno : constants.errno.EAGAIN;
        if (results[i] !== 0) continue;
        const from = offsets[i] - router.ethernet[fd - 100];
        router.outputs[fd - 100].push(pool.slice(from, offsets[i] + lengths[i]));
        sent++;
      }
      return sent;
    },
  };
}

let shiftNext = 0;
const folders = new Set<string>();
process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export interface WorkerSpec {
  index: number;
  shared: SharedState;
}

export class Router {
  readonly inputs: Uint8Array[][] = Array.from({ length: 2 * Cap.Ports }, () => []);
  readonly outputs: Uint8Array[][] = Array.from({ length: 2 * Cap.Ports + Cap.PolicyHops }, () => []);
  /** Bytes of link header that come out of each queue. */
  readonly ethernet: number[] = Array.from({ length: 2 * Cap.Ports + Cap.PolicyHops }, () => 0);
  readonly shared: SharedState;
  /** Workers that were woken, in order. */
  readonly wakes: number[] = [];
  readonly env: Env;
  readonly pass: () => number;
  /** Of the clock the stages see. */
  nowMs = 1000;
  txRoom = Number.POSITIVE_INFINITY;
  txErrno = 0;
  readonly folder: string;

  /**
   * @param folder where the sender state lives; a router started with the folder of another takes over from it
   * @param worker one of several that share memory; they share a folder too
   */
  constructor(tables: TablesSpec, folder?: string, boot = bootId, worker: WorkerSpec = { index: 0, shared: allocateShared(1) }) {
    const { index, shared } = worker;
    this.shared = shared;
    this.folder = folder ?? mkdtempSync(join(tmpdir(), 'groupwire-path-'));
    folders.add(this.folder);
    shiftNext = (shiftNext + 8) % (Cap.Sas - 8);
    const native = withQueues(loadNative(), this, shiftNext);
    const senders = SenderState.open(native, senderStatePath(join(this.folder, 'senders'), index), boot);
    this.env = makeEnv({ index, shared, native, senders, wakeFds: Array.from({ length: shared.workers }, (_, other) => other) });
    this.pass = makePipeline(this.env);
    this.env.clock[Clock.Seconds] = Now;
    tables.ports.forEach(({ link, tunnel, joinsUdp }, port) => {
      const links: Link[] = [{ fd: port + 100, kind: tunnel ? LinkKind.Tunnel : LinkKind.Tun, joinsUdp }];
      if (link !== undefined) links.push({ fd: Cap.Ports + port + 100, kind: link });
      if (link === LinkKind.Packet || link === LinkKind.Xdp || link === LinkKind.Groups)
        this.ethernet[Cap.Ports + port] = EthernetHeaderLen;
      (tables.hops ?? []).forEach((hop, i) => {
        if (hop.port === port) links.push({ fd: 2 * Cap.Ports + i + 100, kind: LinkKind.Policy, hop: i });
      });
      this.env.links.open(port, links);
    });
    this.adopt(tables);
  }

  adopt(tables: TablesSpec): void {
    writeBank(this.shared, 1, tables);
    startMeters(this.shared, tables.qosTables?.classes ?? new Int32Array(0), this.nowMs * 1000);
    const errors = adoptBank(this.env, this.shared, 1);
    if (errors.length > 0) throw new Error(errors.join('; '));
  }

  /** Gives packets to a port (or another queue) and runs passes until nothing is left. @returns what left, by port */
  forward(port: number, ...packets: Uint8Array[]): Uint8Array[][] {
    this.inputs[port].push(...packets);
    while (this.inputs.some((queue) => queue.length > 0)) this.pass();
    return this.take();
  }

  take(): Uint8Array[][] {
    return this.outputs.map((queue) => queue.splice(0));
  }

  /** Every counter that is not 0, `block.name` or `block[index].name`; passes and hits of ACEs left out. */
  counters(): Record<string, number> {
    const { path, drops, ports, sas, groups, nat, policies } = this.env.counters;
    const seen: Record<string, number> = {};
    const add = (prefix: string, texts: readonly { name: string }[], values: ArrayLike<number>, first: number) => {
      texts.forEach((text, i) => {
        if (values[first + i] !== 0) seen[`${prefix}.${text.name}`] = values[first + i];
      });
    };
    add('path', pathTexts, path, 0);
    delete seen['path.passes'];
    add('drop', dropTexts, dropsByReason(drops), 0);
    add('nat', natTexts, nat, 0);
    for (let i = 0; i < Cap.PolicyEntries; i++) add(`policy[${i}]`, policyTexts, policies, i * PolicyCount.Count);
    for (let i = 0; i < Cap.Ports; i++) add(`port[${i}]`, portTexts, ports, i * PortCount.Count);
    for (let i = 0; i < Cap.Sas; i++) add(`sa[${i}]`, saTexts, sas, i * SaCount.Count);
    for (let i = 0; i < GroupCap; i++) add(`group[${i}]`, groupTexts, groups, i * GroupCount.Count);
    return seen;
  }

  /** DESIGN §3: received + made = sent + dropped + punted + held; with several workers what was taken over is added, and what was handed over. @returns what is wrong, or null */
  imbalance(): string | null {
    const { path, drops, ports } = this.env.counters;
    const into = path[PathCount.Received] + path[PathCount.Made] + path[PathCount.TakenOver];
    const held = path[PathCount.Held] + path[PathCount.Queued] + path[PathCount.Assembling];
    const out =
      path[PathCount.Sent] + path[PathCount.Dropped] + path[PathCount.Punted] + path[PathCount.HandedOver] + path[PathCount.Merged] + held;
    if (into !== out) return `${into} came in, ${out} went out`;
    const reasons = drops.reduce((sum, count) => sum + count, 0);
    if (reasons !== path[PathCount.Dropped]) return `${path[PathCount.Dropped]} drops, ${reasons} by reason`;
    for (let port = 0; port < Cap.Ports; port++) {
      const cells = drops.subarray(port * Drop.Count, (port + 1) * Drop.Count).reduce((sum, count) => sum + count, 0);
      const counted = ports[port * PortCount.Count + PortCount.RxDrops] + ports[port * PortCount.Count + PortCount.TxDrops];
      if (cells !== counted) return `port ${port} dropped ${counted}, ${cells} by reason`;
    }
    const lost = SlotShape.Count - this.env.slots.freeCount - held;
    if (lost !== 0) return `${lost} slots lost`;
    return null;
  }
}

/** Port 0 inside (10.0.i.1), port 1 outside with the crypto map; member 1 has branch 10.0.1.0/24, member 2 has 10.0.2.0/24. */
export function memberTables(member: 1 | 2, sa: SaSpec | null, more: Partial<TablesSpec> = {}): TablesSpec {
  const outside = `172.16.${member}.2`;
  return {
    ports: [{ address: `10.0.${member}.1` }, { address: outside }],
    acls: [[{ action: 'permit', src: '10.0.0.0/16', dst: '10.0.0.0/16' }]],
    entries: [{ port: 1, acl: 0, sa: sa ? 0 : -1 }],
    sas: [sa],
    routes: [
      { prefix: '0.0.0.0/0', port: 1 },
      { prefix: `10.0.${member}.0/24`, port: 0 },
    ],
    locals: [`10.0.${member}.1`, outside],
    ...more,
  };
}
