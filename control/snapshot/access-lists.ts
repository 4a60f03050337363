// ACEs as `show` prints them, with the hits that the dataplane counted, wherever a list is used.

import type { AccessListState, AceState, ObjectGroupState } from '../api/snapshot.js';
import { filterOrigin } from '../compile/access-lists.js';
import { cryptoOrigin, failCloseOrigin, localOrigin } from '../compile/crypto-entries.js';
import { natOrigin } from '../compile/nat.js';
import { policyOrigin } from '../compile/policy.js';
import type { Tables } from '../compile/tables.js';
import { formatIpv4 } from '../config/addresses.js';
import { describeMembers } from '../config/commands/object-group.js';
import type { Config } from '../config/model.js';
import type { PolicyEntry } from '../gdoi/group-policy.js';

/** Hit counters of the entries of some lists, by entry, each once. @param lists as origins name them @returns null when the packet path has none of them */
export function countersOf(tables: Tables | null, lists: ReadonlySet<string>): Map<number, Set<number>> | null {
  const counters = new Map<number, Set<number>>();
  tables?.aceOrigins.forEach(({ list, entry }, row) => {
    if (!lists.has(list)) return;
    const own = counters.get(entry) ?? new Set();
    counters.set(entry, own.add(tables.aceCounters[row]));
  });
  return counters.size > 0 ? counters : null;
}

/** Sums hits of all rows that came from one entry of a list. @param hits by hit counter */
export function hitsOf(tables: Tables | null, hits: readonly number[], list: string, entry: number): number {
  const counters = new Set<number>();
  tables?.aceOrigins.forEach((origin, row) => {
    if (origin.list === list && origin.entry === entry) counters.add(tables.aceCounters[row]);
  });
  return sumOf(counters, hits);
}

function sumOf(counters: ReadonlySet<number> | undefined, hits: readonly number[]): number {
  let sum = 0;
  for (const counter of counters ?? []) sum += hits[counter] ?? 0;
  return sum;
}

export function aceState({ source, destination, ...entry }: PolicyEntry, sequence: number | null, hits: number | null): AceState {
  const { sourceWildcard, destinationWildcard, ...rest } = entry;
  return {
    ...rest,
    sequence,
    source: formatIpv4(source),
    sourceWildcard: formatIpv4(sourceWildcard),
    destination: formatIpv4(destination),
    destinationWildcard: formatIpv4(destinationWildcard),
    hits,
  };
}

/** Everything that asks a configured list in the packet path, as origins name it. */
export function originsOf(config: Config, list: string): Set<string> {
  const maps = [...config.cryptoMaps.values()].flat().filter(({ matchAddress, group }) => matchAddress === list && group !== null);
  const closed = [...config.failClose.values()].filter(({ matchAddress }) => matchAddress === list);
  return new Set([
    filterOrigin(list),
    natOrigin(list),
    policyOrigin(list),
    cryptoOrigin(list),
    ...maps.map(({ group }) => localOrigin(group ?? '')),
    ...closed.map(({ name }) => failCloseOrigin(name)),
  ]);
}

/** Configured lists with their hits, wherever they are asked. Those of a key server are counted beside the group's policy. */
export function accessListStates(config: Config, tables: Tables | null, hits: readonly number[]): AccessListState[] {
  const filters = new Set([...config.interfaces.values()].flatMap(({ accessGroupIn, accessGroupOut }) => [accessGroupIn, accessGroupOut]));
  return [...config.accessLists.values()].map(({ name, kind, entries }) => {
    const counters = countersOf(tables, originsOf(config, name));
    const states = entries.map(({ line: _line, sequence, ...entry }, index) =>
      aceState(entry, sequence, counters && sumOf(counters.get(index), hits)),
    );
    return { name, kind, filters: filters.has(name), entries: states };
  });
}

export function objectGroupStates(config: Config): ObjectGroupState[] {
  return [...config.objectGroups.values()].map((group) => ({
    name: group.name,
    kind: group.kind,
    description: group.description,
    members: describeMembers(group),
  }));
}
