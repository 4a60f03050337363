// Several groups at one member: two that protect one interface must not want the same traffic (IOS: overlapping ACLs are prohibited), for
// then the order of the crypto map would decide which key a packet gets, and the other group's members could not open it.

import { findOverlap } from '../config/acl-overlap.js';
import { formatIpv4, wildcardToPrefixLength } from '../config/addresses.js';
import type { Config } from '../config/model.js';
import { WireError } from '../isakmp/wire-error.js';
import type { PolicyEntry, Tek } from './group-policy.js';
import type { ReceivedPolicy } from './received-policy.js';

/** Other groups in the crypto maps of a group's interfaces. */
function neighboursOf(config: Config, group: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const { name, cryptoMap } of config.interfaces.values()) {
    const groups = (cryptoMap === null ? [] : (config.cryptoMaps.get(cryptoMap) ?? [])).map((entry) => entry.group);
    if (!groups.includes(group)) continue;
    for (const other of groups) if (other !== null && other !== group) found.set(other, name);
  }
  return found;
}

function describeEnd(address: number, wildcard: number): string {
  return wildcard === 0xffffffff ? 'any' : `${formatIpv4(address)}/${wildcardToPrefixLength(wildcard) ?? formatIpv4(wildcard)}`;
}

function describe(entry: PolicyEntry): string {
  const protocol = entry.protocol === null ? 'ip' : `protocol ${entry.protocol}`;
  return `${protocol} ${describeEnd(entry.source, entry.sourceWildcard)} to ${describeEnd(entry.destination, entry.destinationWildcard)}`;
}

/**
 * @param policy that a key server offers `group` @param teksOf TEKs that another group has now, newest last
 * @returns the policy @throws WireError that names the other group, the interface and what both want
 */
export function refuseOverlap(
  config: Config,
  policy: ReceivedPolicy,
  group: string,
  teksOf: (group: string) => readonly Tek[],
): ReceivedPolicy {
  const offered = policy.teks.flatMap(({ entries }) => entries);
  for (const [other, interfaceName] of neighboursOf(config, group)) {
    const held = new Map(teksOf(other).map((tek) => [tek.sa ?? 0, tek.entries]));
    const clash = findOverlap(offered, [...held.values()].flat());
    if (!clash) continue;
    const both = `${describe(clash.a)} and ${describe(clash.b)}`;
    const message = `the policy overlaps with that of group ${other}, which protects ${interfaceName} too: ${both}`;
    throw new WireError('RFC 4301 §4.4.1', message, 'gdoi_policy_rejected');
  }
  return policy;
}
