// What is compiled of a router's groups: their keys, the sender IDs that are safe to use, the group's time, the direction.

import type { Ms } from './actions.js';
import type { SaDirection } from './compile/direction.js';
import type { GroupKeys } from './compile/tables.js';
import type { GdoiEngine } from './gdoi/gdoi-engine.js';
import type { GroupClocks } from './group-clocks.js';
import type { IvSpaces } from './iv-spaces.js';

interface Sources {
  gdoi: GdoiEngine;
  ivSpaces: IvSpaces;
  clocks: GroupClocks;
  directionOf(group: string): SaDirection | null;
}

/** @returns by name of the group */
export function groupKeysOf({ gdoi, ivSpaces, clocks, directionOf }: Sources, now: Ms): Map<string, GroupKeys> {
  const keys = new Map<string, GroupKeys>();
  for (const { name } of gdoi.memberGroups()) {
    const { teks, senderIds, pseudotime } = gdoi.policyOf(name);
    const values = senderIds?.values.filter((sid) => ivSpaces.usable(teks, sid)) ?? [];
    const pseudotimeOffset = clocks.offsetOf(name, pseudotime, now);
    keys.set(name, { teks, senderIds: senderIds ? { ...senderIds, values } : null, direction: directionOf(name), pseudotimeOffset });
  }
  return keys;
}
