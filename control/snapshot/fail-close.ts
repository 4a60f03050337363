// `show crypto map`: maps that are closed until their groups are registered.

import type { FailCloseState } from '../api/snapshot.js';
import type { ClosedMaps } from '../closed-maps.js';
import { entriesOf, failCloseOrigin } from '../compile/crypto-entries.js';
import type { Tables } from '../compile/tables.js';
import type { Config } from '../config/model.js';
import { aceState, hitsOf } from './access-lists.js';
import { interfacesOfMap } from './ipsec.js';

/** @param hits of each ACE row: an exception counts both ways */
export function failCloseStates(config: Config, closedMaps: ClosedMaps, tables: Tables | null, hits: readonly number[]): FailCloseState[] {
  return [...config.failClose.values()].map(({ name, activated, matchAddress }) => ({
    name,
    activated,
    closedInterfaces: closedMaps.has(name) ? interfacesOfMap(config, name) : [],
    aclName: matchAddress,
    acl: entriesOf(config, matchAddress).map((entry, index) =>
      aceState(entry, entry.sequence, hitsOf(tables, hits, failCloseOrigin(name), index)),
    ),
  }));
}
