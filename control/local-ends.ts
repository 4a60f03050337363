// Where IKE listens and from where it speaks, as the configuration says.

import type { Config, Ipv4 } from './config/model.js';
import { protectsTunnels } from './ipsec/tunnel-protection.js';
import { GdoiPort, IkePort, NatPort } from './isakmp/ports.js';

function hasKeyServer(config: Config): boolean {
  return [...config.gdoiGroups.values()].some((group) => group.server !== null);
}

/** A key server answers main mode, and whoever has peers. */
export function acceptsOffers(config: Config): boolean {
  return hasKeyServer(config) || hasPeers(config);
}

/** Whether there is site-to-site IPsec. */
export function hasPeers(config: Config): boolean {
  return protectsTunnels(config) || [...config.cryptoMaps.values()].flat().some(({ kind }) => kind === 'ipsec-isakmp');
}

/** Those of every interface. */
export function listenAddresses(config: Config): Ipv4[] {
  return [...config.interfaces.values()].filter((item) => !item.shutdown).flatMap((item) => item.addresses.map(({ address }) => address));
}

/** Of every listen address. 500 where offers are answered, and from where peers are asked: a member of a group begins its exchanges itself, on 848. */
export function listenPorts(config: Config): number[] {
  return [GdoiPort, ...(acceptsOffers(config) ? [IkePort] : []), ...(config.isakmp.natTraversal ? [NatPort] : [])];
}

/** Source towards a key server: the interface that the group names (`client registration interface`), else the one whose crypto map names a group of that server, else the first with an address. */
export function localAddressFor(config: Config, remote: Ipv4, registrationInterface: string | undefined): Ipv4 | null {
  if (registrationInterface !== undefined) return config.interfaces.get(registrationInterface)?.addresses[0]?.address ?? null;
  let fallback: Ipv4 | null = null;
  for (const item of config.interfaces.values()) {
    const address = item.addresses[0]?.address;
    if (address === undefined || item.shutdown) continue;
    fallback ??= address;
    const entries = item.cryptoMap === null ? [] : (config.cryptoMaps.get(item.cryptoMap) ?? []);
    for (const { group } of entries) if (group !== null && config.gdoiGroups.get(group)?.serverAddresses.includes(remote)) return address;
  }
  return fallback;
}
