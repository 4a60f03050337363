// Tunnel interfaces: what their outer packets look like now, whether they can carry anything, and the netdev's MTU and carrier that tell the kernel and
// routing protocols so. Pure. A tunnel is up when its source is an address of this host and there is a route to its destination that does not
// lead through the tunnel itself, by whatever other tunnels (IOS: recursive routing).
// Does not: create netdevs (ports.ts), addresses.

import { PathMtuShape } from '../mem/path-mtus.js';
import { greBits, greHeaderLength } from '../proto/gre.js';
import { Cap, Tunnel, TunnelFlag, TunnelMode } from '../tables/layout.js';
import type { InterfaceRow, TunnelSpec, TunnelState } from '../tables/message.js';
import { covers } from './addresses.js';
import { type LinuxRoute, type LinuxState, RouteTable, RouteType } from './linux-state.js';
import { TxQueueLength } from './ports.js';

/** Outer IPv4 header. */
const OuterLen = 20;
/** What IOS takes for `min-mtu`. */
const LeastPathMtu = 92;
/** Of an egress that is unknown. */
const DefaultMtu = 1500;

export interface EvaluatedTunnel {
  port: number;
  device: string;
  state: TunnelState;
  /** Of the outer header; null = unknown. */
  source: number | null;
  /** Netdev by which outer packets leave; null = no route. */
  outDevice: string | null;
  /** `ip mtu`, or what the egress has room for. */
  mtu: number;
  keepalive: TunnelSpec['keepalive'];
}

type TunnelRow = InterfaceRow & { device: string; tunnel: TunnelSpec };

function tunnelsOf(rows: readonly InterfaceRow[]): TunnelRow[] {
  return rows.filter((row): row is TunnelRow => row.tunnel !== undefined && row.device !== null);
}

/** {@link TunnelFlag} */
function flagsOf({ checksum, key, sequence, copyDf }: TunnelSpec): number {
  return (
    (checksum ? TunnelFlag.Checksum : 0) |
    (key === null ? 0 : TunnelFlag.Key) |
    (sequence ? TunnelFlag.Sequence : 0) |
    (copyDf ? TunnelFlag.CopyDf : 0)
  );
}

/** Bytes of the GRE header that the tunnel sends. */
function greLength(tunnel: TunnelSpec): number {
  return greHeaderLength(greBits(flagsOf(tunnel)));
}

/** The route that the kernel would take if every tunnel were up: else a tunnel whose routes go when it is down would come up again at once. */
function findRoute(destination: number, state: LinuxState, tunnels: ReadonlySet<string>): LinuxRoute | null {
  let best: LinuxRoute | null = null;
  for (const route of state.routes) {
    const isUsable = route.alive || (route.device !== null && tunnels.has(route.device));
    if (route.table !== RouteTable.Main || !isUsable || !covers(route.prefix, destination)) continue;
    const longer = best === null || route.prefix.prefixLength > best.prefix.prefixLength;
    if (longer || (route.prefix.prefixLength === best?.prefix.prefixLength && route.metric < best.metric)) best = route;
  }
  return best?.type === RouteType.Unicast ? best : null;
}

function findSource({ tunnel }: TunnelRow, rows: readonly InterfaceRow[], state: LinuxState): number | null {
  if (tunnel.sourceInterface === null) {
    const isOwn = state.addresses.some(({ address }) => address === tunnel.sourceAddress);
    return isOwn ? tunnel.sourceAddress : null;
  }
  const row = rows.find(({ name }) => name === tunnel.sourceInterface);
  if (!row || row.shutdown) return null;
  const own = state.addresses.filter(({ device, secondary }) => device === (row.device ?? 'lo') && !secondary);
  const configured = own.find(({ address }) => address === row.addresses[0]?.address);
  return (configured ?? (row.device === null ? undefined : own[0]))?.address ?? null;
}

/** Follows the outer packets out of tunnels. `direct`: their first route; `egress`: the last. */
function findWay(first: TunnelRow, tunnels: readonly TunnelRow[], state: LinuxState): Way {
  const names = new Set(tunnels.map(({ device }) => device));
  const routeOf = ({ tunnel }: TunnelRow) => (tunnel.destination === null ? null : findRoute(tunnel.destination, state, names));
  const direct = routeOf(first);
  const seen = new Set<string>([first.device]);
  for (let route = direct; ; ) {
    const next = tunnels.find(({ device }) => device === route?.device);
    if (!next) return { direct, egress: route, isLoop: false };
    if (seen.has(next.device)) return { direct, egress: null, isLoop: true };
    seen.add(next.device);
    route = routeOf(next);
  }
}

/** null = there is no route. `isLoop`: they come back to where they were. */
interface Way {
  direct: LinuxRoute | null;
  egress: LinuxRoute | null;
  isLoop: boolean;
}

function evaluate(row: TunnelRow, rows: readonly InterfaceRow[], tunnels: readonly TunnelRow[], state: LinuxState): EvaluatedTunnel {
  const { port, device, tunnel } = row;
  const { destination } = tunnel;
  const source = findSource(row, rows, state);
  const { direct, egress, isLoop } = findWay(row, tunnels, state);
  const outDevice = direct?.device ?? null;
  const room = (outDevice === null || isLoop ? undefined : state.links.get(outDevice)?.mtu) ?? DefaultMtu;
  const mtu = row.ipMtu ?? Math.max(68, room - OuterLen - greLength(tunnel));
  const lineState = (): TunnelState => {
    if (row.shutdown) return 'shutdown';
    if (source === null) return 'no-source';
    if (destination === null) return 'no-destination';
    if (state.addresses.some(({ address }) => address === destination)) return 'destination-is-own';
    if (isLoop) return 'recursive';
    return egress === null ? 'no-route' : 'up';
  };
  return { port, device, state: lineState(), source, outDevice, mtu, keepalive: tunnel.keepalive };
}

/** @param rows of all interfaces */
export function evaluateTunnels(rows: readonly InterfaceRow[], state: LinuxState): EvaluatedTunnel[] {
  const tunnels = tunnelsOf(rows);
  return tunnels.map((row) => evaluate(row, rows, tunnels, state));
}

/** Commands that give the netdevs their MTU, and take the carrier from tunnels that are down: their routes count as dead then, and ospfd sees it. */
export function planTunnelLinks(tunnels: readonly EvaluatedTunnel[], linux: LinuxState): string[] {
  const commands: string[] = [];
  for (const { device, state, mtu } of tunnels) {
    const link = linux.links.get(device);
    if (!link) continue;
    if (link.mtu !== mtu) commands.push(`link set dev ${device} mtu ${mtu} txqueuelen ${TxQueueLength}`);
    if (link.up && link.carrier !== (state === 'up')) commands.push(`link set dev ${device} carrier ${state === 'up' ? 'on' : 'off'}`);
  }
  return commands;
}

/** Rows of {@link Tunnel}, one for each port that there may be; empty when no port is a tunnel. What is down is in them too, with its ends, if it has them. */
export function tunnelRows(rows: readonly InterfaceRow[], evaluated: readonly EvaluatedTunnel[]): Int32Array {
  const tunnels = tunnelsOf(rows);
  if (tunnels.length === 0) return new Int32Array(0);
  const words = new Int32Array(Cap.Ports * Tunnel.Words);
  for (const { port, tunnel } of tunnels) {
    const source = evaluated.find((candidate) => candidate.port === port)?.source ?? null;
    if (source === null || tunnel.destination === null) continue;
    const row = words.subarray(port * Tunnel.Words, (port + 1) * Tunnel.Words);
    row[Tunnel.Mode] = TunnelMode.Gre;
    row[Tunnel.Source] = source;
    row[Tunnel.Destination] = tunnel.destination;
    row[Tunnel.Flags] = flagsOf(tunnel);
    row[Tunnel.Key] = tunnel.key ?? 0;
    row[Tunnel.HeaderLen] = greLength(tunnel);
    row[Tunnel.Ttl] = tunnel.ttl;
    row[Tunnel.Tos] = tunnel.tos ?? -1;
    row[Tunnel.KeepaliveSeconds] = tunnel.keepalive?.seconds ?? 0;
    row[Tunnel.LeastMtu] = tunnel.leastPathMtu ?? LeastPathMtu;
    row[Tunnel.AgerSeconds] = tunnel.agerSeconds === null ? PathMtuShape.Never : (tunnel.agerSeconds ?? PathMtuShape.AgerSeconds);
    row[Tunnel.PreClassify] = Number(tunnel.preClassify);
  }
  return words;
}
