// `show route-map`, `show ip policy`.

import type { PolicyState, RouteMapState } from '../../control/api/snapshot-route-map.js';

function renderEntry(entry: RouteMapState): string[] {
  const { name, action, sequence, description, accessLists, interfaces, length, set = [], continueTo, matched } = entry;
  const next = continueTo === null ? 'next entry' : `to sequence ${continueTo}`;
  return [
    `route-map ${name}, ${action}, sequence ${sequence}`,
    ...(description === null ? [] : ['  Description:', `    ${description}`]),
    '  Match clauses:',
    ...(accessLists.length > 0 ? [`    ip address (access-lists): ${accessLists.join(' ')}`] : []),
    ...(interfaces.length > 0 ? [`    interface ${interfaces.join(' ')}`] : []),
    ...(length ? [`    length ${length.join(' ')}`] : []),
    ...(continueTo === undefined ? [] : [`  Continue: ${next}`]),
    '  Set clauses:',
    ...set.map((line) => `    ${line}`),
    `  Policy routing matches: ${matched?.packets ?? 0} packets, ${matched?.bytes ?? 0} bytes`,
  ];
}

/** `show route-map [NAME]`, and `all`, which has headings. NAT's use of a map is in `show access-lists`: IOS counts policy routing here. */
export function renderRouteMaps(entries: readonly RouteMapState[], all: boolean): string[] {
  const lines = entries.flatMap(renderEntry);
  return all ? ['STATIC routemaps', ...lines, 'DYNAMIC routemaps', 'Current active dynamic routemaps = 0'] : lines;
}

const InterfaceColumn = 15;

/** `show ip policy`. */
export function renderPolicies(policies: readonly PolicyState[]): string[] {
  const row = (name: string, map: string): string => `${name.padEnd(InterfaceColumn - 1)} ${map}`;
  return [row('Interface', 'Route map'), ...policies.map(({ interface: name, routeMap }) => row(name ?? 'local', routeMap))];
}
