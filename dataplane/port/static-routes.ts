// Routes of ours in main: the configuration's static ones, those to what IPsec peers protect (`reverse-route`), and those that NAT wants. Pure, as routes.ts.

import type { StaticRouteRow, TablesHead } from '../tables/message.js';
import { formatAddress, formatPrefix } from './addresses.js';
import { type LinuxRoute, type LinuxState, OurProtocol, RouteTable } from './linux-state.js';
import { planNatRoutes } from './nat-aliases.js';
import { isSamePrefix, LinkScope, nextHopTo, type PlannedRoute, planRoute } from './routes.js';

/**
 * The kernel prefers the least metric and knows no administrative distance; FRR's zebra takes the first byte of a kernel route's metric for it. So a
 * floating route stands behind those of routing daemons for both, and a plain one before them.
 */
function metricOf(distance: number): number {
  return distance === 1 ? 1 : distance * 2 ** 24;
}

/**
 * Recursive rows with the next hop that the other routes lead to: none of them leads to any peer, so that what they say depends on nothing that they made.
 * Those that nothing leads to are left out: they come when something does.
 */
function resolveRecursive(rows: readonly StaticRouteRow[], state: LinuxState): StaticRouteRow[] {
  const recursive = rows.filter((row) => row.recursive === true);
  const isOut = ({ protocol, prefix, metric }: LinuxRoute): boolean =>
    protocol === OurProtocol &&
    recursive.some(
      (row) => isSamePrefix({ address: row.prefix, prefixLength: row.prefixLength }, prefix) && metricOf(row.distance) === metric,
    );
  return rows.flatMap(({ recursive: isRecursive, ...row }) => {
    if (!isRecursive || row.nextHop === null) return [row];
    const nextHop = nextHopTo(row.nextHop, state, isOut);
    return nextHop === null ? [] : [{ ...row, nextHop }];
  });
}

/** @param deviceOf netdev of an IOS interface name, null when it has none now */
function planStaticRoutes(rows: readonly StaticRouteRow[], deviceOf: (name: string) => string | null, errors: string[]): PlannedRoute[] {
  const planned: PlannedRoute[] = [];
  for (const row of rows) {
    const prefix = formatPrefix({ address: row.prefix, prefixLength: row.prefixLength });
    const via = row.nextHop === null ? '' : `via ${formatAddress(row.nextHop)}`;
    const plan = (type: string, path: string) => planned.push(planRoute(RouteTable.Main, metricOf(row.distance), type, prefix, path));
    if (row.interface === null) plan('', via);
    else if (row.interface === 'Null0') plan('blackhole', '');
    else {
      const device = deviceOf(row.interface);
      if (device === null) errors.push(`ip route ${prefix}: interface ${row.interface} has no netdev`);
      else plan('', `${via} dev ${device}${via === '' ? ` scope ${LinkScope}` : ''}`.trim());
    }
  }
  return planned;
}

/** @param errors gets a line for each that cannot be */
export function planMainRoutes(
  head: Pick<TablesHead, 'interfaces' | 'staticRoutes' | 'nat'>,
  state: LinuxState,
  errors: string[],
): PlannedRoute[] {
  const deviceOf = (name: string): string | null => {
    const row = head.interfaces.find((candidate) => candidate.name === name);
    const device = row ? (row.device ?? 'lo') : name;
    return state.links.has(device) ? device : null;
  };
  const rows = [...resolveRecursive(head.staticRoutes, state), ...planNatRoutes(head.nat.routes, state, errors)];
  return planStaticRoutes(rows, deviceOf, errors);
}
