// Memory that the dataplane's main thread and its workers share: two banks of tables, an epoch that says which bank is
// current, the counters, and the rings between workers. The main thread writes the idle bank, then publishes; a worker picks the bank up between
// two passes and acknowledges. The idle bank may be written only when every worker has acknowledged the last epoch.

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
import { Latency } from '../counters/latency.js';
import { Meter } from '../proto/meter.js';
import {
  Ace,
  Cap,
  CryptoEntry,
  Dscp,
  FilterList,
  NatClause,
  NatLimit,
  NatPool,
  NatPortTimeout,
  NatRange,
  NatRow,
  NatState,
  NatStatic,
  PolicyClause,
  PolicyEntry,
  QosCap,
  QosClass,
  QosRed,
  QosTest,
  QosUse,
  Sa,
  SaKey,
  Tunnel,
} from '../tables/layout.js';
import { AclShape, BankCount, FibLeaf, FibShape, MaxLocalAddresses } from './bank-shape.js';
import { captureBytes } from './capture-shape.js';
import { NatLogShape } from './nat-log.js';
import { NatShape } from './nat-sessions.js';
import { allocateSharedPages } from './page.js';
import { PathMtuShape } from './path-mtus.js';
import { RingShape } from './ring.js';
import { Ctl, GroupRow, MaxGroups, MaxNeighbours, NeighbourRow, PolicyHopRow, PortRow } from './rows.js';

export * from './bank-shape.js';
export * from './rows.js';

export const MaxWorkers = 16;

export interface Bank {
  /** 0 or 1. */
  index: number;
  counts: Int32Array; // BankCount
  aces: Int32Array; // Cap.Aces * Ace.Words
  cryptoEntries: Int32Array;
  sas: Int32Array; // Cap.Sas * Sa.Words
  saKeys: Uint8Array; // Cap.Sas * SaKey.Bytes
  ports: Int32Array; // Cap.Ports * PortRow.Words
  fibRoot: Int32Array;
  fibNodes: Int32Array;
  /** The same words. */
  fibHalves: Uint16Array;
  aclWords: Int32Array;
  /** The compiled list of each crypto entry, of each SA: first word in `aclWords` of both banks. */
  entryLists: Int32Array;
  saLists: Int32Array;
  /** The same for lists on interfaces, two words for each port: in, out; -1 = none. */
  filterLists: Int32Array;
  fibLeaves: Int32Array;
  localAddresses: Int32Array;
  neighbours: Int32Array; // MaxNeighbours * NeighbourRow.Words
  groups: Int32Array; // MaxGroups * GroupRow.Words
  natClauses: Int32Array; // Cap.NatClauses * NatClause.Words
  /** The compiled list of each clause, as entryLists. */
  natLists: Int32Array;
  /** Seconds by NatState. */
  natTimeouts: Int32Array;
  tunnels: Int32Array; // Cap.Ports * Tunnel.Words
  natStatics: Int32Array; // Cap.NatStatics * NatStatic.Words
  natPools: Int32Array; // Cap.NatPools * NatPool.Words
  natRanges: Int32Array; // Cap.NatRanges * NatRange.Words
  natLimits: Int32Array; // Cap.NatLimits * NatLimit.Words
  natPortTimeouts: Int32Array; // Cap.NatPortTimeouts * NatPortTimeout.Words
  policyEntries: Int32Array; // Cap.PolicyEntries * PolicyEntry.Words
  policyClauses: Int32Array;
  /** The compiled list of each clause, as entryLists. */
  policyLists: Int32Array;
  policyHops: Int32Array; // Cap.PolicyHops * PolicyHopRow.Words
  qosUses: Int32Array; // Cap.Ports * 2 * QosUse.Words
  qosTests: Int32Array; // QosCap.Tests * QosTest.Words
  /** The compiled list of each test that asks one, as entryLists. */
  qosLists: Int32Array;
  qosClasses: Int32Array; // QosCap.Classes * QosClass.Words
  qosReds: Int32Array; // QosCap.Reds * QosRed.Words
}

/** Counter blocks of one worker; only that worker writes them. */
export interface CounterBlocks {
  drops: Float64Array; // Cap.Ports * Drop.Count (counters/drops.ts)
  ports: Float64Array; // Cap.Ports * PortCount.Count
  sas: Float64Array; // Cap.Sas * SaCount.Count, reset by the worker when a slot gets a new serial
  saSerials: Float64Array; // Cap.Sas: the serial the slot's counters belong to
  saSequences: Float64Array; // Cap.Sas: last sequence number sent
  groups: Float64Array; // GroupCap * GroupCount.Count
  aceHits: Float64Array; // Cap.Aces, since the last table swap; before it:
  aceTotals: Float64Array; // Cap.AceCounters, by Ace.Counter
  path: Float64Array; // PathCount.Count
  nat: Float64Array; // NatCount.Count
  policies: Float64Array; // Cap.PolicyEntries * PolicyCount.Count, reset on a table swap that changes the entries
  qos: Float64Array; // QosCap.Classes * QosCount.Count, reset on a table swap that changes service-policies, as are:
  qosWaits: Float64Array; // QosCap.Classes * Latency.Places: packets by their time in the queue
  qosReds: Float64Array; // QosCap.Reds * Dscp.Count * RedCount.Count
}

export interface SharedState {
  memory: SharedArrayBuffer;
  workers: number;
}

const bankWords: readonly [keyof Bank, number][] = [
  ['counts', BankCount.Words],
  ['aces', Cap.Aces * Ace.Words],
  ['cryptoEntries', Cap.CryptoEntries * CryptoEntry.Words],
  ['sas', Cap.Sas * Sa.Words],
  ['ports', Cap.Ports * PortRow.Words],
  ['localAddresses', MaxLocalAddresses],
  ['entryLists', Cap.CryptoEntries],
  ['saLists', Cap.Sas],
  ['filterLists', Cap.Ports * FilterList.Words],
  ['neighbours', MaxNeighbours * NeighbourRow.Words],
  ['groups', MaxGroups * GroupRow.Words],
  ['natClauses', Cap.NatClauses * NatClause.Words],
  ['natLists', Cap.NatClauses],
  ['natTimeouts', NatState.Count],
  ['tunnels', Cap.Ports * Tunnel.Words],
  ['natStatics', Cap.NatStatics * NatStatic.Words],
  ['natPools', Cap.NatPools * NatPool.Words],
  ['natRanges', Cap.NatRanges * NatRange.Words],
  ['natLimits', Cap.NatLimits * NatLimit.Words],
  ['natPortTimeouts', Cap.NatPortTimeouts * NatPortTimeout.Words],
  ['policyEntries', Cap.PolicyEntries * PolicyEntry.Words],
  ['policyClauses', Cap.PolicyClauses * PolicyClause.Words],
  ['policyLists', Cap.PolicyClauses],
  ['policyHops', Cap.PolicyHops * PolicyHopRow.Words],
  ['qosUses', Cap.Ports * 2 * QosUse.Words],
  ['qosTests', QosCap.Tests * QosTest.Words],
  ['qosLists', QosCap.Tests],
  ['qosClasses', QosCap.Classes * QosClass.Words],
  ['qosReds', QosCap.Reds * QosRed.Words],
];
/**
 * What is large is read where it lies: the two banks' arrays are neighbours, so that a stage captures one array and adds where the current
 * bank's part begins. A bank is written only after every worker has left it, and a worker leaves it between two passes.
 */
const pairWords: readonly [PairName, number][] = [
  ['fibNodes', FibShape.MaxLines * FibShape.LineWords],
  ['fibRoot', FibShape.RootEntries],
  ['fibLeaves', FibShape.MaxLeaves * FibLeaf.Words],
  ['aclWords', AclShape.MaxWords],
];
export type PairName = 'fibRoot' | 'fibNodes' | 'fibLeaves' | 'aclWords';
const keyBytes = Cap.Sas * SaKey.Bytes; // a multiple of 8
const bankBytes = align8(bankWords.reduce((sum, [, words]) => sum + words * 4, 0)) + keyBytes;
const pairBytes = pairWords.reduce((sum, [, words]) => sum + 2 * words * 4, 0);

const counterLengths: readonly [keyof CounterBlocks, number][] = [
  ['drops', Cap.Ports * Drop.Count],
  ['ports', Cap.Ports * PortCount.Count],
  ['sas', Cap.Sas * SaCount.Count],
  ['saSerials', Cap.Sas],
  ['saSequences', Cap.Sas],
  ['groups', GroupCap * GroupCount.Count],
  ['aceHits', Cap.Aces],
  ['aceTotals', Cap.AceCounters],
  ['path', PathCount.Count],
  ['nat', NatCount.Count],
  ['policies', Cap.PolicyEntries * PolicyCount.Count],
  ['qos', QosCap.Classes * QosCount.Count],
  ['qosWaits', QosCap.Classes * Latency.Places],
  ['qosReds', QosCap.Reds * Dscp.Count * RedCount.Count],
];
const counterBytes = counterLengths.reduce((sum, [, length]) => sum + length * 8, 0);
const controlBytes = align8(Ctl.Words * 4);
const pairsAt = (controlBytes + 2 * bankBytes + 63) & ~63;
const metersAt = pairsAt + pairBytes;
const meterBytes = QosCap.Classes * (Meter.Words + 1) * 8;
const pathMtusAt = metersAt + meterBytes;
const countersAt = pathMtusAt + align8(PathMtuShape.Words * 4);

function align8(bytes: number): number {
  return (bytes + 7) & ~7;
}

function ringsAt(workers: number): number {
  return (countersAt + workers * counterBytes + 63) & ~63;
}

/** First byte of the workers' NAT sessions; behind them are the rings of mem/nat-log.ts. */
export function natRowsAt(workers: number): number {
  const rings = workers > 1 ? workers * workers : 0;
  return (ringsAt(workers) + rings * RingShape.Bytes + 63) & ~63;
}

export const natRowBytes = NatShape.Capacity * NatRow.Words * 4;

/** @param workers 1..MaxWorkers. With several there is a ring for every two of them: memory that nobody touches costs nothing */
export function allocateShared(workers: number): SharedState {
  return { memory: allocateSharedPages(captureAt(workers) + captureBytes(workers)), workers };
}

/** First byte of what captures have (mem/capture-shape.ts). */
export function captureAt(workers: number): number {
  return (natRowsAt(workers) + workers * (natRowBytes + NatLogShape.Words * 4) + 63) & ~63;
}

/** NAT sessions of a worker, NatShape.Capacity rows of NatRow: it writes them, the main thread shows them. */
export function natRowsOf({ memory, workers }: SharedState, worker: number): Int32Array {
  return new Int32Array(memory, natRowsAt(workers) + worker * natRowBytes, NatShape.Capacity * NatRow.Words);
}

/** First byte of the ring by which `from` gives packets to `to`. */
export function ringAt({ workers }: SharedState, from: number, to: number): number {
  return ringsAt(workers) + (from * workers + to) * RingShape.Bytes;
}

/** Policers of all workers: rows of Meter by QosClass, and behind them a lock for each, in words. The main thread fills them (qos-meters.ts). */
export function metersOf({ memory }: SharedState): { rows: Float64Array; locks: Int32Array } {
  const rows = new Float64Array(memory, metersAt, QosCap.Classes * Meter.Words);
  return { rows, locks: new Int32Array(memory, metersAt + rows.byteLength, QosCap.Classes) };
}

/** Words of mem/path-mtus.ts. */
export function pathMtuWordsOf({ memory }: SharedState): Int32Array {
  return new Int32Array(memory, pathMtusAt, PathMtuShape.Words);
}

export function controlWords(state: SharedState): Int32Array {
  return new Int32Array(state.memory, 0, Ctl.Words);
}

/** @param index 0 or 1 */
export function bankOf(state: SharedState, index: number): Bank {
  let at = controlBytes + index * bankBytes;
  const views: Record<string, Int32Array | Uint16Array | Uint8Array> = {};
  for (const [name, words] of bankWords) {
    views[name] = new Int32Array(state.memory, at, words);
    at += words * 4;
  }
  views.saKeys = new Uint8Array(state.memory, align8(at), keyBytes);
  for (const [name, words] of pairWords) views[name] = pairOf(state, name).subarray(index * words, (index + 1) * words);
  views.fibHalves = halvesOf(views.fibNodes as Int32Array);
  return { ...views, index } as unknown as Bank;
}

/** The same memory. */
export function halvesOf(words: Int32Array): Uint16Array {
  return new Uint16Array(words.buffer, words.byteOffset, words.length * 2);
}

/** Both banks' arrays in one, bank 0's first. */
export function pairOf(state: SharedState, wanted: PairName): Int32Array {
  let at = pairsAt;
  for (const [name, words] of pairWords) {
    if (name === wanted) return new Int32Array(state.memory, at, 2 * words);
    at += 2 * words * 4;
  }
  throw new RangeError(wanted);
}

/** @param worker 0..workers-1 */
export function countersOf(state: SharedState, worker: number): CounterBlocks {
  let at = countersAt + worker * counterBytes;
  const views: Record<string, Float64Array> = {};
  for (const [name, length] of counterLengths) {
    views[name] = new Float64Array(state.memory, at, length);
    at += length * 8;
  }
  return views as unknown as CounterBlocks;
}

/** Of all workers, in their order. */
export function allCountersOf(state: SharedState): CounterBlocks[] {
  return Array.from({ length: state.workers }, (_, worker) => countersOf(state, worker));
}
