// The kernel's IPv4 neighbours of the Ethernet ports, as rows that hold a finished header. Resolving stays the kernel's business: what
// has no row leaves through the TUN, and that makes the kernel ask. Pure. Does not: IPv6, VLAN tags.

import { MaxNeighbours, NeighbourRow } from '../mem/shared.js';
import { isMulticast } from '../proto/ipv4.js';
import { formatAddress, parseAddress } from './addresses.js';
import { type LinuxLink, textOf } from './linux-state.js';
import type { PortDevices } from './rules.js';

export interface Neighbour {
  device: string;
  /** Unsigned. */
  address: number;
  mac: string;
  /** Nobody has confirmed it for a while (NUD_STALE). */
  stale: boolean;
}

/** States in which the kernel itself would send (NUD_VALID). */
const usable: ReadonlySet<unknown> = new Set(['REACHABLE', 'STALE', 'DELAY', 'PROBE', 'PERMANENT', 'NOARP']);
const macPattern = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;

/** @param value JSON of `ip -4 -j neigh show nud all` @returns those that can be sent to */
export function parseNeighbours(value: unknown): Neighbour[] {
  if (!Array.isArray(value)) throw new Error('ip -j neigh: not a list');
  return (value as (Record<string, unknown> | null)[]).flatMap((row) => {
    if (row === null) return [];
    const states = Array.isArray(row.state) ? (row.state as unknown[]) : [];
    if (typeof row.lladdr !== 'string' || !macPattern.test(row.lladdr) || !states.some((state) => usable.has(state))) return [];
    const address = parseAddress(textOf(row.dst, 'dst'));
    // The kernel keeps multicast and broadcast here too (NOARP): those are not for one host, and are not sent by us.
    if (isMulticast(address) || Number.parseInt(row.lladdr.slice(0, 2), 16) & 1) return [];
    return [{ device: textOf(row.dev, 'dev'), address, mac: row.lladdr, stale: states.includes('STALE') }];
  });
}

/** Does the driver send Ethernet frames to its neighbours? Multicast is sent past it, by a link of its own. */
export function needsNeighbours({ driver }: PortDevices): boolean {
  return driver === 'packet' || driver === 'xdp';
}

/** @returns NeighbourRow rows, the same for the same mapping; `left` = how many had no room */
export function planNeighbours(
  ports: readonly PortDevices[],
  neighbours: readonly Neighbour[],
  links: ReadonlyMap<string, LinuxLink>,
): { rows: Int32Array; left: number } {
  const portOf = new Map(ports.map(({ device, port }) => [device, port]));
  const unicast = new Set(ports.filter(needsNeighbours).map(({ device }) => device));
  const found = neighbours.flatMap(({ device, address, mac }) => {
    const port = portOf.get(device);
    const own = links.get(device);
    const isUsed = unicast.has(device) || address >= 0xe0000000;
    return port === undefined || !isUsed || !own?.up || !macPattern.test(own.mac)
      ? []
      : [{ port, address, words: headerWords(mac, own.mac) }];
  });
  found.sort((a, b) => a.port - b.port || a.address - b.address);
  const rows = new Int32Array(Math.min(found.length, MaxNeighbours) * NeighbourRow.Words);
  for (const [index, { port, address, words }] of found.slice(0, MaxNeighbours).entries())
    rows.set([port, address | 0, ...words], index * NeighbourRow.Words);
  return { rows, left: Math.max(0, found.length - MaxNeighbours) };
}

/** Destination and source MAC as three big-endian words. */
function headerWords(destination: string, source: string): number[] {
  const bytes = [...destination.split(':'), ...source.split(':')].map((digits) => Number.parseInt(digits, 16));
  return [0, 4, 8].map((at) => (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]);
}

/** The kernel does not see that we send to them, and would let them grow old: asks it to confirm what is stale. */
export function planProbes(ports: readonly PortDevices[], neighbours: readonly Neighbour[]): string[] {
  const devices = new Set(ports.filter(needsNeighbours).map(({ device }) => device));
  return neighbours
    .filter(({ device, stale }) => stale && devices.has(device))
    .slice(0, MaxNeighbours)
    .map(({ device, address }) => `neigh change ${formatAddress(address)} dev ${device} nud probe`);
}
