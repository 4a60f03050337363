// Routes of ours in the kernel, as data: table T of each port (everything to its TUN), table R of those with raw sockets (everything
// is delivered), table L for the programs of the host, and table G for the kernel's check of gateways. Pure: what they should be and the commands that lead there. Does not: several next hops.

import { covers, formatAddress, formatPrefix, type Prefix, parsePrefix } from './addresses.js';
import { type LinuxAddress, type LinuxRoute, type LinuxState, OurProtocol, RouteTable, RouteType } from './linux-state.js';
import { isTunnel, type PortDevices, Table } from './rules.js';

/** RT_SCOPE_LINK, RT_SCOPE_HOST */
export const LinkScope = 253;
const HostScope = 254;

/** Texts as iproute2 takes them. Equal `key`: one replaces the other. */
export interface PlannedRoute {
  key: string;
  text: string;
}

export function planRoute(table: number, metric: number, type: string, prefix: string, path: string): PlannedRoute {
  const words = [type, prefix, path, metric > 0 ? `metric ${metric}` : '', `table ${table}`];
  return { key: `${table} ${prefix} ${metric}`, text: words.filter((word) => word !== '').join(' ') };
}

/**
 * Table T: what comes in on the device goes to its TUN. `throw` sends a lookup on to the next rule: broadcasts of the device's own
 * subnets stay with the host.
 */
export function planPortTable({ port, device, tun, driver }: PortDevices, state: LinuxState): PlannedRoute[] {
  if (isTunnel({ device, tun })) return [];
  const table = Table.FirstPort + port;
  const broadcasts = state.routes.filter(
    (route) => route.table === RouteTable.Local && route.type === RouteType.Broadcast && route.device === device,
  );
  const routes = [planRoute(table, 0, '', 'default', `dev ${tun} scope 0`)];
  // Table R. On the TUN and not on lo: with us it goes, and ESP finds its former way.
  if (driver === 'raw') routes.push(planRoute(Table.FirstRaw + port, 0, 'local', 'default', `dev ${tun} scope ${HostScope}`));
  for (const prefix of new Set(broadcasts.map((route) => formatPrefix(route.prefix))))
    routes.push(planRoute(table, 0, 'throw', prefix, ''));
  return routes;
}

/**
 * Table L, for programs of the host itself: main's routes with the port's TUN in place of the device and the source address that the
 * kernel would choose. What main sends elsewhere is thrown on to main, so that a default route here does not swallow it; so are
 * multicast and broadcast, which belong on the link.
 */
export function planProgramTable(ports: readonly PortDevices[], state: LinuxState): PlannedRoute[] {
  if (ports.length === 0) return [];
  const planned = new Map<string, PlannedRoute>();
  for (const prefix of ['224.0.0.0/4', '255.255.255.255']) {
    const route = planRoute(Table.Programs, 0, 'throw', prefix, '');
    planned.set(route.key, route);
  }
  for (const route of mainRoutes(state)) {
    const port = ports.find(({ device }) => device === route.device);
    const prefix = formatPrefix(route.prefix);
    const source = port ? chooseSource(route, state.addresses) : 0;
    const path = port ? `dev ${port.tun}${source ? ` src ${formatAddress(source)}` : ''} scope 0` : '';
    const entry = planRoute(Table.Programs, 0, port && route.type === RouteType.Unicast ? '' : 'throw', prefix, path);
    if (!planned.has(entry.key)) planned.set(entry.key, entry);
  }
  return [...planned.values()];
}

/**
 * Table G. When someone adds a route through a gateway, the kernel asks these rules, with `iif lo` and scope link, where the gateway is:
 * table L would answer with our TUN, and the leak guard may say that there is no way. So main's connected routes stand here with
 * scope link, each behind a `throw` of scope global: a packet's lookup (scope global) meets the throw and goes on to L, the check
 * skips the throw and finds the netdev. (A program with SO_DONTROUTE asks with scope link too, and stays outside the pipeline.)
 */
export function planGatewayTable(ports: readonly PortDevices[], state: LinuxState): PlannedRoute[] {
  if (ports.length === 0) return [];
  const planned = new Map<string, PlannedRoute>();
  for (const route of mainRoutes(state)) {
    if (route.type !== RouteType.Unicast || route.gateway !== 0 || route.device === null) continue;
    const prefix = formatPrefix(route.prefix);
    const passOn = planRoute(Table.Gateways, 1, 'throw', prefix, '');
    if (planned.has(passOn.key)) continue;
    const direct = planRoute(Table.Gateways, 2, '', prefix, `dev ${route.device} scope ${LinkScope}`);
    for (const entry of [passOn, direct]) planned.set(entry.key, entry);
  }
  return [...planned.values()];
}

/**
 * Table of the leak guard while ports are closed: main's routes, those out of closed ports as blackholes. It answers for every destination, so
 * that no route which main gets while nobody watches opens a way. @param closed netdevs of closed ports
 */
export function planClearTable(closed: ReadonlySet<string>, state: LinuxState): PlannedRoute[] {
  if (closed.size === 0) return [];
  const planned = new Map<string, PlannedRoute>();
  const add = (type: string, prefix: string, path: string): void => {
    const route = planRoute(Table.Clear, 0, type, prefix, path);
    if (!planned.has(route.key)) planned.set(route.key, route);
  };
  for (const route of mainRoutes(state)) {
    const { type, prefix, device } = route;
    if (type !== RouteType.Unicast || device === null || closed.has(device)) {
      add('blackhole', formatPrefix(prefix), '');
      continue;
    }
    add('', formatPrefix(prefix), pathOf(route));
  }
  add('blackhole', 'default', '');
  return [...planned.values()];
}

/** Live routes of main, the preferred one of equal prefixes first. */
export function mainRoutes(state: LinuxState): LinuxRoute[] {
  return state.routes.filter((route) => route.table === RouteTable.Main && route.alive).sort((a, b) => a.metric - b.metric);
}

/** As the kernel does (inet_select_addr): the route's own, else the address that shares a subnet with the next hop, else the first. */
function chooseSource(route: LinuxRoute, addresses: readonly LinuxAddress[]): number {
  if (route.source !== 0) return route.source;
  const own = addresses.filter((address) => address.device === route.device && !address.secondary);
  const near = own.find(({ address, prefixLength }) => covers(parsePrefix(`${formatAddress(address)}/${prefixLength}`), route.gateway));
  return (near ?? own[0])?.address ?? 0;
}

export function isSamePrefix(a: Prefix, b: Prefix): boolean {
  return a.address === b.address && a.prefixLength === b.prefixLength;
}

/** The router on a connected network that main's routes lead to, or the address itself on one. @param isOut routes that do not count @returns null = nothing leads there */
export function nextHopTo(address: number, state: LinuxState, isOut: (route: LinuxRoute) => boolean): number | null {
  const [lead] = mainRoutes(state)
    .filter((route) => route.type === RouteType.Unicast && covers(route.prefix, address) && !isOut(route))
    .sort((a, b) => b.prefix.prefixLength - a.prefix.prefixLength || a.metric - b.metric);
  return lead ? lead.gateway || address : null;
}

/** What of ours is there. A route of the same key that others made is not ours and is left alone. */
function ourRoutes(state: LinuxState): Map<string, LinuxRoute> {
  const ours = state.routes.filter((route) => route.protocol === OurProtocol);
  return new Map(ours.map((route) => [`${route.table} ${formatPrefix(route.prefix)} ${route.metric}`, route]));
}

const typeNames: { [type: number]: string } = {
  [RouteType.Local]: 'local',
  [RouteType.Blackhole]: 'blackhole',
  [RouteType.Throw]: 'throw',
};

/** Where it leads, in the order in which planRoute's callers write it. */
function pathOf(route: LinuxRoute): string {
  const via = route.gateway ? `via ${formatAddress(route.gateway)}` : '';
  // A blackhole of main has no device; the kernel may report one for it.
  const hasDevice = route.type === RouteType.Unicast || route.type === RouteType.Local;
  const device = hasDevice && route.device ? `dev ${route.device}` : '';
  const source = route.source ? `src ${formatAddress(route.source)}` : '';
  const scope = hasDevice && !route.gateway ? `scope ${route.scope}` : '';
  return [via, device, source, scope].filter((word) => word !== '').join(' ');
}

function formatActual(route: LinuxRoute): string {
  return planRoute(route.table, route.metric, typeNames[route.type] ?? '', formatPrefix(route.prefix), pathOf(route)).text;
}

/** A static route without an interface gets its device from the kernel: compare without it. */
function isSame(actual: LinuxRoute, wanted: string): boolean {
  const text = formatActual(actual);
  return text === wanted || (!wanted.includes(' dev ') && actual.gateway !== 0 && text.replace(/ dev \S+/, '') === wanted);
}

/** The changes. @param tables only routes of these tables are looked at */
export function diffRoutes(state: LinuxState, wanted: readonly PlannedRoute[], isMine: (table: number) => boolean): string[] {
  const ours = ourRoutes(state);
  const keys = new Set(wanted.map(({ key }) => key));
  const commands: string[] = [];
  for (const [key, route] of ours)
    if (isMine(route.table) && !keys.has(key)) commands.push(`route del ${formatActual(route)} protocol ${OurProtocol}`);
  for (const { key, text } of wanted) {
    const actual = ours.get(key);
    if (actual && isSame(actual, text)) continue;
    commands.push(`route ${actual ? 'replace' : 'add'} ${text} protocol ${OurProtocol}`);
  }
  return commands;
}
