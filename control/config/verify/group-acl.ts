// The access list of a group's SA, as far as the wire can carry it: each entry becomes one SA TEK payload (RFC 6407 §5.5) with a
// source and a destination ID payload, that is an address or subnet, one protocol and one port each (0 = any).

import { findOverlap } from '../acl-overlap.js';
import { formatIpv4, wildcardToPrefixLength } from '../addresses.js';
import type { AccessList, AclEntry, Config, GdoiGroup, GdoiServer } from '../model.js';
import { refuseBeyondCrypto } from './access-lists.js';
import type { Findings } from './findings.js';

/** IOS documents 100 permit entries for a group. */
const UsualEntries = 100;
/** What the key server takes: with more ACEs a rekey no longer fits one UDP datagram beside its keys. */
export const MostEntries = 400;
/** UDP, and the port of GDOI (RFC 6407 §2.2). */
const Udp = 17;
const GdoiPort = 848;
/** Bounds the search for registrations that would be encrypted. */
const MostMembersTried = 200;

export function verifyGroupList(list: AccessList, owner: object, findings: Findings): void {
  if (list.kind !== 'extended') {
    findings.error(owner, 'matchAddress', `access list ${list.name} is a standard one: a group needs an extended one`);
    return;
  }
  if (!list.entries.some((entry) => entry.action === 'permit'))
    findings.error(owner, 'matchAddress', `access list ${list.name} permits nothing`);
  if (list.entries.length > MostEntries) {
    findings.error(
      list,
      '',
      `access list ${list.name} has ${list.entries.length} entries: more than ${MostEntries} do not fit in a rekey message`,
    );
    return;
  }
  if (list.entries.length > UsualEntries)
    findings.warning(list, '', `access list ${list.name} has ${list.entries.length} entries: IOS members take ${UsualEntries}`);
  for (const entry of list.entries) verifyEntry(list, entry, findings);
  refuseBeyondCrypto(list, 'a group policy', findings);
}

function verifyEntry(list: AccessList, entry: AclEntry, findings: Findings): void {
  for (const [end, wildcard] of [
    ['source', entry.sourceWildcard],
    ['destination', entry.destinationWildcard],
  ] as const) {
    if (wildcardToPrefixLength(wildcard) !== null) continue;
    const message = `the ${end} wildcard ${formatIpv4(wildcard)} is not contiguous: a group policy cannot carry it (RFC 6407 §5.5)`;
    findings.entry('error', list, entry, message, 'write one entry per subnet');
  }
  for (const match of [entry.sourcePort, entry.destinationPort]) {
    if (match === null || (match.operator === 'eq' && match.ports.length === 1)) continue;
    const message = `${match.operator === 'eq' ? 'several' : `"${match.operator}"`} ports: a group policy carries one port or all (RFC 6407 §5.5)`;
    findings.entry('error', list, entry, message, 'use eq, one entry per port');
  }
  if (entry.sourcePort?.ports.includes(0) || entry.destinationPort?.ports.includes(0)) {
    findings.entry('error', list, entry, 'port 0 means every port in a group policy (RFC 6407 §5.5)', 'leave the port out');
  }
}

interface Packet {
  protocol: number;
  source: number;
  sourcePort: number;
  destination: number;
  destinationPort: number;
}

function matchesPort(match: AclEntry['sourcePort'], port: number): boolean {
  return match === null || (match.operator === 'eq' && match.ports.includes(port));
}

function matches(entry: AclEntry, packet: Packet): boolean {
  return (
    (entry.protocol === null || entry.protocol === packet.protocol) &&
    ((entry.source ^ packet.source) & ~entry.sourceWildcard) === 0 &&
    ((entry.destination ^ packet.destination) & ~entry.destinationWildcard) === 0 &&
    matchesPort(entry.sourcePort, packet.sourcePort) &&
    matchesPort(entry.destinationPort, packet.destinationPort)
  );
}

/**
 * Warns when the list would encrypt the group's own registrations and rekeys. Tried with the addresses that are known: the key
 * server's, and those of members that have their own pre-shared key, or else that the list itself names.
 */
export function verifyGdoiStaysClear(config: Config, server: GdoiServer, list: AccessList, findings: Findings): void {
  const own =
    server.address !== null
      ? [server.address]
      : [...config.interfaces.values()].flatMap((item) => item.addresses.map((entry) => entry.address));
  const keyed = config.isakmpKeys.filter((key) => key.mask === 0xffffffff).map((key) => key.address);
  const named = list.entries.filter((entry) => entry.action === 'permit').flatMap((entry) => [entry.source, entry.destination]);
  const members = [...new Set(keyed.length > 0 ? keyed : named)].slice(0, MostMembersTried);
  for (const local of own) {
    for (const member of members) {
      if (member === local) continue;
      for (const [source, destination] of [
        [local, member],
        [member, local],
      ]) {
        const packet = { protocol: Udp, source, sourcePort: GdoiPort, destination, destinationPort: GdoiPort };
        const first = list.entries.find((entry) => matches(entry, packet));
        if (first?.action !== 'permit') continue;
        const message = `encrypts GDOI itself (UDP 848 from ${formatIpv4(source)} to ${formatIpv4(destination)}): members could not register`;
        findings.entry('warning', list, first, message, 'put "deny udp any eq 848 any eq 848" in front of it');
        return;
      }
    }
  }
}

/** Two SAs of one group must not want the same packet: which of them takes it would depend on the member. */
export function verifySasApart(config: Config, group: GdoiGroup, server: GdoiServer, findings: Findings): void {
  const sas = [...server.sas.values()].map((sa) => ({ sa, list: config.accessLists.get(sa.matchAddress ?? '') }));
  sas.forEach(({ sa, list }, at) => {
    for (const other of sas.slice(0, at)) {
      const clash = findOverlap(boundedEntries(list), boundedEntries(other.list));
      if (!list || !clash) continue;
      const message = `sa ipsec ${sa.sequence} of group ${group.name} protects traffic of sa ipsec ${other.sa.sequence} too`;
      findings.entry('error', list, clash.a, message, `see access list ${other.list?.name}`);
    }
  });
}

function boundedEntries(list: AccessList | undefined): AclEntry[] {
  return list && list.entries.length <= MostEntries ? list.entries : [];
}

/** A member that is in two groups with the same traffic refuses the second: which key takes a packet must not depend on the order of its crypto map. */
export function verifyGroupsApart(config: Config, findings: Findings): void {
  const groups = [...config.gdoiGroups.values()].flatMap(({ name, server }) =>
    server
      ? [{ name, entries: [...server.sas.values()].flatMap((sa) => boundedEntries(config.accessLists.get(sa.matchAddress ?? ''))), server }]
      : [],
  );
  groups.forEach(({ name, entries, server }, at) => {
    for (const other of groups.slice(0, at)) {
      if (!findOverlap(entries, other.entries)) continue;
      const message = `groups ${other.name} and ${name} protect the same traffic: no router can be a member of both`;
      findings.warning(server, '', message, 'that is right only when no member is configured with both');
    }
  });
}
