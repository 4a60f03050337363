// `show access-lists`, `show ip access-lists`, `show ip interface` and `show object-group`. Of `show ip interface` only what is so here: lines of IOS
// about what we do not have (proxy ARP, NetFlow, WCCP) are left out.

import type { AccessListState, AceState, InterfaceState, ObjectGroupState, Snapshot } from '../../control/api/snapshot.js';
import { parseIpv4 } from '../../control/config/addresses.js';
import { describeEntry } from '../../control/config/commands/acl-entry.js';
import { countedSince } from './drops.js';

/** @param suffix `in` or `out`, for lists of an interface */
export function renderAccessList(list: AccessListState, suffix = ''): string[] {
  const kind = list.kind === 'standard' ? 'Standard' : 'Extended';
  return [`${kind} IP access list ${list.name}${suffix && ` ${suffix}`}`, ...list.entries.map((ace) => `    ${renderEntry(list, ace)}`)];
}

function renderEntry(list: AccessListState, ace: AceState): string {
  const sequence = ace.sequence === null ? '' : `${ace.sequence} `;
  const hits = ace.hits ? ` (${ace.hits} match${ace.hits === 1 ? '' : 'es'})` : '';
  return `${sequence}${list.kind === 'standard' ? renderStandard(ace) : renderExtended(ace)}${hits}`;
}

function renderStandard(ace: AceState): string {
  const source =
    ace.sourceWildcard === '255.255.255.255'
      ? 'any'
      : ace.sourceWildcard === '0.0.0.0'
        ? ace.source
        : `${ace.source}, wildcard bits ${ace.sourceWildcard}`;
  return `${ace.action.padEnd(6)} ${source}${ace.log ? ` ${ace.log}` : ''}`;
}

/** In the words of the configuration, with names of ports and messages. */
function renderExtended(ace: AceState): string {
  const address = (text: string) => parseIpv4(text) ?? 0;
  return describeEntry({
    ...ace,
    source: address(ace.source),
    sourceWildcard: address(ace.sourceWildcard),
    destination: address(ace.destination),
    destinationWildcard: address(ace.destinationWildcard),
  });
}

/** `show ip access-lists interface IF`. A list that does not exist is not shown: it filters nothing. */
export function renderInterfaceLists({ accessLists }: Snapshot, state: InterfaceState): string[] {
  const named = [
    [state.accessGroupIn, 'in'],
    [state.accessGroupOut, 'out'],
  ] as const;
  return named.flatMap(([name, direction]) =>
    accessLists.filter((list) => list.name === name).flatMap((list) => renderAccessList(list, direction)),
  );
}

/** `show ip interface [IF]`. */
export function renderIpInterface(state: InterfaceState, snapshot: Snapshot): string[] {
  const status = state.adminUp ? (state.up ? 'up' : 'down') : 'administratively down';
  const [primary, ...secondary] = state.addresses;
  const head = `${state.name} is ${status}, line protocol is ${state.up ? 'up' : 'down'}`;
  if (primary === undefined) return [head, '  Internet protocol processing disabled'];
  return [
    head,
    `  Internet address is ${primary}`,
    '  Broadcast address is 255.255.255.255',
    ...secondary.map((address) => `  Secondary address ${address}`),
    `  MTU is ${state.ipMtu} bytes`,
    `  Outgoing access list is ${state.accessGroupOut ?? 'not set'}`,
    `  Inbound  access list is ${state.accessGroupIn ?? 'not set'}`,
    '  ICMP redirects are never sent',
    `  ICMP unreachables are ${state.unreachables === false ? 'never' : 'always'} sent`,
    '  ICMP mask replies are never sent',
    ...describeMss(state, snapshot),
  ];
}

/** `ip tcp adjust-mss`. The counters are ours: IOS has none. */
function describeMss(state: InterfaceState, snapshot: Snapshot): string[] {
  if (state.adjustMss === undefined) return [];
  const { mssLowered = 0, mssMalformed = 0 } = countedSince(snapshot, state);
  return [`  TCP adjust-mss is ${state.adjustMss} bytes, ${mssLowered} SYNs lowered, ${mssMalformed} malformed`];
}

/** `show object-group [NAME]`. */
export function renderObjectGroup({ name, kind, description, members }: ObjectGroupState): string[] {
  const head = `${kind === 'network' ? 'Network' : 'Service'} object group ${name}`;
  return [head, ...(description === null ? [] : [` Description ${description}`]), ...members.map((member) => ` ${member}`)];
}
