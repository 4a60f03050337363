// Access lists and object groups, whoever uses them: that groups are there and end, that entries do not become more than fit, that lists for groups
// and crypto maps say nothing that only a filter can do, and that lists on interfaces let the VPN's own traffic in.

import { AllOnes, formatIpv4 } from '../addresses.js';
import { describeOptions } from '../commands/acl-options.js';
import type { AccessList, AclEntry, Config, InterfaceConfig, ObjectGroup } from '../model.js';
import { countExpanded, expandEntry, namesGroups } from '../object-groups.js';
import { containsItself } from './containment.js';
import type { Findings } from './findings.js';

/** What the packet path takes of all lists together (Cap.Aces of dataplane/tables/layout.ts). */
const MostRows = 4096;
const Udp = 17;
const GdoiPort = 848;

function verifyGroup(config: Config, group: ObjectGroup, findings: Findings): void {
  if (group.members.length === 0) findings.warning(group, '', `object group ${group.name} is empty: entries that name it match nothing`);
  for (const member of group.members) {
    if (member.kind !== 'group') continue;
    const other = config.objectGroups.get(member.name);
    if (other?.kind !== group.kind)
      findings.error(group, '', `there is no ${group.kind} object group ${member.name} for ${group.name} to contain`);
  }
  if (containsItself(group.name, (name) => groupsIn(config, name))) findings.error(group, '', `object group ${group.name} contains itself`);
}

function groupsIn(config: Config, name: string): string[] {
  return (config.objectGroups.get(name)?.members ?? []).flatMap((member) => (member.kind === 'group' ? [member.name] : []));
}

function verifyGroupsOf(config: Config, list: AccessList, entry: AclEntry, findings: Findings): void {
  const named = [
    ['service', entry.serviceGroup],
    ['network', entry.sourceGroup],
    ['network', entry.destinationGroup],
  ] as const;
  for (const [kind, name] of named)
    if (name !== undefined && config.objectGroups.get(name)?.kind !== kind)
      findings.entry('error', list, entry, `there is no ${kind} object group ${name}`, `object-group ${kind} ${name}`);
  const entries = countExpanded(config, entry);
  if (entries > MostRows)
    findings.entry(
      'error',
      list,
      entry,
      `its object groups make ${entries} entries of it: more than ${MostRows} do not fit`,
      'summarise networks',
    );
}

/** What an entry says that a group's policy and a crypto map cannot: in the words of the line. */
export function beyondCrypto(entry: Omit<AclEntry, 'line' | 'sequence'>): string[] {
  const { log, ...asked } = entry;
  const words = describeOptions(asked).trim();
  return [...(words === '' ? [] : [words]), ...(namesGroups(entry) ? ['object-group'] : []), ...(log ? [log] : [])];
}

/** @param use what the list is for, as in "a group policy" */
export function refuseBeyondCrypto(list: AccessList, use: string, findings: Findings): void {
  for (const entry of list.entries)
    for (const words of beyondCrypto(entry))
      findings.entry('error', list, entry, `"${words}" cannot be in ${use}: it is made of protocol, addresses and ports`, 'leave it out');
}

/** Lists of members' own crypto maps and of fail-close. Those of a key server: group-acl.ts. */
function verifyCryptoLists(config: Config, findings: Findings): void {
  const names = [...config.cryptoMaps.values(), ...config.dynamicMaps.values()].flat().map(({ matchAddress }) => matchAddress);
  for (const { matchAddress } of config.failClose.values()) names.push(matchAddress);
  for (const name of new Set(names)) {
    const list = config.accessLists.get(name ?? '');
    if (list) refuseBeyondCrypto(list, 'the access list of a crypto map', findings);
  }
}

function warnUnlogged(config: Config, findings: Findings): void {
  const filters = new Set([...config.interfaces.values()].flatMap(({ accessGroupIn, accessGroupOut }) => [accessGroupIn, accessGroupOut]));
  for (const list of config.accessLists.values()) {
    if (filters.has(list.name)) continue;
    const entry = list.entries.find(({ log }) => log !== undefined);
    if (entry)
      findings.entry(
        'warning',
        list,
        entry,
        `"${entry.log}" writes nothing: access list ${list.name} filters on no interface`,
        'ip access-group',
      );
  }
}

function takes(entry: AclEntry, server: number): boolean {
  const { protocol, source, sourceWildcard, destinationWildcard, sourcePort, destinationPort } = entry;
  const port = (match: AclEntry['sourcePort']) => match === null || (match.operator === 'eq' && match.ports.includes(GdoiPort));
  if (protocol !== null && protocol !== Udp) return false;
  return (
    ((source ^ server) & ~sourceWildcard) === 0 &&
    (destinationWildcard === AllOnes || entry.action === 'permit') &&
    port(sourcePort) &&
    port(destinationPort)
  );
}

/** As on IOS the list is asked about registrations too. Only what is sure is said: the first entry that takes them denies, or none does. */
function warnRegistrationDenied(config: Config, item: InterfaceConfig, findings: Findings): void {
  const list = config.accessLists.get(item.accessGroupIn ?? '');
  if (!list || list.entries.length === 0) return;
  const groups = (config.cryptoMaps.get(item.cryptoMap ?? '') ?? []).map(({ group }) => config.gdoiGroups.get(group ?? ''));
  for (const server of groups.flatMap((group) => group?.serverAddresses ?? [])) {
    const entries = list.entries.flatMap((entry) => (countExpanded(config, entry) > MostRows ? [] : expandEntry(config, entry)));
    if (entries.find((entry) => takes(entry, server))?.action === 'permit') continue;
    const hint = `permit udp host ${formatIpv4(server)} eq 848 any eq 848, in front of what denies it`;
    findings.warning(
      item,
      'accessGroupIn',
      `access list ${list.name} lets no GDOI of key server ${formatIpv4(server)} in: no registration, no rekey`,
      hint,
    );
    return;
  }
}

function verifyInterface(config: Config, item: InterfaceConfig, findings: Findings): void {
  for (const [direction, field] of [
    ['in', 'accessGroupIn'],
    ['out', 'accessGroupOut'],
  ] as const) {
    const name = item[field];
    if (name === undefined) continue;
    const list = config.accessLists.get(name);
    if (!list || list.entries.length === 0)
      findings.warning(
        item,
        field,
        `ip access-group ${name} ${direction}: access list ${name} ${list ? 'is empty' : 'does not exist'}, so everything passes`,
      );
  }
  warnRegistrationDenied(config, item, findings);
}

export function verifyAccessLists(config: Config, findings: Findings): void {
  for (const group of config.objectGroups.values()) verifyGroup(config, group, findings);
  for (const list of config.accessLists.values())
    for (const entry of list.entries) if (namesGroups(entry)) verifyGroupsOf(config, list, entry, findings);
  verifyCryptoLists(config, findings);
  warnUnlogged(config, findings);
  for (const item of config.interfaces.values()) verifyInterface(config, item, findings);
}
