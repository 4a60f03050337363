// One entry of an access list as text: permit|deny, protocol, source, destination, ports.
// Does not: established, ICMP types, dscp, precedence, tos, fragments, log, time ranges, object groups: each is an error where it is
// written, for an entry that matches more than its line says is a hole.

import { AllOnes, formatIpv4 } from '../addresses.js';
import { integer, ipv4 } from '../arguments.js';
import type { AccessList, AclEntry, PortMatch } from '../model.js';
import { ConfigError, type Edit } from '../session.js';
import { type Action, type Args, argument, keyword, type Node, refused } from '../tree.js';
import { describePort, describeProtocol, protocolNumbers, tcpPorts, udpPorts } from './service-names.js';

type End = 'source' | 'destination';
const Tcp = 6;
const Udp = 17;

const endHelp = { source: 'source host', destination: 'destination host' };

/** `any`, `host A`, `A WILDCARD`; then `next`. */
function hostNodes<C>(end: End, next: Node<C>[], run: Action<C> | undefined, bareAddress: boolean): Node<C>[] {
  return [
    keyword('any', `Any ${endHelp[end]}`, { set: [`${end}Any`, 1], next, run }),
    keyword('host', `A single ${endHelp[end]}`, { set: [`${end}Host`, 1], next: [argument(end, ipv4, 'Host address', { next, run })] }),
    refused('object-group', 'object groups are not supported', 'write one entry per network'),
    argument(end, ipv4, 'Address', {
      run: bareAddress ? run : undefined,
      next: [argument(`${end}Wildcard`, ipv4, 'Wildcard bits', { next, run })],
    }),
  ];
}

function portNodes<C>(end: End, names: Map<string, number>, next: Node<C>[], run: Action<C> | undefined): Node<C>[] {
  const port = (name: string, after: Node<C>[], end: Action<C> | undefined): Node<C>[] => [
    argument(name, integer(0, 65535), 'Port number', { next: after, run: end }),
    ...[...names].map(([word, number]) => keyword<C>(word, `Port ${number}`, { set: [name, number], next: after, run: end })),
  ];
  const operators = { eq: 'Match only packets on a given port number', neq: 'Match only packets not on a given port number' };
  const bounds = { gt: 'Match only packets with a greater port number', lt: 'Match only packets with a lower port number' };
  return [
    ...Object.entries({ ...operators, ...bounds }).map(([operator, help]) =>
      keyword<C>(operator, help, { set: [`${end}Operator`, operator], next: port(`${end}Port`, next, run) }),
    ),
    keyword('range', 'Match only packets in the range of port numbers', {
      set: [`${end}Operator`, 'range'],
      next: port(`${end}Port`, port(`${end}Port2`, next, run), undefined),
    }),
  ];
}

/** Options of IOS that would narrow an entry and that we do not have. */
function refusedOptions<C>(): Node<C>[] {
  const options = [
    'established',
    'dscp',
    'fragments',
    'log',
    'log-input',
    'option',
    'precedence',
    'reflect',
    'time-range',
    'tos',
    'ttl',
    'match-any',
    'match-all',
  ];
  const hint = 'remove it, or leave the entry out: without it the entry would match more than it says';
  return options.map((word) => refused<C>(word, `"${word}" in an access list entry is not supported yet`, hint));
}

/** What follows `permit` or `deny` in an extended list. */
function extendedNodes<C>(run: Action<C>): Node<C>[] {
  const options = refusedOptions<C>();
  const plain = hostNodes<C>('source', hostNodes<C>('destination', options, run, false), undefined, false);
  const withPorts = (names: Map<string, number>): Node<C>[] => {
    const destination = hostNodes<C>('destination', [...portNodes('destination', names, options, run), ...options], run, false);
    return hostNodes<C>('source', [...portNodes('source', names, destination, undefined), ...destination], undefined, false);
  };
  const byNumber = new Map([
    [Tcp, withPorts(tcpPorts)],
    [Udp, withPorts(udpPorts)],
  ]);
  return [
    keyword('ip', 'Any Internet Protocol', { next: plain }),
    ...[...protocolNumbers].map(([name, number]) =>
      keyword<C>(name, `IP protocol ${number}`, { set: ['protocol', number], next: byNumber.get(number) ?? plain }),
    ),
    argument('protocol', integer(1, 255), 'An IP protocol number', { next: plain }),
  ];
}

function standardNodes<C>(run: Action<C>): Node<C>[] {
  return hostNodes<C>('source', refusedOptions<C>(), run, true);
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

function readPorts(args: Args, end: End): PortMatch | null {
  const operator = args.optionalText(`${end}Operator`) as PortMatch['operator'] | null;
  if (operator === null) return null;
  const first = args.number(`${end}Port`);
  if (operator !== 'range') return { operator, ports: [first] };
  const last = args.number(`${end}Port2`);
  if (last < first) throw new ConfigError(`range ${first} ${last}: the first port is above the second`);
  return { operator, ports: [first, last] };
}

/** The entry that a matched line stands for; its sequence is given by the list. */
export function readEntry(args: Args, { session }: Edit<'config' | 'config-ext-nacl' | 'config-std-nacl'>): AclEntry {
  const source = readEnd(args, 'source');
  const destination = readEnd(args, 'destination');
  return {
    line: session.line,
    sequence: 0,
    action: args.text('action') as AclEntry['action'],
    protocol: args.optionalNumber('protocol'),
    source: source.address,
    sourceWildcard: source.wildcard,
    destination: destination.address,
    destinationWildcard: destination.wildcard,
    sourcePort: readPorts(args, 'source'),
    destinationPort: readPorts(args, 'destination'),
  };
}

function describeHost(address: number, wildcard: number): string {
  if (wildcard === AllOnes) return 'any';
  return wildcard === 0 ? `host ${formatIpv4(address)}` : `${formatIpv4(address)} ${formatIpv4(wildcard)}`;
}

function describePorts(match: PortMatch | null, protocol: number | null): string {
  return match === null ? '' : ` ${match.operator} ${match.ports.map((port) => describePort(port, protocol)).join(' ')}`;
}

/** The entry as IOS writes it, without its sequence number; also for `show access-lists`. */
export function describeEntry(entry: Omit<AclEntry, 'line' | 'sequence'>, kind: AccessList['kind'] = 'extended'): string {
  const source = describeHost(entry.source, entry.sourceWildcard);
  if (kind === 'standard') return `${entry.action} ${source}`;
  const destination = describeHost(entry.destination, entry.destinationWildcard);
  const ports = [entry.sourcePort, entry.destinationPort].map((match) => describePorts(match, entry.protocol));
  return `${entry.action} ${describeProtocol(entry.protocol)} ${source}${ports[0]} ${destination}${ports[1]}`;
}
