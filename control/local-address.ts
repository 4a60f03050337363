// From which of our addresses a key server is spoken to.

import type { Config, Ipv4 } from './config/model.js';

/** Source towards a key server: the interface that the group names, else the one whose crypto map names a group of that server, else the first with an address. */
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
