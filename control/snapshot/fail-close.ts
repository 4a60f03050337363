// `show crypto map`: maps that are closed until their groups are registered.

import type { Ms } from '../actions.js';
import type { FailCloseState } from '../api/snapshot.js';
import { entriesOf, failCloseOrigin, isClosed } from '../compile/crypto-entries.js';
import type { Tables } from '../compile/tables.js';
import type { Config } from '../config/model.js';
import type { Tek } from '../gdoi/group-policy.js';
import { aceState, hitsOf } from './access-lists.js';
import { interfacesOfMap } from './ipsec.js';

/** @param hits of each ACE row: an exception counts both ways */
export function failCloseStates(
  config: Config,
  teksOf: (group: string) => Tek[],
  tables: Tables | null,
  hits: readonly number[],
  now: Ms,
): FailCloseState[] {
  return [...config.failClose.values()].map(({ name, activated, matchAddress }) => ({
    name,
    activated,
    closedInterfaces: isClosed(config, name, teksOf, now) ? interfacesOfMap(config, name) : [],
    aclName: matchAddress,
    acl: entriesOf(config, matchAddress).map((entry, index) =>
      aceState(entry, entry.sequence, hitsOf(tables, hits, failCloseOrigin(name), index)),
    ),
  }));
}
