// Interfaces and routes: the configuration beside what the dataplane sees of the netdevs.

import { dropTexts, PortCount } from '../../dataplane/counters/declare.js';
import { isSendDrop } from '../../dataplane/counters/drops.js';
import type { SnapshotHead, TunnelStatus } from '../../dataplane/tables/message.js';
import type { DropCell, InterfaceState, RouteState, TunnelState } from '../api/snapshot.js';
import type { Allocation } from '../compile/allocation.js';
import { interfacesByPort } from '../compile/interfaces-by-port.js';
import { formatIpv4, maskToPrefixLength } from '../config/addresses.js';
import { type Config, driverOf, type InterfaceConfig, type TunnelConfig } from '../config/model.js';
import { pathMtuOfTunnel } from './path-mtus.js';

/** Configured interfaces are always there, with zeroes when the dataplane or the netdev is not. */
export function interfaceStates(config: Config, allocation: Allocation, dataplane: SnapshotHead | null): InterfaceState[] {
  return [...config.interfaces.values()].map((item) => {
    const port = allocation.ports.take(item.name);
    const seen = dataplane?.interfaces.find((row) => row.port === port);
    const counters = dataplane?.ports[port] ?? new Array<number>(PortCount.Count).fill(0);
    const mtu = seen?.mtu ?? 1500;
    const device = deviceOf(item);
    const wanted = driverOf(item);
    const hasDriver = device !== null && item.tunnel === undefined;
    const driver = seen?.driver ?? wanted;
    return {
      name: item.name,
      device,
      description: item.description,
      hardware: item.tunnel ? 'Tunnel' : device === null ? 'Loopback' : `${driver} port on ${device}`,
      addresses: item.addresses.map(({ address, mask }) => `${formatIpv4(address)}/${maskToPrefixLength(mask) ?? 32}`),
      adminUp: !item.shutdown,
      up: seen?.up ?? false,
      mtu,
      ipMtu: Math.min(item.ipMtu ?? mtu, mtu),
      mac: seen?.mac || null,
      cryptoMap: item.cryptoMap,
      accessGroupIn: item.accessGroupIn ?? null,
      accessGroupOut: item.accessGroupOut ?? null,
      unreachables: item.unreachables ?? true,
      ...(item.adjustMss === undefined ? {} : { adjustMss: item.adjustMss }),
      driver: hasDriver ? driver : null,
      wantedDriver: hasDriver ? wanted : null,
      offloads: device !== null && (seen?.offloads ?? item.offload),
      moderationUs: seen?.moderationUs ?? null,
      ...(item.bandwidthKbps === undefined ? {} : { bandwidthKbps: item.bandwidthKbps }),
      ...(item.tunnel ? { tunnel: { ...tunnelState(item.tunnel, seen?.tunnel), pathMtu: pathMtuOfTunnel(dataplane, port) } } : {}),
      counters: {
        receivedPackets: counters[PortCount.RxPackets],
        receivedBytes: counters[PortCount.RxBytes],
        sentPackets: counters[PortCount.TxPackets],
        sentBytes: counters[PortCount.TxBytes],
        receiveDrops: counters[PortCount.RxDrops],
        sendDrops: counters[PortCount.TxDrops],
        mssLowered: counters[PortCount.MssLowered],
        mssMalformed: counters[PortCount.MssMalformed],
      },
      rates: null,
    };
  });
}

/** What was dropped, by port and reason. */
export function dropCells(config: Config, allocation: Allocation, dataplane: SnapshotHead | null): DropCell[] {
  const names = interfacesByPort(config, allocation);
  return (dataplane?.portDrops ?? []).flatMap((counts, port) =>
    counts.flatMap((packets, reason): DropCell[] =>
      packets === 0
        ? []
        : [
            {
              port,
              interface: names.get(port) ?? null,
              reason: dropTexts[reason].name,
              direction: isSendDrop(reason) ? 'send' : 'receive',
              packets,
            },
          ],
    ),
  );
}

function tunnelState(config: TunnelConfig, seen: TunnelStatus | undefined): TunnelState {
  const { sourceInterface, sourceAddress, destination, ...rest } = config;
  return {
    ...rest,
    sourceInterface,
    source: seen?.source ?? (sourceAddress === null ? null : formatIpv4(sourceAddress)),
    destination: destination === null ? null : formatIpv4(destination),
    state: seen?.state ?? 'unknown',
    recursions: seen?.recursions ?? 0,
  };
}

function deviceOf(item: InterfaceConfig): string | null {
  return item.linuxDevice ?? (item.name.startsWith('Loopback') ? null : item.name);
}

/** The kernel's routes, by IOS interface name where the netdev is configured. */
export function routeStates(config: Config, dataplane: SnapshotHead | null): RouteState[] {
  const names = new Map([...config.interfaces.values()].map((item) => [deviceOf(item), item.name]));
  return (dataplane?.routes ?? []).map((route) => ({
    prefix: route.prefix,
    via: route.via,
    interface: names.get(route.device) ?? route.device,
    protocol: route.protocol,
    ...preferenceOf(route),
  }));
}

/** Administrative distances of IOS: kernel routes have none, so a daemon's is what IOS would give that protocol. */
const distances: { [protocol: string]: number } = { eigrp: 90, ospf: 110, isis: 115, rip: 120, bgp: 20, dhcp: 254 };

/** `ip route` keeps its distance in the first byte of the metric (dataplane/port/static-routes.ts). */
function preferenceOf({ via, protocol, metric }: SnapshotHead['routes'][number]): { distance: number; metric: number } {
  if (via === null) return { distance: 0, metric };
  if (protocol === 'groupwire') return { distance: Math.max(1, metric >>> 24), metric: 0 };
  return { distance: distances[protocol] ?? 1, metric };
}
