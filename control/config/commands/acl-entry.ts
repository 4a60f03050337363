// One entry of an access list as text: permit|deny, protocol or service group, source, destination, ports, options (acl-options.ts).

import { AllOnes, formatIpv4 } from '../addresses.js';
import { integer, ipv4, word } from '../arguments.js';
import type { AccessList, AclEntry } from '../model.js';
import type { Edit } from '../session.js';
import { type Action, type Args, argument, keyword, type Node, refused } from '../tree.js';
import { describeOptions, icmpNodes, optionNodes, readOptions, standardOptionNodes } from './acl-options.js';
import { describePorts, type End, portNodes, readPorts } from './acl-ports.js';
import { describeProtocol, protocolNumbers, tcpPorts, udpPorts } from './service-names.js';

const Icmp = 1;
const Tcp = 6;
const Udp = 17;

const endHelp = { source: 'source host', destination: 'destination host' };

interface HostSpec<C> {
  next: Node<C>[];
  run?: Action<C>;
  /** An address alone is a host. */
  bareAddress?: boolean;
  groups?: boolean;
}

/** `any`, `host A`, `A WILDCARD`, `object-group G`; then `next`. */
function hostNodes<C>(end: End, { next, run, bareAddress = false, groups = true }: HostSpec<C>): Node<C>[] {
  return [
    keyword('any', `Any ${endHelp[end]}`, { set: [`${end}Any`, 1], next, run }),
    keyword('host', `A single ${endHelp[end]}`, { set: [`${end}Host`, 1], next: [argument(end, ipv4, 'Host address', { next, run })] }),
    groups
      ? keyword<C>('object-group', `${end === 'source' ? 'Source' : 'Destination'} network object group`, {
          next: [argument(`${end}Group`, word(64), 'Network object group name', { next, run })],
        })
      : refused<C>('object-group', 'object groups are for entries of an extended access list', 'ip access-list extended NAME'),
    argument(end, ipv4, 'Address', {
      run: bareAddress ? run : undefined,
      next: [argument(`${end}Wildcard`, ipv4, 'Wildcard bits', { next, run }), ...(bareAddress ? next : [])],
    }),
  ];
}

/** What follows `permit` or `deny` in an extended list. */
function extendedNodes<C>(run: Action<C>): Node<C>[] {
  const options = optionNodes<C>(run, false);
  const ends = (behind: Node<C>[]): Node<C>[] => hostNodes<C>('source', { next: hostNodes<C>('destination', { next: behind, run }) });
  const withPorts = (names: Map<string, number>, behind: Node<C>[]): Node<C>[] => {
    const next = [...portNodes('destination', { names, next: behind, run }), ...behind];
    const destination = hostNodes<C>('destination', { next, run });
    return hostNodes<C>('source', { next: [...portNodes('source', { names, next: destination, run: undefined }), ...destination] });
  };
  const plain = ends(options);
  const byNumber = new Map([
    [Icmp, ends([...icmpNodes(run, options), ...options])],
    [Tcp, withPorts(tcpPorts, optionNodes<C>(run, true))],
    [Udp, withPorts(udpPorts, options)],
  ]);
  return [
    keyword('ip', 'Any Internet Protocol', { next: plain }),
    ...[...protocolNumbers].map(([name, number]) =>
      keyword<C>(name, `IP protocol ${number}`, { set: ['protocol', number], next: byNumber.get(number) ?? plain }),
    ),
    keyword('object-group', 'Service object group', {
      next: [argument('serviceGroup', word(64), 'Service object group name', { next: plain })],
    }),
    argument('protocol', integer(1, 255), 'An IP protocol number', { next: plain }),
  ];
}

function standardNodes<C>(run: Action<C>): Node<C>[] {
  return hostNodes<C>('source', { next: standardOptionNodes<C>(run), run, bareAddress: true, groups: false });
}

/** `permit ...` and `deny ...` of a list kind. @param run for a whole entry @param no for `no permit ...` */
export function entryNodes<C>(kind: AccessList['kind'], run: Action<C>, no?: Action<C>): Node<C>[] {
  const next = kind === 'extended' ? extendedNodes<C>(run) : standardNodes<C>(run);
  return [
    keyword('deny', 'Specify packets to reject', { commit: true, set: ['action', 'deny'], no, next }),
    keyword('permit', 'Specify packets to forward', { commit: true, set: ['action', 'permit'], no, next }),
  ];
}

function readEnd(args: Args, end: End): { address: number; wildcard: number } {
  if (args.has(`${end}Any`) || !args.has(end)) return { address: 0, wildcard: AllOnes };
  const wildcard = args.has(`${end}Host`) ? 0 : (args.optionalNumber(`${end}Wildcard`) ?? 0);
  return { address: (args.number(end) & ~wildcard) >>> 0, wildcard };
}

/** The entry that a matched line stands for; its sequence is given by the list. @throws ConfigError for what excludes each other */
export function readEntry(args: Args, { session }: Edit<'config' | 'config-ext-nacl' | 'config-std-nacl'>): AclEntry {
  const source = readEnd(args, 'source');
  const destination = readEnd(args, 'destination');
  const ports = { sourcePort: readPorts(args, 'source'), destinationPort: readPorts(args, 'destination') };
  const entry: AclEntry = {
    line: session.line,
    sequence: 0,
    action: args.text('action') as AclEntry['action'],
    protocol: args.optionalNumber('protocol'),
    source: source.address,
    sourceWildcard: source.wildcard,
    destination: destination.address,
    destinationWildcard: destination.wildcard,
    ...ports,
    ...readOptions(args, ports.sourcePort !== null || ports.destinationPort !== null),
  };
  for (const name of ['serviceGroup', 'sourceGroup', 'destinationGroup'] as const) if (args.has(name)) entry[name] = args.text(name);
  return entry;
}

function describeHost(address: number, wildcard: number, group?: string): string {
  if (group !== undefined) return `object-group ${group}`;
  if (wildcard === AllOnes) return 'any';
  return wildcard === 0 ? `host ${formatIpv4(address)}` : `${formatIpv4(address)} ${formatIpv4(wildcard)}`;
}

/** The entry as IOS writes it, without its sequence number; also for `show access-lists`. */
export function describeEntry(entry: Omit<AclEntry, 'line' | 'sequence'>, kind: AccessList['kind'] = 'extended'): string {
  const source = describeHost(entry.source, entry.sourceWildcard, entry.sourceGroup);
  if (kind === 'standard') return `${entry.action} ${source}${describeOptions(entry)}`;
  const destination = describeHost(entry.destination, entry.destinationWildcard, entry.destinationGroup);
  const ports = [entry.sourcePort, entry.destinationPort].map((match) => describePorts(match, entry.protocol));
  const protocol = entry.serviceGroup === undefined ? describeProtocol(entry.protocol) : `object-group ${entry.serviceGroup}`;
  return `${entry.action} ${protocol} ${source}${ports[0]} ${destination}${ports[1]}${describeOptions(entry)}`;
}
