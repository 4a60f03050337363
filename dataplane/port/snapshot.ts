// Counters and netdev state at one moment, for control: the counter blocks of all workers summed. Does not: name the counters
// (counters/declare.ts), keep history.

import {
  Drop,
  GroupCap,
  GroupCount,
  NatCount,
  PathCount,
  PolicyCount,
  PortCount,
  QosCount,
  RedCount,
  SaCount,
} from '../counters/declare.js';
import { dropsByReason } from '../counters/drops.js';
import { Latency } from '../counters/latency.js';
import { PathMtus } from '../mem/path-mtus.js';
import {
  allCountersOf,
  bankOf,
  type CounterBlocks,
  Ctl,
  controlWords,
  natRowsOf,
  pathMtuWordsOf,
  type SharedState,
} from '../mem/shared.js';
import type { AesLibrary } from '../native/native.js';
import { Ace, Cap, Dscp, NatRow, PolicyEntry, QosClass, QosRed, Sa } from '../tables/layout.js';
import type { FromDataplane, SnapshotHead, TunnelStatus } from '../tables/message.js';
import { formatAddress, formatPrefix } from './addresses.js';
import type { Applier } from './applier.js';
import { type LinuxState, RouteTable, RouteType } from './linux-state.js';
import type { Ports } from './ports.js';
import { mainRoutes } from './routes.js';
import type { RxModeration } from './rx-moderation.js';

export class SnapshotMaker {
  private readonly blocks: CounterBlocks[];
  private readonly pathMtus: PathMtus;
  private lastHits: number[] = [];

  constructor(
    private readonly shared: SharedState,
    private readonly applier: Applier,
    private readonly ports: Pick<Ports, 'find'>,
    private readonly moderation: Pick<RxModeration, 'microsecondsOf'>,
    private readonly aes: AesLibrary,
    /** The workers' clock. */
    private readonly nowMs: () => number,
  ) {
    this.pathMtus = new PathMtus(pathMtuWordsOf(shared));
    this.blocks = allCountersOf(shared);
  }

  make(id: number): SnapshotHead {
    const { linux, tables } = this.applier;
    const sum = (name: keyof CounterBlocks) => this.sum(name);
    const drops = sum('drops');
    return {
      type: 'snapshot',
      id,
      interfaces: this.describeInterfaces(),
      routes: describeRoutes(linux),
      rssBytes: process.memoryUsage.rss(),
      workers: this.shared.workers,
      aes: this.aes,
      pathMtus: this.pathMtus.list(Math.floor(this.nowMs() / 1000)),
      drops: dropsByReason(drops),
      portDrops: cut(drops, Drop.Count, Cap.Ports),
      ports: cut(sum('ports'), PortCount.Count, Cap.Ports),
      sas: this.describeSas(),
      groups: cut(sum('groups'), GroupCount.Count, GroupCap),
      aceHits: this.hits(),
      path: sum('path').slice(0, PathCount.Count),
      nat: sum('nat').slice(0, NatCount.Count),
      policies: cut(sum('policies'), PolicyCount.Count, tables.rows.policyEntries.length / PolicyEntry.Words),
      qos: this.describeQos(tables.rows.qosClasses.length / QosClass.Words, tables.rows.qosReds.length / QosRed.Words),
    };
  }

  /**
   * By Ace.Counter: what was counted before the rows that are in force, and since. While a worker takes a bank over it moves counts from rows to counters, and its rows are
   * not yet those of the bank: what was told last is told again.
   */
  private hits(): number[] {
    const epoch = this.settledEpoch();
    if (epoch === null) return this.lastHits;
    const { aces } = bankOf(this.shared, epoch & 1);
    const hits = this.sum('aceTotals');
    for (const [row, count] of this.sum('aceHits').entries()) if (count > 0) hits[aces[row * Ace.Words + Ace.Counter]] += count;
    if (this.settledEpoch() === epoch) this.lastHits = hits.slice(0, hits.findLastIndex((count) => count > 0) + 1);
    return this.lastHits;
  }

  /** @returns the epoch that every worker has taken over, null while one has not */
  private settledEpoch(): number | null {
    const control = controlWords(this.shared);
    const epoch = Atomics.load(control, Ctl.Epoch);
    return this.blocks.every((_, worker) => Atomics.load(control, Ctl.Ack + worker) === epoch) ? epoch : null;
  }

  /** NAT sessions of all workers, as they lie there at this moment. @param limit rows at the most @param nowSeconds the workers' clock */
  natSessions(id: number, limit: number, nowSeconds: number): { message: FromDataplane; rows: Uint8Array } {
    const found: Int32Array[] = [];
    for (let worker = 0; worker < this.shared.workers && found.length < limit; worker++) {
      const rows = natRowsOf(this.shared, worker);
      for (let at = 0; at < rows.length && found.length < limit; at += NatRow.Words) {
        if (rows[at + NatRow.Serial] === 0) break; // never used, and none behind it is: rows are taken from below
        const row = rows.slice(at, at + NatRow.Words);
        // A worker may have ended it meanwhile, and begun another.
        if (row[NatRow.Protocol] === 0 || rows[at + NatRow.Serial] !== row[NatRow.Serial]) continue;
        row[NatRow.Made] = Math.max(0, nowSeconds - row[NatRow.Made]);
        row[NatRow.Used] = Math.max(0, nowSeconds - row[NatRow.Used]);
        row[NatRow.NextFree] = 0;
        found.push(row);
      }
    }
    const words = new Int32Array(found.length * NatRow.Words);
    for (const [i, row] of found.entries()) words.set(row, i * NatRow.Words);
    const sessions = Math.max(found.length, this.sum('nat')[NatCount.Sessions]);
    return { message: { type: 'nat-sessions', id, sessions }, rows: new Uint8Array(words.buffer) };
  }

  private describeQos(classes: number, reds: number): SnapshotHead['qos'] {
    const waits = this.rows('qosWaits', Latency.Places, classes);
    return {
      classes: this.rows('qos', QosCount.Count, classes),
      waits: waits.map((places) => places.slice(0, places.findLastIndex((count) => count > 0) + 1)),
      reds: this.rows('qosReds', RedCount.Count, reds * Dscp.Count),
    };
  }

  /** The first rows of a block, summed: for blocks of which little is used. */
  private rows(name: keyof CounterBlocks, width: number, rows: number): number[][] {
    const total = new Array<number>(width * rows).fill(0);
    for (const block of this.blocks) for (let i = 0; i < total.length; i++) total[i] += block[name][i];
    return cut(total, width, rows);
  }

  private sum(name: keyof CounterBlocks): number[] {
    const total = Array.from(this.blocks[0][name]);
    for (const block of this.blocks.slice(1)) for (const [i, value] of block[name].entries()) total[i] += value;
    return total;
  }

  private describeInterfaces(): SnapshotHead['interfaces'] {
    const { linux, interfaces, portStates } = this.applier;
    return interfaces.map((row) => {
      const state = portStates.find(({ port }) => port === row.port);
      const link = linux.links.get(row.device ?? 'lo');
      const own =
        row.device === null
          ? row.addresses.map(({ address }) => `${formatAddress(address)}/32`)
          : linux.addresses
              .filter(({ device }) => device === row.device)
              .map(({ address, prefixLength }) => `${formatAddress(address)}/${prefixLength}`);
      const up = state?.up ?? false;
      const { driver, offloads } = this.ports.find(row.port) ?? row;
      const mtu = state?.mtu ?? 0;
      const tunnel = this.describeTunnel(row.port);
      const { port, name, device } = row;
      const moderationUs = this.moderation.microsecondsOf(port);
      return {
        port,
        name,
        device,
        driver,
        offloads,
        moderationUs,
        up,
        mtu,
        mac: link?.mac ?? '',
        addresses: own,
        ...(tunnel ? { tunnel } : {}),
      };
    });
  }

  private describeTunnel(port: number): TunnelStatus | null {
    const tunnel = this.applier.tunnels.list.find((candidate) => candidate.port === port);
    if (!tunnel) return null;
    const { state, source, outDevice } = tunnel;
    const recursions = this.applier.tunnels.recursionsOf(port);
    return { state, source: source === null ? null : formatAddress(source), device: outDevice, recursions };
  }

  /** Of the SAs in the tables. A worker that has not seen a new serial yet counts for the slot's former SA: left out. */
  private describeSas(): SnapshotHead['sas'] {
    const { sas } = this.applier.tables.rows;
    const list: SnapshotHead['sas'] = [];
    for (let slot = 0; slot * Sa.Words < sas.length; slot++) {
      const serial = sas[slot * Sa.Words + Sa.Serial];
      if (serial === 0) continue;
      const counters: number[] = new Array(SaCount.Count).fill(0);
      let sequence = 0;
      for (const block of this.blocks) {
        if (block.saSerials[slot] !== serial) continue;
        for (let i = 0; i < SaCount.Count; i++) counters[i] += block.sas[slot * SaCount.Count + i];
        sequence = Math.max(sequence, block.saSequences[slot]);
      }
      list.push({ slot, serial, spi: sas[slot * Sa.Words + Sa.Spi] >>> 0, counters, sequence });
    }
    return list;
  }
}

function cut(values: number[], width: number, rows: number): number[][] {
  return Array.from({ length: rows }, (_, row) => values.slice(row * width, (row + 1) * width));
}

/** linux/rtnetlink.h, /etc/iproute2/rt_protos */
const protocolNames: { [protocol: number]: string } = { 2: 'kernel', 3: 'boot', 4: 'static', 9: 'ra', 11: 'zebra', 12: 'bird', 16: 'dhcp' };
Object.assign(protocolNames, { 84: 'groupwire', 186: 'bgp', 187: 'isis', 188: 'ospf', 189: 'rip', 192: 'eigrp' });

function describeRoutes(linux: LinuxState): SnapshotHead['routes'] {
  const own = linux.routes.filter(({ table, type }) => table === RouteTable.Local && type === RouteType.Local);
  return [...mainRoutes(linux), ...own].map((route) => ({
    prefix: route.prefix.prefixLength === 0 ? '0.0.0.0/0' : withLength(formatPrefix(route.prefix)),
    via: route.gateway ? formatAddress(route.gateway) : null,
    device: route.device ?? (route.type === RouteType.Unicast ? '' : 'Null0'),
    protocol: route.type === RouteType.Local ? 'local' : (protocolNames[route.protocol] ?? String(route.protocol)),
    metric: route.metric,
  }));
}

function withLength(prefix: string): string {
  return prefix.includes('/') ? prefix : `${prefix}/32`;
}
