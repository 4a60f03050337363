// Tunnel interfaces: ends that cannot be, two tunnels that the same packets would belong to, settings of a netdev that is ours.

import { tunnelSource } from '../../ipsec/tunnel-protection.js';
import { formatIpv4 } from '../addresses.js';
import type { Config, InterfaceConfig, TunnelConfig } from '../model.js';
import type { Findings } from './findings.js';
import { ownAddresses } from './own-addresses.js';
import { warnWithoutKey } from './site-to-site.js';

/** The netdev of a tunnel is made by this router. */
export function verifyTunnelDevice(item: InterfaceConfig, findings: Findings): void {
  if (item.linuxDevice !== null)
    findings.error(item, 'linuxDevice', `the Linux device of ${item.name} is made by this router and has its name`, 'remove linux-device');
  if (item.portDriver !== null) findings.error(item, 'portDriver', `${item.name} has no port driver`, 'remove port-driver');
  if (item.cryptoMap !== null)
    findings.error(
      item,
      'cryptoMap',
      `a crypto map on ${item.name} is not supported`,
      'apply it to the outside interface, with a list that permits gre',
    );
}

function verifySource(config: Config, item: InterfaceConfig, tunnel: TunnelConfig, own: ReadonlyMap<number, string>, findings: Findings) {
  const { sourceInterface, sourceAddress } = tunnel;
  if (sourceInterface !== null) {
    if (sourceInterface === item.name) findings.error(item, 'tunnel source', `${item.name} cannot be its own source`);
    else if (!config.interfaces.has(sourceInterface)) findings.error(item, 'tunnel source', `there is no interface ${sourceInterface}`);
  } else if (sourceAddress === null) {
    if (!item.shutdown) findings.warning(item, '', `${item.name} has no source: it stays down`, 'tunnel source INTERFACE or ADDRESS');
  } else if (!own.has(sourceAddress)) {
    findings.warning(item, 'tunnel source', `${formatIpv4(sourceAddress)} is the address of no interface: ${item.name} is down without it`);
  }
}

function verifyDestination(
  item: InterfaceConfig,
  { destination }: TunnelConfig,
  own: ReadonlyMap<number, string>,
  findings: Findings,
): void {
  if (destination === null) {
    if (!item.shutdown) findings.warning(item, '', `${item.name} has no destination: it stays down`, 'tunnel destination ADDRESS');
    return;
  }
  const owner = own.get(destination);
  const top = destination >>> 24;
  if (owner !== undefined)
    findings.error(item, 'tunnel destination', `${formatIpv4(destination)} is this router (${owner}): a tunnel to itself carries nothing`);
  else if (top === 0 || top === 127 || top >= 224)
    findings.error(item, 'tunnel destination', `${formatIpv4(destination)} cannot be the other end of a tunnel`);
}

/** Outer fragments are put together nowhere (30-gre-decap). */
function warnLong(config: Config, item: InterfaceConfig, tunnel: TunnelConfig, own: ReadonlyMap<number, string>, findings: Findings): void {
  const name = tunnel.sourceInterface ?? (tunnel.sourceAddress === null ? undefined : own.get(tunnel.sourceAddress));
  const outside = name === undefined ? undefined : config.interfaces.get(name);
  if (item.ipMtu !== null || tunnel.protection !== null || item.shutdown || !outside || outside.cryptoMap === null) return;
  findings.warning(
    item,
    '',
    `${item.name} leaves by ${outside.name}, which has a crypto map: where that protects it, long packets become fragments that are lost`,
    'ip mtu 1400',
  );
}

function verifyProtection(config: Config, item: InterfaceConfig, tunnel: TunnelConfig, findings: Findings): void {
  if (tunnel.protection === null) return;
  const profile = config.ipsecProfiles.get(tunnel.protection);
  if (!profile) findings.error(item, 'tunnel protection', `there is no crypto ipsec profile ${tunnel.protection}`);
  else if (profile.transformSets.length === 0)
    findings.error(profile, '', `profile ${profile.name} has no transform set`, 'set transform-set NAME');
  if (config.isakmpPolicies.length === 0)
    findings.error(item, 'tunnel protection', 'there is no crypto isakmp policy, so no phase 1 can be agreed', 'crypto isakmp policy 10');
  if (tunnel.destination !== null) warnWithoutKey(config, item, 'tunnel destination', tunnel.destination, findings);
  const others = [...config.interfaces.values()].filter(
    (other) =>
      other !== item &&
      other.tunnel?.protection != null &&
      other.tunnel.destination === tunnel.destination &&
      tunnelSource(config, other.tunnel) === tunnelSource(config, tunnel),
  );
  if (others.length > 0 && tunnel.destination !== null)
    findings.error(item, 'tunnel protection', `${others[0].name} is protected between the same ends: its SAs could not be told apart`);
}

export function verifyTunnels(config: Config, findings: Findings): void {
  const own = new Map(ownAddresses(config).map(({ address, item }) => [address, item.name]));
  const seen = new Map<string, string>();
  for (const item of config.interfaces.values()) {
    const { tunnel } = item;
    if (!tunnel) continue;
    verifySource(config, item, tunnel, own, findings);
    warnLong(config, item, tunnel, own, findings);
    verifyDestination(item, tunnel, own, findings);
    verifyProtection(config, item, tunnel, findings);
    const source = tunnelSource(config, tunnel);
    if (source === null || tunnel.destination === null) continue;
    const ends = `${source} ${tunnel.destination} ${tunnel.key}`;
    const other = seen.get(ends);
    if (other !== undefined)
      findings.error(item, 'tunnel destination', `${other} has the same source, destination and key`, 'give both a tunnel key');
    seen.set(ends, item.name);
  }
}
