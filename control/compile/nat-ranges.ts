// Addresses that are none of an interface and that NAT answers for: inside global ones of static translations and pools, virtual ones of
// `ip nat inside destination`, and outside local ones. The packet path takes what is for the former, the kernel answers ARP for both.

import { NatRangeFlag } from '../../dataplane/tables/layout.js';
import type { Config, NatStatic } from '../config/model.js';

export interface NatRange {
  /** Unsigned. */
  first: number;
  last: number;
  flags: number;
}

function rangeOf({ mask, noAlias }: NatStatic, address: number, side: number): NatRange {
  return { first: address, last: (address | ~mask) >>> 0, flags: side | (noAlias ? 0 : NatRangeFlag.Arp) };
}

function ofPool(config: Config, name: string, side: number): NatRange[] {
  const pool = config.nat.pools.find((candidate) => candidate.name === name);
  return pool ? [{ first: pool.first, last: pool.last, flags: side | NatRangeFlag.Arp }] : [];
}

/** Single destinations that a list permits. */
function virtualOf(config: Config, list: string): NatRange[] {
  const entries = config.accessLists.get(list)?.entries ?? [];
  return entries.flatMap(({ action, destination, destinationWildcard }) =>
    action === 'permit' && destinationWildcard === 0
      ? [{ first: destination, last: destination, flags: NatRangeFlag.Global | NatRangeFlag.Arp }]
      : [],
  );
}

/** @returns ascending, none overlaps another; an interface's own addresses are cut out */
export function natRanges(config: Config): NatRange[] {
  const { nat } = config;
  const local = 0;
  const found = [
    ...nat.statics.flatMap((item) => {
      if (item.side === 'outside') return [rangeOf(item, item.local, local)];
      return item.global === null ? [] : [rangeOf(item, item.global, NatRangeFlag.Global)];
    }),
    ...nat.statements.flatMap(({ pool }) => (pool === null ? [] : ofPool(config, pool, NatRangeFlag.Global))),
    ...nat.outsideSources.flatMap(({ pool }) => ofPool(config, pool, local)),
    ...nat.destinations.flatMap(({ list }) => virtualOf(config, list)),
  ];
  const own = [...config.interfaces.values()].flatMap(({ addresses }) => addresses.map(({ address }) => address));
  const cut = own.reduce((ranges, address) => ranges.flatMap((range) => without(range, address)), found);
  return merge(cut.sort((a, b) => a.first - b.first));
}

function without(range: NatRange, address: number): NatRange[] {
  if (address < range.first || address > range.last) return [range];
  return [
    { ...range, last: address - 1 },
    { ...range, first: address + 1 },
  ].filter(({ first, last }) => first <= last);
}

/** The first of two that overlap says what the common part is. */
function merge(sorted: readonly NatRange[]): NatRange[] {
  const merged: NatRange[] = [];
  for (const range of sorted) {
    const before = merged.at(-1);
    const first = before ? Math.max(range.first, before.last + 1) : range.first;
    if (first > range.last) continue;
    if (before && before.flags === range.flags && first === before.last + 1) before.last = range.last;
    else merged.push({ ...range, first });
  }
  return merged;
}
