// Configured lists -> rows, with the entries that their object groups make of them; and the lists that interfaces filter by.

import type { InterfaceRow } from '../../dataplane/tables/message.js';
import type { AccessList, Config } from '../config/model.js';
import { expandEntry } from '../config/object-groups.js';
import type { TracedEntry } from './crypto-entries.js';

/** Where hits of a list are counted that interfaces filter by. */
export function filterOrigin(list: string): string {
  return `filter ${list}`;
}

/** @returns the list by that name; null: it is an origin of something else */
export function filteredList(origin: string): string | null {
  const head = filterOrigin('');
  return origin.startsWith(head) ? origin.slice(head.length) : null;
}

/** Every entry of a list, and what its object groups make of it: hits are counted entry by entry. @param origin where, as origins name it */
export function traceEntries(config: Config, origin: string, list: AccessList): TracedEntry[] {
  return list.entries.flatMap((entry, index) => {
    // Equal entries of equal lists share rows: their place in the text is not theirs.
    return expandEntry(config, entry).map(({ line: _line, sequence: _sequence, ...plain }) => ({
      entry: plain,
      origin: { list: origin, entry: index },
    }));
  });
}

/** @returns the rows of a list on an interface; null: everything passes, as on IOS also when the list does not exist or is empty */
export function filterRows(
  config: Config,
  name: string | undefined,
  addAces: (entries: readonly TracedEntry[]) => { first: number; count: number },
): InterfaceRow['filterIn'] {
  const list = config.accessLists.get(name ?? '');
  return list && list.entries.length > 0 ? addAces(traceEntries(config, filterOrigin(list.name), list)) : null;
}
