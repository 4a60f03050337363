// Arithmetic of the report: columns, medians with their range, ratios.

import type { Results, Round } from './results.js';

export interface Spread {
  median: number;
  min: number;
  max: number;
  /** How many rounds. */
  n: number;
}

/** @returns null for no values */
export function spread(values: readonly number[]): Spread | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, min: sorted[0], max: sorted[sorted.length - 1], n: sorted.length };
}

export interface Ratio {
  /** Of the medians. */
  value: number;
  /** Our worst round by their best, and the other way round. */
  low: number;
  high: number;
}

export function ratio(ours: Spread, theirs: Spread): Ratio {
  return { value: ours.median / theirs.median, low: ours.min / theirs.max, high: ours.max / theirs.min };
}

export type ColumnName =
  | 'tcp1'
  | 'tcp4'
  | 'flood'
  | 'lossless'
  | 'rtt'
  | 'rttP99'
  | 'cpuTcp'
  | 'machineTcp'
  | 'cpuUdp'
  | 'pss'
  | 'rssSum'
  | 'rssMax';

export interface Column {
  title: string;
  /** Digits behind the point. */
  digits: number;
  read: (round: Round) => number | undefined;
}

export const columns: Record<ColumnName, Column> = {
  tcp1: { title: 'TCP 1, Gbit/s', digits: 2, read: (round) => round.tcp1?.gbps },
  tcp4: { title: 'TCP 4, Gbit/s', digits: 2, read: (round) => round.tcp4?.gbps },
  flood: { title: 'UDP 64 overload, kpps', digits: 0, read: (round) => round.flood?.kpps },
  lossless: { title: 'UDP 64 ≤ 0.1 % loss, kpps', digits: 0, read: (round) => round.lossless?.kpps },
  rtt: { title: 'RTT avg, µs', digits: 0, read: (round) => round.rtt?.averageUs },
  rttP99: { title: 'RTT p99, µs', digits: 0, read: (round) => round.rtt?.p99Us },
  cpuTcp: { title: 'CPU gateways (TCP 1), %', digits: 0, read: (round) => round.tcp1?.gatewaysCpu },
  machineTcp: { title: 'CPU machine (TCP 1), %', digits: 0, read: (round) => round.tcp1?.machineCpu },
  cpuUdp: { title: 'CPU gateways (UDP), %', digits: 0, read: (round) => round.flood?.gatewaysCpu },
  pss: { title: 'Pss, MiB', digits: 0, read: (round) => round.memory?.pssMiB },
  rssSum: { title: 'RSS sum, MiB', digits: 0, read: (round) => round.memory?.rssSumMiB },
  rssMax: { title: 'RSS max, MiB', digits: 0, read: (round) => round.memory?.rssMaxMiB },
};
export const columnNames = Object.keys(columns) as ColumnName[];

/** Over the rounds of one peer at one SEG; null when it was never measured. */
export function spreadOf(results: Results, peer: string, seg: number, column: ColumnName): Spread | null {
  const rounds = results.rounds.filter((round) => round.peer === peer && round.seg === seg);
  return spread(rounds.map(columns[column].read).filter((value) => value !== undefined));
}

/** Each once, in the order in which they ran. */
export const peersOf = (results: Results): string[] => [...new Set(results.rounds.map((round) => round.peer))];
export const segsOf = (results: Results): number[] => [...new Set(results.rounds.map((round) => round.seg))].sort();
