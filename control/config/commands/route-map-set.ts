// What follows from a match in a route-map: `set ...` and `continue`. For policy routing; who uses a map otherwise says in verify/ what it makes of
// it. Does not: recursive next hops, verify-availability (it asks CDP or an object that is tracked), `set default interface`, what rewrites routes.

import { formatIpv4 } from '../addresses.js';
import { integer, interfaceName, ipv4 } from '../arguments.js';
import { type Block, block } from '../blocks.js';
import type { RouteMapEntry, RouteMapSet } from '../model.js';
import { ConfigError, type Edit } from '../session.js';
import { type Action, type Args, argument, keyword, type Node, path, refused } from '../tree.js';
import { dscpNames, nameOf, precedenceNames, tosNames, valueNodes } from './tos-names.js';

type MapEdit = Edit<'config-route-map'>;
type ListField = 'nextHops' | 'interfaces' | 'defaultNextHops';
type ValueField = 'df' | 'precedence' | 'tos' | 'dscp';

/** Next hops and interfaces of an entry: a row has places for so many. */
export const MostHops = 8;

/** What a value cannot stand beside: both write the same bits. */
const excluded: Record<ValueField, ValueField[]> = { df: [], precedence: ['dscp'], tos: ['dscp'], dscp: ['precedence', 'tos'] };
/** Words of the command. */
const words: Record<ListField | ValueField, string> = {
  nextHops: 'ip next-hop',
  interfaces: 'interface',
  defaultNextHops: 'ip default next-hop',
  df: 'ip df',
  precedence: 'ip precedence',
  tos: 'ip tos',
  dscp: 'ip dscp',
};

function change(entry: RouteMapEntry, set: RouteMapSet): void {
  const kept = Object.entries(set).filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0));
  if (kept.length === 0) delete entry.set;
  else entry.set = Object.fromEntries(kept);
}

function valuesOf(args: Args, field: ListField): (string | number)[] {
  const names = Array.from({ length: MostHops }, (_, n) => `${field}${n}`).filter((name) => args.has(name));
  return names.map((name) => (field === 'interfaces' ? args.text(name) : args.number(name)));
}

/** Those of further lines come behind those that are there. */
function addTo(field: ListField): Action<MapEdit> {
  return (args, { session, target }) => {
    const added = valuesOf(args, field);
    const list = [...new Set<string | number>([...(target.set?.[field] ?? []), ...added])];
    if (list.length > MostHops) throw new ConfigError(`more than ${MostHops} in set ${words[field]}`);
    change(target, { ...target.set, [field]: list });
    for (const value of added) session.mark(target, `${field} ${value}`);
  };
}

/** `no set ...`: those that are named, all when none is. */
function removeFrom(field: ListField): Action<MapEdit> {
  return (args, { session, target }) => {
    const named = valuesOf(args, field);
    const before: (string | number)[] = target.set?.[field] ?? [];
    const kept = named.length === 0 ? [] : before.filter((value) => !named.includes(value));
    if (kept.length === before.length) session.warnAbsent(`set ${words[field]}`);
    change(target, { ...target.set, [field]: kept });
  };
}

function listNodes(field: ListField, help: string, n = 0): Node<MapEdit>[] {
  if (n >= MostHops) return [];
  const spec = { run: addTo(field), no: removeFrom(field), next: () => listNodes(field, help, n + 1) };
  const node = argument<MapEdit>(`${field}${n}`, field === 'interfaces' ? interfaceName : ipv4, help, spec);
  return field === 'interfaces' ? [keyword('null0', 'Null interface: drop', { ...spec, set: [`${field}${n}`, 'Null0'] }), node] : [node];
}

function setValue(field: ValueField): Action<MapEdit> {
  return (args, { session, target }) => {
    const other = excluded[field].find((name) => target.set?.[name] !== undefined);
    if (other !== undefined)
      throw new ConfigError(`set ${words[field]} and set ${words[other]} write the same bits`, `no set ${words[other]}`);
    change(target, { ...target.set, [field]: args.number(field) });
    session.mark(target, field);
  };
}

function unsetValue(field: ValueField): Action<MapEdit> {
  return (_, { session, target }) => {
    if (target.set?.[field] === undefined) session.warnAbsent(`set ${words[field]}`);
    change(target, { ...target.set, [field]: undefined });
  };
}

function valueNode(field: ValueField, name: string, help: string, highest: number, names: ReadonlyMap<string, number>): Node<MapEdit> {
  const no = unsetValue(field);
  return keyword(name, help, { no, next: valueNodes(field, highest, names, help, { run: setValue(field), no }) });
}

const noBits = new Map<string, number>();
const ofRoutes = ['as-path', 'automatic-tag', 'comm-list', 'community', 'dampening', 'extcommunity', 'level', 'local-preference'];
const ofRoutesToo = ['metric', 'metric-type', 'origin', 'tag', 'traffic-index', 'weight', 'ipv6'];

const ipNodes: Node<MapEdit>[] = [
  keyword('next-hop', 'Next hop address', {
    no: removeFrom('nextHops'),
    next: [
      refused('recursive', 'set ip next-hop recursive is not supported', 'a next hop on a connected network'),
      refused(
        'verify-availability',
        'set ip next-hop verify-availability is not supported: there is neither CDP nor tracking',
        'set ip next-hop A',
      ),
      refused('peer-address', 'set ip next-hop peer-address is not supported: it is of BGP'),
      refused('self', 'set ip next-hop self is not supported: it is of BGP'),
      refused('dynamic', 'set ip next-hop dynamic is not supported'),
      refused('encapsulate', 'set ip next-hop encapsulate is not supported'),
      ...listNodes('nextHops', 'IP address of next hop'),
    ],
  }),
  path(
    [['default', 'Set default information']],
    [
      keyword('next-hop', 'Default next hop: for destinations without a route of their own', {
        no: removeFrom('defaultNextHops'),
        next: listNodes('defaultNextHops', 'IP address of default next hop'),
      }),
    ],
  ),
  valueNode('df', 'df', "Don't fragment bit", 1, noBits),
  valueNode('precedence', 'precedence', 'Precedence', 7, precedenceNames),
  valueNode('tos', 'tos', 'Type of service bits', 15, tosNames),
  valueNode('dscp', 'dscp', 'Differentiated services codepoint', 63, dscpNames),
  refused('address', 'set ip address is not supported: it is of routing protocols'),
  refused('qos-group', 'set ip qos-group is not supported yet'),
  refused('vrf', 'set ip vrf is not supported: there are no VRFs'),
  refused('global', 'set ip global is not supported: there are no VRFs'),
];

function setContinue(args: Args, { session, target }: MapEdit): void {
  const to = args.optionalNumber('to');
  if (to !== null && to <= target.sequence)
    throw new ConfigError(
      `continue ${to} would go back: the entry is ${target.sequence}`,
      `continue with a sequence above ${target.sequence}`,
    );
  target.continueTo = to ?? 'next';
  session.mark(target, 'continueTo');
}

function unsetContinue(_: Args, { session, target }: MapEdit): void {
  if (target.continueTo === undefined) session.warnAbsent('continue');
  delete target.continueTo;
}

export const routeMapSetCommands: Node<MapEdit>[] = [
  keyword('continue', 'Continue on a different entry within the route-map', {
    commit: true,
    run: setContinue,
    no: unsetContinue,
    next: [argument('to', integer(1, 65535), 'Route-map entry sequence number', { run: setContinue, no: unsetContinue })],
  }),
  keyword('set', 'Set values', {
    commit: true,
    next: [
      path([['ip', 'IP specific information']], ipNodes),
      keyword('interface', 'Output interface', {
        no: removeFrom('interfaces'),
        next: listNodes('interfaces', 'Interface name'),
      }),
      refused('default', 'set default interface is not supported yet', 'set ip default next-hop'),
      refused('global', 'set global is not supported: there are no VRFs'),
      refused('vrf', 'set vrf is not supported: there are no VRFs'),
      ...[...ofRoutes, ...ofRoutesToo].map((what) =>
        refused<MapEdit>(what, `set ${what} is not supported: route-maps do not change routes here`),
      ),
    ],
  }),
];

/** Lines of an entry, as `show` and the running configuration have them. */
export function describeSet({ nextHops, interfaces, defaultNextHops, df, precedence, tos, dscp }: RouteMapSet): string[] {
  const lines: string[] = [];
  if (nextHops) lines.push(`${words.nextHops} ${nextHops.map(formatIpv4).join(' ')}`);
  if (interfaces) lines.push(`${words.interfaces} ${interfaces.join(' ')}`);
  if (defaultNextHops) lines.push(`${words.defaultNextHops} ${defaultNextHops.map(formatIpv4).join(' ')}`);
  if (df !== undefined) lines.push(`${words.df} ${df}`);
  if (precedence !== undefined) lines.push(`${words.precedence} ${nameOf(precedence, precedenceNames)}`);
  if (tos !== undefined) lines.push(`${words.tos} ${nameOf(tos, tosNames)}`);
  if (dscp !== undefined) lines.push(`${words.dscp} ${nameOf(dscp, dscpNames)}`);
  return lines;
}

export function printSet({ set, continueTo }: RouteMapEntry): Block[] {
  const lines = set ? describeSet(set).map((line) => block(`set ${line}`)) : [];
  if (continueTo !== undefined) lines.push(block(continueTo === 'next' ? 'continue' : `continue ${continueTo}`));
  return lines;
}
