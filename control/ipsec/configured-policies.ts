// The configuration's `ipsec-isakmp` entries as policies: one for each local address that an interface with the map gives it. An entry that is not
// complete is none (verify reports it).

import type { AclEntry, Config, CryptoMapEntry, InterfaceConfig, Ipv4, SiteToSite } from '../config/model.js';
import { type FlowPolicy, lifetimesOf, policyKey, suitesOf } from './flow-policy.js';
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

/** Of the entry, else of the map that it stands in. */
export function profileOfEntry({ mapProfiles }: Config, map: string, { isakmpProfile }: SiteToSite): Pick<FlowPolicy, 'profile'> {
  const profile = isakmpProfile ?? mapProfiles.get(map);
  return profile === undefined ? {} : { profile };
}

/** The lines that say what is protected. @returns undefined when a list is named that is none */
function linesOf({ accessLists }: Config, matchAddress: string | null): AclEntry[] | null | undefined {
  if (matchAddress === null) return null;
  const list = accessLists.get(matchAddress);
  return list?.kind === 'extended' ? list.entries : undefined;
}

/** @param from what says so: the entry itself, or one of the dynamic map that it names @returns null when something is missing */
function policyOf(config: Config, at: CryptoMapEntry, from: CryptoMapEntry, local: Ipv4): FlowPolicy | null {
  const { ipsec, matchAddress, name, sequence } = from;
  const isDynamic = from !== at;
  const entries = linesOf(config, matchAddress);
  const suites = suitesOf(config, ipsec?.transformSets ?? []);
  if (!ipsec || entries === undefined || suites.length === 0) return null;
  if (!isDynamic && (entries === null || ipsec.peers.length === 0)) return null;
  return {
    map: at.name,
    sequence: at.sequence,
    ...(isDynamic && { dynamic: { name, sequence }, ...(config.isakmp.invalidSpiRecovery && { recovers: true }) }),
    local,
    peers: ipsec.peers,
    entries,
    suites,
    pfs: ipsec.pfs,
    ...lifetimesOf(config, ipsec.lifetimeSeconds, ipsec.lifetimeKilobytes),
    ...profileOfEntry(config, at.name, ipsec),
  };
}

/** Of one entry of a map: those of the dynamic map that it names, else its own. */
export function policiesOfEntry(config: Config, entry: CryptoMapEntry, local: Ipv4 | null): ListedPolicy[] {
  if (local === null) return [];
  const sources = entry.ipsec ? [entry] : (config.dynamicMaps.get(entry.dynamic ?? '') ?? []);
  return sources.flatMap((from) => {
    const policy = policyOf(config, entry, from, local);
    return policy ? [{ policy, entry: from, list: from.matchAddress ?? '' }] : [];
  });
}

/** Of the crypto maps on interfaces that are up, in order of interfaces and sequence. Two interfaces may have the same. */
export function listedPolicies(config: Config): ListedPolicy[] {
  return [...config.interfaces.values()]
    .filter(({ shutdown }) => !shutdown)
    .flatMap((item) =>
      (config.cryptoMaps.get(item.cryptoMap ?? '') ?? []).flatMap((entry) => policiesOfEntry(config, entry, localAddressOf(config, item))),
    );
}

/** Of tunnels first. */
export function configuredPolicies(config: Config): FlowPolicy[] {
  const policies = new Map(tunnelPolicies(config).map((policy) => [policyKey(policy), policy]));
  for (const { policy } of listedPolicies(config)) if (!policies.has(policyKey(policy))) policies.set(policyKey(policy), policy);
  return [...policies.values()];
}
