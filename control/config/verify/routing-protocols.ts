// Traffic that keeps a network together and that a group must leave alone: neighbours that are no members could not read it, and a member could not
// hear them before it is registered.

import { findOverlap } from '../acl-overlap.js';
import type { AccessList } from '../model.js';
import type { Findings } from './findings.js';

/** Routing protocols by what they send to a link: protocol number, group, UDP port. PIM and IGMP among them: they say where multicast rekeys go. */
const protocols: readonly { name: string; deny: string; protocol: number; group: number; port: number | null }[] = [
  { name: 'OSPF', deny: 'deny ospf any any', protocol: 89, group: 0xe0000005, port: null },
  { name: 'EIGRP', deny: 'deny eigrp any any', protocol: 88, group: 0xe000000a, port: null },
  { name: 'RIP', deny: 'deny udp any any eq 520', protocol: 17, group: 0xe0000009, port: 520 },
  { name: 'PIM', deny: 'deny pim any any', protocol: 103, group: 0xe000000d, port: null },
  { name: 'IGMP', deny: 'deny igmp any any', protocol: 2, group: 0xe0000016, port: null },
];

/** Warns about the first permit that takes what routers say to their neighbours. */
export function verifyRoutingStaysClear(list: AccessList, findings: Findings): void {
  const taken = protocols.flatMap((item) => {
    const sent = {
      action: 'permit' as const,
      protocol: item.protocol,
      source: 0,
      sourceWildcard: 0xffffffff,
      destination: item.group,
      destinationWildcard: 0,
      sourcePort: null,
      destinationPort: item.port === null ? null : { operator: 'eq' as const, ports: [item.port] as [number] },
    };
    const clash = findOverlap(list.entries, [sent]);
    return clash ? [{ ...item, entry: clash.a }] : [];
  });
  if (taken.length === 0) return;
  const names = taken.map(({ name }) => name).join(', ');
  const hint = `in front of it: ${taken.map(({ deny }) => deny).join('; ')}`;
  findings.entry('warning', list, taken[0].entry, `encrypts ${names}: neighbours that are no members could not be heard`, hint);
}
