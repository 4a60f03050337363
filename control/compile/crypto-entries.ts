// The crypto entries of one interface: a row for each SA of each group, then the rows of a map that is closed.
//
// A group's policy is the lists of its SAs one behind the other, and the first entry that matches decides: a deny of an earlier SA keeps a
// packet from a later one too. So the row of each SA has the member's own list, the denies of the SAs before it, and its own entries;
// permits of earlier SAs need not be there, they have taken their packets in their own rows.

import { CryptoEntry, CryptoFlag } from '../../dataplane/tables/layout.js';
import type { Ms } from '../actions.js';
import type { AclEntry, Config, InterfaceConfig } from '../config/model.js';
import { isFailClosed } from '../config/verify/fail-close.js';
import type { PolicyEntry, Tek } from '../gdoi/group-policy.js';
import { acceptsClear, directionOf, type SaDirection } from './direction.js';
import { outboundTeks } from './outbound.js';
import type { SitePairs } from './pairs.js';

/** An entry and where `show` counts its hits. */
export interface TracedEntry {
  entry: PolicyEntry;
  origin: AceOrigin;
}

/** `list`: as the functions below name it, or the name of another list. */
export interface AceOrigin {
  list: string;
  entry: number;
}

/** The key server's entries of a group, all SAs. */
export function groupOrigin(group: string): string {
  return `group ${group}`;
}

/** The member's own entries in front of them. */
export function localOrigin(group: string): string {
  return `local ${group}`;
}

/** The list of a crypto map's entry of two gateways. */
export function cryptoOrigin(list: string): string {
  return `crypto ${list}`;
}

/** The exceptions of a closed map, and behind them what drops all else. */
export function failCloseOrigin(map: string): string {
  return `fail-close ${map}`;
}

/** Fail-close is activated and a group of the map has no usable keys. */
export function isClosed(config: Config, map: string, teksOf: (group: string) => readonly Tek[], now: Ms): boolean {
  const groups = (config.cryptoMaps.get(map) ?? []).map(({ group }) => group).filter((group) => group !== null);
  return isFailClosed(config, map) && groups.some((group) => outboundTeks(teksOf(group), now).length === 0);
}

/** What the rows refer to. */
export interface EntryContext {
  config: Config;
  now: Ms;
  teksOf(group: string): readonly Tek[];
  /** Names of the maps that are closed. */
  closedMaps: readonly string[];
  /** Chosen at this member; null = what the key server says. */
  directionOf(group: string): SaDirection | null;
  groupIndex(group: string): number;
  /** SA slot that may seal, -1 = none. */
  slotOf(tek: Tek): number;
  addAces(entries: readonly TracedEntry[]): { first: number; count: number };
  /** Flows between gateways. */
  sites: SitePairs;
}

/** Whatever it is. */
export const anything: PolicyEntry = {
  action: 'permit',
  protocol: null,
  source: 0,
  sourceWildcard: 0xffffffff,
  destination: 0,
  destinationWildcard: 0xffffffff,
  sourcePort: null,
  destinationPort: null,
};

/** A list whose hits are counted entry by entry. @param list where, as origins name it */
export function traceList(list: string, entries: readonly PolicyEntry[]): TracedEntry[] {
  return entries.map((entry, index) => ({ entry, origin: { list, entry: index } }));
}

/** The lists of a group's SAs, in order, as hits are counted. */
export function traceGroup(group: string, sending: readonly Tek[]): TracedEntry[][] {
  let index = 0;
  return sending.map(({ entries }) => entries.map((entry) => ({ entry, origin: { list: groupOrigin(group), entry: index++ } })));
}

/** The same packets on their way back. */
export function mirror({ entry, origin }: TracedEntry): TracedEntry {
  return {
    origin,
    entry: {
      ...entry,
      source: entry.destination,
      sourceWildcard: entry.destinationWildcard,
      sourcePort: entry.destinationPort,
      destination: entry.source,
      destinationWildcard: entry.sourceWildcard,
      destinationPort: entry.sourcePort,
    },
  };
}

/** @param list null = none is named; one that is not there has no entries */
export function entriesOf(config: Config, list: string | null): AclEntry[] {
  return list === null ? [] : (config.accessLists.get(list)?.entries ?? []);
}

function flagsOf(sending: Tek, group: string, context: EntryContext): number {
  const chosen = context.directionOf(group);
  const direction = directionOf(sending, chosen);
  const same = context.teksOf(group).filter((tek) => (tek.sa ?? 0) === (sending.sa ?? 0) && tek.expiresAt > context.now);
  const clear = acceptsClear(direction, same, chosen) ? CryptoFlag.AcceptClear : 0;
  return CryptoFlag.Registered | (direction === 'inbound-only' ? CryptoFlag.ReceiveOnly : 0) | clear;
}

/** @returns words of {@link CryptoEntry} rows, in the order in which they are tried */
export function compileEntries(item: InterfaceConfig, port: number, context: EntryContext): number[] {
  const words: number[] = item.tunnel ? [] : context.sites.protection(port);
  const { config } = context;
  const add = (group: number, outboundSa: number, flags: number, entries: readonly TracedEntry[]): void => {
    const row = new Array<number>(CryptoEntry.Words).fill(0);
    const acl = flags === 0 ? { first: 0, count: 0 } : context.addAces(entries);
    row[CryptoEntry.Port] = port;
    row[CryptoEntry.AclFirst] = acl.first;
    row[CryptoEntry.AclCount] = acl.count;
    row[CryptoEntry.OutboundSa] = outboundSa;
    row[CryptoEntry.Group] = group;
    row[CryptoEntry.Flags] = flags;
    words.push(...row);
  };
  const map = item.cryptoMap === null ? [] : (config.cryptoMaps.get(item.cryptoMap) ?? []);
  let group = 0;
  for (const entry of map) {
    if (entry.kind !== 'gdoi') words.push(...context.sites.entries(item, port, entry));
    if (entry.group === null) continue;
    group = context.groupIndex(entry.group);
    const sending = outboundTeks(context.teksOf(entry.group), context.now);
    if (sending.length === 0) add(group, -1, 0, []);
    const name = entry.group;
    const before = traceList(localOrigin(name), entriesOf(config, entry.matchAddress));
    const lists = traceGroup(name, sending);
    sending.forEach((tek, at) => {
      const kept = entry.qosPreClassify ? CryptoFlag.PreClassify : 0;
      add(group, context.slotOf(tek), flagsOf(tek, name, context) | kept, [...before, ...lists[at]]);
      before.push(...lists[at].filter(({ entry: { action } }) => action === 'deny'));
    });
  }
  if (item.cryptoMap === null || !context.closedMaps.includes(item.cryptoMap)) return words;
  const list = failCloseOrigin(item.cryptoMap);
  const exceptions = traceList(list, entriesOf(config, config.failClose.get(item.cryptoMap)?.matchAddress ?? null));
  const rest = { entry: anything, origin: { list, entry: exceptions.length } };
  add(group, -1, CryptoFlag.ClosedOut, [...exceptions, rest]);
  add(group, -1, CryptoFlag.ClosedIn, [...exceptions.map(mirror), rest]);
  return words;
}
