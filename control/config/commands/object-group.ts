// object-group network|service NAME: what entries of extended lists name in place of addresses and services. A group may name groups of its kind.
// Whether groups that are named exist, and that none contains itself, is for verify.

import { formatIpv4, maskToPrefixLength, prefixLengthToMask } from '../addresses.js';
import { integer, ipv4, restOfLine, word } from '../arguments.js';
import { type Block, block } from '../blocks.js';
import type { Config, NetworkGroup, NetworkMember, ObjectGroup, PortMatch, ServiceGroup, ServiceMember } from '../model.js';
import { ConfigError, type Edit, type Session } from '../session.js';
import { type Args, argument, keyword, type Node, refused } from '../tree.js';
import { icmpNodes, readIcmp } from './acl-options.js';
import { barePortNodes, describePorts, portNodes, readPorts } from './acl-ports.js';
import { describeIcmp } from './packet-names.js';
import { describeProtocol, protocolNumbers, tcpPorts, udpPorts } from './service-names.js';

type GroupMode = 'config-network-group' | 'config-service-group';
type Target = NetworkGroup | ServiceGroup;
interface GroupEdit {
  session: Session;
  target: Target;
}

/** Names that mean one number for TCP and UDP. */
const commonPorts = new Map([...tcpPorts].filter(([name, port]) => udpPorts.get(name) === port));
const PrefixLength = 32;

/** `/24`, as IOS takes it in place of a mask. */
const slashLength = {
  label: '/nn',
  read(words: readonly { text: string }[], index: number) {
    const { text } = words[index];
    const value = text.startsWith('/') ? integer(0, PrefixLength).read([{ text: text.slice(1), column: 0 }], 0, text) : null;
    return value && { value: prefixLengthToMask(Number(value.value)), used: 1 };
  },
};

function readNetwork(args: Args, line: number): NetworkMember {
  if (args.has('group')) return { line, kind: 'group', name: args.text('group') };
  if (args.has('any')) return { line, kind: 'network', address: 0, wildcard: 0xffffffff };
  if (args.has('first')) {
    const [first, last] = [args.number('first'), args.number('last')];
    if (last < first) throw new ConfigError(`range ${formatIpv4(first)} ${formatIpv4(last)}: the first address is above the second`);
    return { line, kind: 'range', first, last };
  }
  const mask = args.optionalNumber('mask') ?? 0xffffffff;
  if (maskToPrefixLength(mask) === null)
    throw new ConfigError(`Bad mask ${formatIpv4(mask)}`, 'a network object group takes a mask, not a wildcard: 255.255.255.0');
  return { line, kind: 'network', address: (args.number('address') & mask) >>> 0, wildcard: ~mask >>> 0 };
}

function readService(args: Args, line: number): ServiceMember {
  if (args.has('group')) return { line, kind: 'group', name: args.text('group') };
  const protocol = args.has('tcpUdp') ? 'tcp-udp' : args.optionalNumber('protocol');
  return {
    line,
    kind: 'service',
    protocol,
    sourcePort: readPorts(args, 'source'),
    destinationPort: readPorts(args, 'destination'),
    icmp: readIcmp(args),
  };
}

function describeNetwork(member: NetworkMember): string {
  if (member.kind === 'group') return `group-object ${member.name}`;
  if (member.kind === 'range') return `range ${formatIpv4(member.first)} ${formatIpv4(member.last)}`;
  if (member.wildcard === 0xffffffff) return 'any';
  if (member.wildcard === 0) return `host ${formatIpv4(member.address)}`;
  return `${formatIpv4(member.address)} ${formatIpv4(~member.wildcard >>> 0)}`;
}

function describeServicePorts(match: PortMatch | null, protocol: number | 'tcp-udp' | null): string {
  if (protocol !== 'tcp-udp' || match === null) return describePorts(match, protocol as number | null);
  const name = (port: number) => [...commonPorts].find(([, number]) => number === port)?.[0] ?? String(port);
  return ` ${match.operator} ${match.ports.map(name).join(' ')}`;
}

function describeService(member: ServiceMember): string {
  if (member.kind === 'group') return `group-object ${member.name}`;
  const { protocol, sourcePort, destinationPort, icmp } = member;
  const source = sourcePort === null ? '' : ` source${describeServicePorts(sourcePort, protocol)}`;
  const message = icmp === null ? '' : ` ${describeIcmp(icmp.type, icmp.code)}`;
  return `${protocol === 'tcp-udp' ? protocol : describeProtocol(protocol)}${source}${describeServicePorts(destinationPort, protocol)}${message}`;
}

/** The lines of a group, as they are configured. */
export function describeMembers(group: ObjectGroup): string[] {
  return group.kind === 'network' ? group.members.map(describeNetwork) : group.members.map(describeService);
}

function addMember(args: Args, { session, target }: GroupEdit): void {
  const member = target.kind === 'network' ? readNetwork(args, session.line) : readService(args, session.line);
  if (member.kind === 'group' && member.name === target.name) throw new ConfigError(`object group ${target.name} would contain itself`);
  const made = { ...target, members: [member] } as ObjectGroup;
  if (!describeMembers(target).includes(describeMembers(made)[0])) (target.members as (NetworkMember | ServiceMember)[]).push(member);
}

function removeMember(args: Args, { session, target }: GroupEdit): void {
  const member = target.kind === 'network' ? readNetwork(args, session.line) : readService(args, session.line);
  const wanted = describeMembers({ ...target, members: [member] } as ObjectGroup)[0];
  const at = describeMembers(target).indexOf(wanted);
  if (at < 0) session.warnAbsent(wanted);
  else target.members.splice(at, 1);
}

const ends = { run: addMember, no: removeMember };

const commonNodes: Node<GroupEdit>[] = [
  keyword('description', 'Object group description', {
    commit: true,
    no: (_, { target }) => {
      target.description = null;
    },
    next: [
      argument('text', restOfLine(200), 'Up to 200 characters describing this object group', {
        run: (args, { target }) => {
          target.description = args.text('text');
        },
      }),
    ],
  }),
  keyword('group-object', 'Nested object group', { commit: true, next: [argument('group', word(64), 'Name of the nested group', ends)] }),
];

const networkNodes: Node<GroupEdit>[] = [
  ...commonNodes,
  keyword('any', 'Any host', { commit: true, set: ['any', 1], ...ends }),
  keyword('host', 'A single host', { commit: true, next: [argument('address', ipv4, 'Host address', ends)] }),
  keyword('range', 'Range of addresses', {
    commit: true,
    next: [argument('first', ipv4, 'Lowest address', { next: [argument('last', ipv4, 'Highest address', ends)] })],
  }),
  argument('address', ipv4, 'Network address', {
    commit: true,
    next: [argument('mask', ipv4, 'Network mask', ends), argument('mask', slashLength, 'Prefix length', ends)],
  }),
];

function withPorts(names: Map<string, number>): Node<GroupEdit>[] {
  const spec = { names, run: addMember };
  const destination = [
    ...portNodes<GroupEdit>('destination', { ...spec, next: [] }, 1),
    ...barePortNodes<GroupEdit>('destination', { ...spec, next: [] }),
  ];
  const source = { ...spec, next: destination };
  return removable([
    keyword('source', 'Source port', {
      next: [...portNodes<GroupEdit>('source', source, 1), ...barePortNodes<GroupEdit>('source', source)],
    }),
    ...destination,
  ]);
}

/** The same nodes, with `no` wherever a line may end. */
function removable(nodes: Node<GroupEdit>[]): Node<GroupEdit>[] {
  return nodes.map((node) => ({ ...node, no: node.run ? removeMember : null, next: () => removable(node.next()) }));
}

const serviceNext = new Map<number, Node<GroupEdit>[]>([
  [1, removable(icmpNodes<GroupEdit>(addMember, []))],
  [6, withPorts(tcpPorts)],
  [17, withPorts(udpPorts)],
]);
const serviceNodes: Node<GroupEdit>[] = [
  ...commonNodes,
  keyword('ip', 'Any Internet Protocol', { commit: true, ...ends }),
  keyword('tcp-udp', 'TCP and UDP', { commit: true, set: ['tcpUdp', 1], ...ends, next: withPorts(commonPorts) }),
  ...[...protocolNumbers].map(([name, number]) =>
    keyword<GroupEdit>(name, `IP protocol ${number}`, { commit: true, set: ['protocol', number], ...ends, next: serviceNext.get(number) }),
  ),
  argument('protocol', integer(1, 255), 'An IP protocol number', { commit: true, ...ends }),
];

/** Commands inside a group. */
export const networkGroupCommands = networkNodes as unknown as Node<Edit<'config-network-group'>>[];
export const serviceGroupCommands = serviceNodes as unknown as Node<Edit<'config-service-group'>>[];

function enterGroup(kind: ObjectGroup['kind']): (args: Args, edit: Edit<'config'>) => void {
  return (args, { session, target }) => {
    const name = args.text('name');
    let group = target.objectGroups.get(name);
    if (group && group.kind !== kind) throw new ConfigError(`object group ${name} is a ${group.kind} group already`);
    if (!group) {
      group = { line: session.line, name, kind, description: null, members: [] } as ObjectGroup;
      session.mark(group, '');
      target.objectGroups.set(name, group);
    }
    const mode: GroupMode = kind === 'network' ? 'config-network-group' : 'config-service-group';
    session.enter(mode, group as NetworkGroup & ServiceGroup, `object-group ${kind} ${name}`);
  };
}

function removeGroup(kind: ObjectGroup['kind']): (args: Args, edit: Edit<'config'>) => void {
  return (args, { session, target }) => {
    const name = args.text('name');
    if (target.objectGroups.get(name)?.kind !== kind) return session.warnAbsent(`object-group ${kind} ${name}`);
    target.objectGroups.delete(name);
    session.forgetLinesIn([`object-group ${kind} ${name}`]);
  };
}

export const objectGroupCommands: Node<Edit<'config'>>[] = [
  keyword('object-group', 'Object group', {
    commit: true,
    next: [
      ...(['network', 'service'] as const).map((kind) =>
        keyword<Edit<'config'>>(kind, `${kind === 'network' ? 'Network' : 'Service'} object group`, {
          next: [argument('name', word(64), 'Object-group name', { run: enterGroup(kind), no: removeGroup(kind) })],
        }),
      ),
      ...['fqdn', 'geo', 'security', 'v6-network', 'v6-service'].map((kind) =>
        refused<Edit<'config'>>(kind, `object-group ${kind} is not supported`, 'network and service are'),
      ),
    ],
  }),
];

export function printObjectGroups(config: Config): Block[] {
  return [...config.objectGroups.values()].map((group) =>
    block(
      `object-group ${group.kind} ${group.name}`,
      group.description !== null && `description ${group.description}`,
      ...describeMembers(group),
    ),
  );
}
