// Route-maps as `show` prints them, with what policy routing has matched.

import { PolicyCount } from '../../dataplane/counters/declare.js';
import type { PolicyState, RouteMapState } from '../api/snapshot-route-map.js';
import type { Tables } from '../compile/tables.js';
import { describeSet } from '../config/commands/route-map-set.js';
import type { Config, RouteMapEntry } from '../config/model.js';

type Matched = NonNullable<RouteMapState['matched']>;

/** Rows that an entry has, one for each interface; null = policy routing does not use it. */
function matchedBy({ name, sequence }: RouteMapEntry, tables: Tables | null, counters: readonly (readonly number[])[]): Matched | null {
  let sum: Matched | null = null;
  tables?.policyOrigins.forEach(({ entry }, row) => {
    if (entry.name !== name || entry.sequence !== sequence) return;
    sum ??= { packets: 0, bytes: 0 };
    sum.packets += counters[row]?.[PolicyCount.Packets] ?? 0;
    sum.bytes += counters[row]?.[PolicyCount.Bytes] ?? 0;
  });
  return sum;
}

/** @param counters PolicyCount by row */
export function routeMapStates(config: Config, tables: Tables | null, counters: readonly (readonly number[])[]): RouteMapState[] {
  return [...config.routeMaps.values()].flat().map((entry) => {
    const { name, sequence, action, description, matchAddresses, matchInterfaces, matchLength, set, continueTo } = entry;
    const matched = matchedBy(entry, tables, counters);
    return {
      name,
      sequence,
      action,
      description,
      accessLists: matchAddresses,
      interfaces: matchInterfaces,
      ...(matchLength && { length: matchLength }),
      ...(set && { set: describeSet(set) }),
      ...(continueTo !== undefined && { continueTo: continueTo === 'next' ? null : continueTo }),
      ...(matched && { matched }),
    };
  });
}

export function policyStates(config: Config): PolicyState[] {
  const local = config.localPolicy === undefined ? [] : [{ interface: null, routeMap: config.localPolicy }];
  const onInterfaces = [...config.interfaces.values()].flatMap(({ name, policy }) =>
    policy === undefined ? [] : [{ interface: name, routeMap: policy }],
  );
  return [...local, ...onInterfaces];
}
