// The configuration's `ipsec-isakmp` entries as policies: one for each local address that an interface with the map gives it. An entry that is not
// complete is none (verify reports it).

import type { Config, CryptoMapEntry, InterfaceConfig, Ipv4, SiteToSite } from '../config/model.js';
import { type FlowPolicy, lifetimesOf, policyKey, usesExtended } from './flow-policy.js';
import { tunnelPolicies } from './tunnel-protection.js';

/** Of an interface with a crypto map: `crypto map M local-address`, else its own first one. null = it has none */
export function localAddressOf(config: Config, { cryptoMap, addresses }: InterfaceConfig): Ipv4 | null {
  const named = cryptoMap === null ? undefined : config.localAddresses.get(cryptoMap);
  const chosen = named === undefined ? addresses : (config.interfaces.get(named)?.addresses ?? []);
  return chosen[0]?.address ?? null;
}

/** @returns null when something is missing */
export function policyOfEntry(
  config: Config,
  { name, sequence, matchAddress }: CryptoMapEntry,
  ipsec: SiteToSite,
  local: Ipv4,
): FlowPolicy | null {
  const list = config.accessLists.get(matchAddress ?? '');
  const suites = ipsec.transformSets.flatMap((set) => config.transformSets.get(set) ?? []);
  if (list?.kind !== 'extended' || suites.length === 0 || ipsec.peers.length === 0) return null;
  const { lifetimeSeconds, lifetimeKilobytes } = ipsec;
  return {
    map: name,
    sequence,
    local,
    peers: ipsec.peers,
    entries: list.entries,
    suites,
    pfs: ipsec.pfs,
    ...lifetimesOf(config, lifetimeSeconds, lifetimeKilobytes),
    extended: usesExtended(config),
  };
}

/** Of tunnels first, then in order of interfaces and sequence. */
export function configuredPolicies(config: Config): FlowPolicy[] {
  const policies = new Map(tunnelPolicies(config).map((policy) => [policyKey(policy), policy]));
  for (const item of config.interfaces.values()) {
    const local = localAddressOf(config, item);
    if (item.cryptoMap === null || item.shutdown || local === null) continue;
    for (const entry of config.cryptoMaps.get(item.cryptoMap) ?? []) {
      const policy = entry.ipsec ? policyOfEntry(config, entry, entry.ipsec, local) : null;
      if (policy && !policies.has(policyKey(policy))) policies.set(policyKey(policy), policy);
    }
  }
  return [...policies.values()];
}
