// The kernel's forwarding table as the workers need it. Routing stays Linux's business (DESIGN §2): whatever put a route into main,
// FRR or dhclient or `ip route`, it is mirrored here. Pure. Does not: several next hops (the first that is alive is taken).

import type { FibRoute } from '../proto/fib.js';
import { type LinuxRoute, type LinuxState, RouteTable, RouteType } from './linux-state.js';
import { mainRoutes } from './routes.js';
import type { PortDevices } from './rules.js';

/** In order of preference, as buildFib wants them: `local` wins over main, as with the kernel's rules. */
export function mirrorFib(ports: readonly PortDevices[], state: LinuxState): FibRoute[] {
  const local = state.routes.filter((route) => route.table === RouteTable.Local).map((route) => toFibRoute(route, 'local', -1));
  const main = mainRoutes(state)
    .filter((route) => route.type !== RouteType.Throw)
    .map((route) => {
      if (route.type !== RouteType.Unicast) return toFibRoute(route, 'unreachable', -1);
      const port = ports.find(({ device }) => device === route.device)?.port;
      // Out of a netdev that is not ours: back to the kernel, which knows the way.
      return port === undefined ? toFibRoute(route, 'local', -1) : toFibRoute(route, 'unicast', port);
    });
  return [...local, ...main];
}

function toFibRoute({ prefix, gateway }: LinuxRoute, kind: FibRoute['kind'], port: number): FibRoute {
  return { prefix: prefix.address, prefixLength: prefix.prefixLength, kind, port, nextHop: kind === 'unicast' ? gateway : 0 };
}

/** The host's own addresses, each once, those of our ports first. */
export function listLocalAddresses(ports: readonly PortDevices[], state: LinuxState): number[] {
  const devices = new Set(ports.map(({ device }) => device));
  const own = state.addresses.filter(({ address }) => address >>> 24 !== 127);
  const ordered = [...own.filter(({ device }) => devices.has(device)), ...own.filter(({ device }) => !devices.has(device))];
  return [...new Set(ordered.map(({ address }) => address))];
}
