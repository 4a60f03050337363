// The address that a member registers from.

import type { Config, Ipv4 } from './config/model.js';

/** Source towards a key server: the interface whose crypto map names a group of that server, else the first with an address. */
export function chooseLocalAddress(config: Config, remote: Ipv4): Ipv4 | null {
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
