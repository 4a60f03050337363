// The configuration's `ipsec-isakmp` entries as policies: one for each local address that an interface with the map gives it. An entry that is not
// complete is none (verify reports it).

import type { AclEntry, Config, CryptoMapEntry, InterfaceConfig, Ipv4, SiteToSite } from '../config/model.js';
import { type FlowPolicy, lifetimesOf, policyKey, usesExtended } from './flow-policy.js';
import { tunnelPolicies } from './tunnel-protection.js';

/** Of an interface with a crypto map: `crypto map M local-address`, else its own first one. null = it has none */
export function localAddressOf(config: Config, { cryptoMap, addresses }: InterfaceConfig): Ipv4 | null {
  const named = cryptoMap === null ? undefined : config.localAddresses.get(cryptoMap);
  const chosen = named === undefined ? addresses : (config.interfaces.get(named)?.addresses ?? []);
  return chosen[0]?.address ?? null;
}

/** A policy, and what `show` and the tables want to know of where it comes from. */
export interface ListedPolicy {
  policy: FlowPolicy;
  entry: CryptoMapEntry;
  /** Name of its access list; '' = none. */
  list: string;
}

/** Of the entry, else of its map. */
function profileOf({ mapProfiles }: Config, map: string, { isakmpProfile }: SiteToSite): Pick<FlowPolicy, 'profile'> {
  const profile = isakmpProfile ?? mapProfiles.get(map);
  return profile === undefined ? {} : { profile };
}

/** @returns null when something is missing */
function policyOfEntry(
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
    ...profileOf(config, name, ipsec),
    extended: usesExtended(config),
  };
}

/** @returns null when something is missing */
function policyOfTemplate(config: Config, at: CryptoMapEntry, template: CryptoMapEntry, local: Ipv4): FlowPolicy | null {
  const { ipsec, matchAddress, name, sequence } = template;
  if (!ipsec) return null;
  const suites = ipsec.transformSets.flatMap((set) => config.transformSets.get(set) ?? []);
  const list = config.accessLists.get(matchAddress ?? '');
  let entries: AclEntry[] | null = null;
  if (matchAddress !== null) {
    if (list?.kind !== 'extended') return null;
    entries = list.entries;
  }
  if (suites.length === 0) return null;
  return {
    map: at.name,
    sequence: at.sequence,
    dynamic: { name, sequence },
    local,
    peers: ipsec.peers,
    entries,
    suites,
    pfs: ipsec.pfs,
    ...lifetimesOf(config, ipsec.lifetimeSeconds, ipsec.lifetimeKilobytes),
    ...profileOf(config, at.name, ipsec),
    extended: usesExtended(config),
  };
}

/** Of one entry of a map: those of the dynamic map that it names, else its own. */
export function policiesOfEntry(config: Config, entry: CryptoMapEntry, local: Ipv4 | null): ListedPolicy[] {
  if (local === null) return [];
  const listed = (policy: FlowPolicy | null, from: CryptoMapEntry): ListedPolicy[] =>
    policy ? [{ policy, entry: from, list: from.matchAddress ?? '' }] : [];
  if (entry.ipsec) return listed(policyOfEntry(config, entry, entry.ipsec, local), entry);
  const templates = config.dynamicMaps.get(entry.dynamic ?? '') ?? [];
  return templates.flatMap((template) => listed(policyOfTemplate(config, entry, template, local), template));
}

/** Of tunnels first, then in order of interfaces and sequence. */
export function configuredPolicies(config: Config): FlowPolicy[] {
  const policies = new Map(tunnelPolicies(config).map((policy) => [policyKey(policy), policy]));
  for (const item of config.interfaces.values()) {
    const local = localAddressOf(config, item);
    if (item.cryptoMap === null || item.shutdown || local === null) continue;
    for (const entry of config.cryptoMaps.get(item.cryptoMap) ?? []) {
      for (const { policy } of policiesOfEntry(config, entry, local))
        if (!policies.has(policyKey(policy))) policies.set(policyKey(policy), policy);
    }
  }
  return [...policies.values()];
}
