// What an entry of a route-map matches, as rows that the dataplane can ask; who uses the map (nat.ts) says what follows from a match.

import type { Config, RouteMapEntry } from '../config/model.js';
import { traceEntries } from './access-lists.js';
import type { TracedEntry } from './crypto-entries.js';

/** What the rows refer to. */
export interface RouteMapContext {
  config: Config;
  /** Port of a configured interface. */
  portOf(name: string): number;
  addAces(entries: readonly TracedEntry[]): AceRange;
}

/** Rows of a list in the table of ACEs; count -1 = every packet. */
export interface AceRange {
  first: number;
  count: number;
}

/** One of the ways in which an entry matches: a list permits the packet, and it leaves by a port (-1 = any). */
export interface EntryMatch {
  acl: AceRange;
  port: number;
}

export const AnyPacket: AceRange = { first: 0, count: -1 };
export const AnyPort = -1;

/** Rows of a list; null for one that is not there, which matches nothing. @param origin where hits are counted */
export function listRows(name: string, origin: string, { config, addAces }: RouteMapContext): AceRange | null {
  const list = config.accessLists.get(name);
  return list ? addAces(traceEntries(config, origin, list)) : null;
}

/** One for each list and interface that an entry names: one of them is enough. @param originOf where hits of a list are counted */
export function entryMatches(entry: RouteMapEntry, originOf: (list: string) => string, context: RouteMapContext): EntryMatch[] {
  const known = entry.matchInterfaces.filter((name) => context.config.interfaces.has(name));
  const ports = entry.matchInterfaces.length === 0 ? [AnyPort] : known.map((name) => context.portOf(name));
  const lists =
    entry.matchAddresses.length === 0 ? [AnyPacket] : entry.matchAddresses.map((name) => listRows(name, originOf(name), context));
  return lists.flatMap((acl) => (acl === null ? [] : ports.map((port) => ({ acl, port }))));
}
