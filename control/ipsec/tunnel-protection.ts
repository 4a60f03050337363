// `tunnel protection ipsec profile P`: GRE of a tunnel as a flow of its own between the tunnel's ends, as if IOS's `Tunnel0-head-0` were a crypto map. A tunnel
// whose source has no address yet, or whose profile is not complete, has none (verify reports it).

import type { AclEntry, Config, InterfaceConfig, Ipv4, TunnelConfig } from '../config/model.js';
import { type FlowPolicy, lifetimesOf, suitesOf } from './flow-policy.js';

/** As on IOS; entries of configured maps end at 65535. */
const Sequence = 65_536;
const GreProtocol = 47;

/** The map that IOS makes for it. */
export function protectionMap(tunnel: string): string {
  return `${tunnel}-head-0`;
}

/** @returns the outer source as far as the configuration tells; null = none */
export function tunnelSource(config: Config, { sourceAddress, sourceInterface }: TunnelConfig): Ipv4 | null {
  if (sourceInterface === null) return sourceAddress;
  return config.interfaces.get(sourceInterface)?.addresses[0]?.address ?? null;
}

function greBetween(source: Ipv4, destination: Ipv4): AclEntry {
  return {
    line: 0,
    sequence: 10,
    action: 'permit',
    protocol: GreProtocol,
    source,
    sourceWildcard: 0,
    destination,
    destinationWildcard: 0,
    sourcePort: null,
    destinationPort: null,
  };
}

/** @returns null when it is not protected, or something is missing */
export function policyOfTunnel(config: Config, { name, tunnel, shutdown }: InterfaceConfig): FlowPolicy | null {
  const profile = tunnel?.protection ? config.ipsecProfiles.get(tunnel.protection) : undefined;
  const local = tunnel ? tunnelSource(config, tunnel) : null;
  if (!tunnel || !profile || shutdown || local === null || tunnel.destination === null) return null;
  const suites = suitesOf(config, profile.transformSets);
  if (suites.length === 0) return null;
  return {
    map: protectionMap(name),
    sequence: Sequence,
    local,
    peers: [tunnel.destination],
    entries: [greBetween(local, tunnel.destination)],
    suites,
    pfs: profile.pfs,
    ...lifetimesOf(config, profile.lifetimeSeconds, null),
  };
}

/** In order of interfaces. */
export function tunnelPolicies(config: Config): FlowPolicy[] {
  return [...config.interfaces.values()].flatMap((item) => policyOfTunnel(config, item) ?? []);
}

/** Whether there is any, complete or not. */
export function protectsTunnels(config: Config): boolean {
  return [...config.interfaces.values()].some(({ tunnel }) => tunnel?.protection != null);
}
