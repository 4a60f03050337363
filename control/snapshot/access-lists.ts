// ACEs as `show` prints them, with the hits that the dataplane counted.

import type { AccessListState, AceState } from '../api/snapshot.js';
import { natOrigin } from '../compile/nat.js';
import { policyOrigin } from '../compile/policy.js';
import type { Tables } from '../compile/tables.js';
import { formatIpv4 } from '../config/addresses.js';
import type { Config } from '../config/model.js';
import type { PolicyEntry } from '../gdoi/group-policy.js';

/** Sums hits of all rows that came from one entry of a list. @param hits per ACE row */
export function hitsOf(tables: Tables | null, hits: readonly number[], list: string, entry: number): number {
  let sum = 0;
  tables?.aceOrigins.forEach((origin, row) => {
    if (origin.list === list && origin.entry === entry) sum += hits[row] ?? 0;
  });
  return sum;
}

export function aceState(entry: PolicyEntry, sequence: number | null, hits: number | null): AceState {
  return {
    sequence,
    action: entry.action,
    protocol: entry.protocol,
    source: formatIpv4(entry.source),
    sourceWildcard: formatIpv4(entry.sourceWildcard),
    destination: formatIpv4(entry.destination),
    destinationWildcard: formatIpv4(entry.destinationWildcard),
    sourcePort: entry.sourcePort,
    destinationPort: entry.destinationPort,
    hits,
  };
}

/** Hits of every entry of a list, in one pass; null when the packet path does not have it. */
function hitsByEntry(tables: Tables | null, hits: readonly number[], list: string, entries: number): number[] | null {
  const sums = new Array<number>(entries).fill(0);
  let found = false;
  tables?.aceOrigins.forEach((origin, row) => {
    if (origin.list !== list) return;
    found = true;
    sums[origin.entry] += hits[row] ?? 0;
  });
  return found ? sums : null;
}

/** Configured lists, with the hits of those that NAT and policy routing ask. Those of groups are counted beside the group's policy. */
export function accessListStates(config: Config, tables: Tables | null, hits: readonly number[]): AccessListState[] {
  return [...config.accessLists.values()].map(({ name, kind, entries }) => {
    const counted = [natOrigin(name), policyOrigin(name)]
      .map((origin) => hitsByEntry(tables, hits, origin, entries.length))
      .reduce((sum, more) => (sum && more ? sum.map((value, index) => value + more[index]) : (sum ?? more)), null);
    return { name, kind, entries: entries.map((entry, index) => aceState(entry, entry.sequence, counted?.[index] ?? null)) };
  });
}
