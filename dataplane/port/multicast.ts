// Static multicast groups: which ports get copies, and the Ethernet header that a group's frames have. Pure.

import { MaxGroups } from '../mem/shared.js';
import type { InterfaceRow } from '../tables/message.js';
import type { Neighbour } from './neighbours.js';
import type { PortDevices } from './rules.js';

/** Every group that some interface is given, ascending: what all ports listen for. */
export function listGroups(rows: readonly InterfaceRow[]): number[] {
  return [...new Set(rows.flatMap(({ groups, shutdown }) => (shutdown ? [] : groups)))].sort((a, b) => a - b);
}

/** Rows of GroupRow (mem/shared.ts). @param errors gets a line when there are too many */
export function planGroups(rows: readonly InterfaceRow[], errors: string[]): Int32Array {
  const groups = listGroups(rows);
  if (groups.length > MaxGroups) errors.push(`${groups.length} multicast groups: only ${MaxGroups} fit`);
  return Int32Array.from(
    groups
      .slice(0, MaxGroups)
      .flatMap((group) => [
        group | 0,
        rows.reduce((bits, row) => (!row.shutdown && row.groups.includes(group) ? bits | (1 << row.port) : bits), 0),
      ]),
  );
}

/** RFC 1112 §6.4: 01:00:5e and the low 23 bits of the group, on every port that sends it. */
export function groupNeighbours(rows: readonly InterfaceRow[], ports: readonly PortDevices[]): Neighbour[] {
  return rows.flatMap(({ port, groups }) => {
    const device = ports.find((open) => open.port === port)?.device;
    if (device === undefined) return [];
    return groups.map((address) => {
      const low = [(address >>> 16) & 0x7f, (address >>> 8) & 255, address & 255].map((byte) => byte.toString(16).padStart(2, '0'));
      return { device, address, mac: `01:00:5e:${low.join(':')}`, stale: false };
    });
  });
}
