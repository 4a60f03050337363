// Several groups at one member: two that protect one interface must not want the same traffic (IOS: overlapping ACLs are prohibited), for
// then the order of the crypto map would decide which key a packet gets, and the other group's members could not open it. And which of a new
// configuration's groups are those that were there.

import { findOverlap } from '../config/acl-overlap.js';
import { formatIpv4, wildcardToPrefixLength } from '../config/addresses.js';
import type { Config, CryptoMapEntry, GdoiGroup, Problem } from '../config/model.js';
import { sourceOf } from '../config/source-lines.js';
import { WireError } from '../isakmp/wire-error.js';
import { identityKey } from './codec/group-identity.js';
import type { PolicyEntry, Tek } from './group-policy.js';
import type { MemberGroup } from './member.js';
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

function describeEnd(address: number, wildcard: number, port: PolicyEntry['sourcePort']): string {
  const hosts = wildcard === 0xffffffff ? 'any' : `${formatIpv4(address)}/${wildcardToPrefixLength(wildcard) ?? formatIpv4(wildcard)}`;
  return port === null ? hosts : `${hosts} ${port.operator} ${port.ports.join(' ')}`;
}

function describe(entry: PolicyEntry): string {
  const protocol = entry.protocol === null ? 'ip' : `protocol ${entry.protocol}`;
  const from = describeEnd(entry.source, entry.sourceWildcard, entry.sourcePort);
  return `${protocol} ${from} to ${describeEnd(entry.destination, entry.destinationWildcard, entry.destinationPort)}`;
}

/** Of the newest TEK of each SA: what an old one that is still good denies says nothing about what the new one takes. @param teks newest last */
function entriesOf(teks: readonly Tek[]): PolicyEntry[] {
  return [...new Map(teks.map((tek) => [tek.sa ?? 0, tek.entries])).values()].flat();
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
  const offered = entriesOf(policy.teks);
  for (const [other, interfaceName] of neighboursOf(config, group)) {
    const clash = findOverlap(offered, entriesOf(teksOf(other)));
    if (!clash) continue;
    const both = `${describe(clash.a)} and ${describe(clash.b)}`;
    const message = `the policy overlaps with that of group ${other}, which protects ${interfaceName} too: ${both}`;
    throw new WireError('RFC 4301 §4.4.1', message, 'gdoi_policy_rejected');
  }
  return policy;
}

/** The groups that share an interface: each entry of a crypto map with those in front of it. */
function* neighbours(config: Config): Generator<{ interfaceName: string; entry: CryptoMapEntry; other: CryptoMapEntry }> {
  for (const { name, cryptoMap } of config.interfaces.values()) {
    const entries = cryptoMap === null ? [] : (config.cryptoMaps.get(cryptoMap) ?? []);
    for (const [at, entry] of entries.entries()) for (const other of entries.slice(0, at)) yield { interfaceName: name, entry, other };
  }
}

/**
 * Groups that are registered, and could not have registered under another configuration.
 * @param config that is to be applied @param teksOf TEKs that a group would keep under it
 * @returns an error at the `set group` line of the later of two; empty when all may stay
 */
export function overlapsUnder(config: Config, teksOf: (group: string) => readonly Tek[]): Problem[] {
  const problems: Problem[] = [];
  for (const { interfaceName, entry, other } of neighbours(config)) {
    if (entry.group === null || other.group === null || entry.group === other.group) continue;
    const clash = findOverlap(entriesOf(teksOf(other.group)), entriesOf(teksOf(entry.group)));
    if (!clash) continue;
    const both = `${describe(clash.a)} and ${describe(clash.b)}`;
    const message = `group ${entry.group} protects the same traffic as group ${other.group} on ${interfaceName}: ${both}`;
    const hint = 'one of them on another interface, or less traffic in its policy at the key server';
    problems.push({ ...sourceOf(entry, 'group'), severity: 'error', message, hint });
  }
  return problems;
}

/** Not of a key server. */
export function isMember(group: GdoiGroup): boolean {
  return group.server === null;
}

/** A group that changes its identity is another group. */
export function goesOn(member: MemberGroup, next: GdoiGroup): boolean {
  const before = member.config.identity;
  return isMember(next) && next.identity !== null && before !== null && identityKey(next.identity) === identityKey(before);
}
