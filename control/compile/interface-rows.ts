// Interfaces and static routes as the dataplane is told of them (dataplane/tables/message.ts).

import type { InterfaceRow, StaticRouteRow, TunnelSpec } from '../../dataplane/tables/message.js';
import { maskToPrefixLength } from '../config/addresses.js';
import { type Config, driverOf, type InterfaceConfig, type TunnelConfig, type VirtualReassembly } from '../config/model.js';

/** Of a tunnel whose packets are encrypted and which has no `ip mtu`: GRE and ESP of any kind fit into 1500. */
const ProtectedMtu = 1400;

/** One configured interface. @param filters rows of its access lists */
export function interfaceRow(
  config: InterfaceConfig,
  port: number,
  { multicastRouting: multicast, ipsec }: Pick<Config, 'multicastRouting' | 'ipsec'>,
  filters: Pick<InterfaceRow, 'filterIn' | 'filterOut'>,
): InterfaceRow {
  return {
    port,
    name: config.name,
    device: config.linuxDevice ?? (config.name.startsWith('Loopback') ? null : config.name),
    driver: driverOf(config),
    driverChosen: config.portDriver !== null,
    offloads: config.offload,
    addresses: config.addresses.map(({ address, mask }) => ({ address, prefixLength: maskToPrefixLength(mask) ?? 32 })),
    ipMtu: config.ipMtu ?? (config.tunnel?.protection ? ProtectedMtu : null),
    shutdown: config.shutdown,
    groups: multicast ? config.staticGroups : [],
    nat: config.nat ?? null,
    ...(config.tunnel === undefined ? {} : { tunnel: tunnelSpec(config.tunnel) }),
    unreachables: config.unreachables ?? true,
    adjustMss: config.adjustMss ?? null,
    dfBit: config.dfBit ?? ipsec.dfBit ?? 'copy',
    cutSealed: (config.fragmentation ?? ipsec.fragmentation) === 'after-encryption',
    searchMtu: config.searchPathMtu === true,
    ...(config.virtualReassembly === undefined ? {} : { fragments: fragmentBounds(config.virtualReassembly) }),
    ...filters,
  };
}

function fragmentBounds(bounds: VirtualReassembly): NonNullable<InterfaceRow['fragments']> {
  const { maxDatagrams = 0, maxFragments = 0, timeoutSeconds = 0, dropFragments = false } = bounds;
  return { drop: dropFragments, maxDatagrams, maxFragments, timeoutSeconds };
}

function tunnelSpec({
  pathMtuDiscovery,
  pathMtuAger,
  pathMtuLeast,
  qosPreClassify,
  protection: _profile,
  ...rest
}: TunnelConfig): TunnelSpec {
  return {
    ...rest,
    copyDf: pathMtuDiscovery,
    ...(pathMtuAger === undefined ? {} : { agerSeconds: pathMtuAger === 'infinite' ? null : pathMtuAger * 60 }),
    ...(pathMtuLeast === undefined ? {} : { leastPathMtu: pathMtuLeast }),
    preClassify: qosPreClassify === true,
  };
}

/** `ip route` lines. */
export function routeRows(config: Config): StaticRouteRow[] {
  return config.staticRoutes.map((route) => ({
    prefix: route.prefix,
    prefixLength: maskToPrefixLength(route.mask) ?? 32,
    nextHop: route.nextHop,
    interface: route.interface,
    distance: route.distance,
  }));
}
