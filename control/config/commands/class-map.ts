// class-map [match-all|match-any] NAME with its `match` lines: what packets a class of a policy-map has. IOS's default is match-all.
// Does not: NBAR, marks of layer 2 (cos, vlan, mpls): refused where they are written.

import { integer, restOfLine, word } from '../arguments.js';
import { type Block, block } from '../blocks.js';
import { type ClassMap, type ClassMatch, type Config, DefaultClass } from '../model.js';
import { nbarProtocols, qosProtocols } from '../qos-protocols.js';
import { ConfigError, type Edit, type Session } from '../session.js';
import { type Args, argument, keyword, type Node, path, refused } from '../tree.js';
import { dscpNames, nameOf, precedenceNames, valueNodes } from './tos-names.js';

type ClassEdit = Edit<'config-cmap'>;

/** Values that one `match dscp` line holds, as on IOS. */
const ValuesPerLine = 8;

function opening({ match, name }: ClassMap): string {
  return `class-map match-${match} ${name}`;
}

/** Unknown lines that are kept inside a class stay with it. */
function setMatch(item: ClassMap, match: ClassMap['match'], { config }: Session): void {
  const before = opening(item);
  item.match = match;
  for (const { path: around } of config.unknownLines) if (around.length > 1 && around[0] === before) around[0] = opening(item);
}

function enterClass(args: Args, { session, target }: Edit<'config'>): void {
  const name = args.text('name');
  if (name === DefaultClass) throw new ConfigError(`${DefaultClass} is in every policy-map: it has what no other class has`);
  let item = target.classMaps.get(name);
  if (!item) {
    item = { line: session.line, name, match: 'all', description: null, matches: [] };
    session.mark(item, '');
    target.classMaps.set(name, item);
  }
  const match = args.optionalText('match');
  if (match !== null) setMatch(item, match as ClassMap['match'], session);
  session.enter('config-cmap', item, opening(item));
}

function removeClass(args: Args, { session, target }: Edit<'config'>): void {
  const name = args.text('name');
  const item = target.classMaps.get(name);
  if (!item) {
    session.warnAbsent(`class-map ${name}`);
    return;
  }
  target.classMaps.delete(name);
  session.forgetLinesIn([opening(item)]);
}

function nameNode(): Node<Edit<'config'>> {
  return argument('name', word(), 'class-map name', { run: enterClass, no: removeClass });
}

function matchNode(match: ClassMap['match'], help: string): Node<Edit<'config'>> {
  return keyword(`match-${match}`, help, { set: ['match', match], next: [nameNode()] });
}

export const classMapCommands: Node<Edit<'config'>>[] = [
  keyword('class-map', 'Configure QoS class map', {
    commit: true,
    next: [
      matchNode('all', 'Logical-AND all matching statements under this class map (default)'),
      matchNode('any', 'Logical-OR all matching statements under this class map'),
      nameNode(),
    ],
  }),
];

type ReadMatch = (args: Args) => ClassMatch;

/** What stands behind `match`, as it is printed. */
export function describeMatch(match: ClassMatch): string {
  const not = match.not ? 'not ' : '';
  if (match.kind === 'any') return `${not}any`;
  if (match.kind === 'access-group') return `${not}access-group ${isListNumber(match.list) ? '' : 'name '}${match.list}`;
  if (match.kind === 'class-map' || match.kind === 'protocol') return `${not}${match.kind} ${match.name}`;
  if (match.kind === 'packet-length') return `${not}packet length min ${match.least} max ${match.most}`;
  if (match.kind === 'qos-group') return `${not}qos-group ${match.group}`;
  const names = match.kind === 'dscp' ? dscpNames : precedenceNames;
  return `${not}${match.ip ? 'ip ' : ''}${match.kind} ${match.values.map((value) => nameOf(value, names)).join(' ')}`;
}

function isListNumber(list: string): boolean {
  const number = Number(list);
  return Number.isInteger(number) && number >= 1 && number <= 2699 && String(number) === list;
}

function add(read: ReadMatch): (args: Args, edit: ClassEdit) => void {
  return (args, { session, target }) => {
    const match = read(args);
    const text = describeMatch(match);
    if (match.kind === 'class-map' && match.name === target.name) throw new ConfigError(`class-map ${target.name} cannot contain itself`);
    session.mark(target, text);
    if (!target.matches.some((other) => describeMatch(other) === text)) target.matches.push(match);
  };
}

function remove(read: ReadMatch): (args: Args, edit: ClassEdit) => void {
  return (args, { session, target }) => {
    const text = describeMatch(read(args));
    const kept = target.matches.filter((other) => describeMatch(other) !== text);
    if (kept.length === target.matches.length) session.warnAbsent(`match ${text}`);
    target.matches = kept;
  };
}

function actions(read: ReadMatch) {
  return { run: add(read), no: remove(read) };
}

const isNot = (args: Args): boolean => args.has('not');

function valuesOf(args: Args, kind: 'dscp' | 'precedence'): ClassMatch {
  const values = Array.from({ length: ValuesPerLine }, (_, n) => args.optionalNumber(`${kind}${n}`)).filter((value) => value !== null);
  return { not: isNot(args), kind, ip: args.has('ip'), values: [...new Set(values)].sort((a, b) => a - b) };
}

function tosValueNodes(kind: 'dscp' | 'precedence', n = 0): Node<ClassEdit>[] {
  if (n >= ValuesPerLine) return [];
  const spec = { ...actions((args) => valuesOf(args, kind)), next: () => tosValueNodes(kind, n + 1) };
  return kind === 'dscp'
    ? valueNodes(`${kind}${n}`, 63, dscpNames, 'Differentiated services codepoint', spec)
    : valueNodes(`${kind}${n}`, 7, precedenceNames, 'Precedence', spec);
}

function tosNodes(): Node<ClassEdit>[] {
  return [
    keyword('dscp', 'Match IP DSCP (DiffServ CodePoints)', { next: () => tosValueNodes('dscp') }),
    keyword('precedence', 'Match IP precedence', { next: () => tosValueNodes('precedence') }),
  ];
}

const accessGroup: ReadMatch = (args) => ({
  not: isNot(args),
  kind: 'access-group',
  list: args.has('number') ? String(args.number('number')) : args.text('list'),
});
const className: ReadMatch = (args) => ({ not: isNot(args), kind: 'class-map', name: args.text('name') });
const protocol: ReadMatch = (args) => ({ not: isNot(args), kind: 'protocol', name: args.text('protocol') });
const qosGroup: ReadMatch = (args) => ({ not: isNot(args), kind: 'qos-group', group: args.number('group') });

const MostLength = 2000;
const packetLength: ReadMatch = (args) => {
  const least = args.optionalNumber('least') ?? 1;
  const most = args.optionalNumber('most') ?? MostLength;
  if (most < least) throw new ConfigError(`match packet length ${least} ${most}: the minimum is above the maximum`);
  return { not: isNot(args), kind: 'packet-length', least, most };
};

function boundNode(words: 'min' | 'max', field: 'least' | 'most', next: Node<ClassEdit>[]): Node<ClassEdit> {
  const help = `${words === 'min' ? 'Minimum' : 'Maximum'} length of the datagram`;
  return keyword(words, help, { next: [argument(field, integer(1, MostLength), 'Bytes', { ...actions(packetLength), next })] });
}

const lacking = [
  'atm',
  'cos',
  'destination-address',
  'discard-class',
  'flow',
  'fr-dlci',
  'group-object',
  'input-interface',
  'mpls',
  'vlan',
];

function criteria(): Node<ClassEdit>[] {
  return [
    keyword('access-group', 'Access group: what an access list permits', {
      next: [
        keyword('name', 'Named Access List', { next: [argument('list', word(), 'Access List name', actions(accessGroup))] }),
        argument('number', integer(1, 2699), 'Access list index', actions(accessGroup)),
      ],
    }),
    keyword(
      'any',
      'Any packets',
      actions((args) => ({ not: isNot(args), kind: 'any' })),
    ),
    keyword('class-map', 'Class map: what another class has', { next: [argument('name', word(), 'class-map name', actions(className))] }),
    ...tosNodes(),
    keyword('ip', 'IP specific values', {
      set: ['ip', 1],
      next: [...tosNodes(), refused('rtp', 'match ip rtp is not supported', 'an access list with its ports')],
    }),
    path(
      [['packet', 'Layer 3 Packet length']],
      [
        keyword('length', 'Layer 3 Packet length', {
          next: [boundNode('max', 'most', []), boundNode('min', 'least', [boundNode('max', 'most', [])])],
        }),
      ],
    ),
    keyword('protocol', 'Protocol, by its number or its well-known ports', {
      next: [
        ...[...qosProtocols.keys()].map((name) =>
          keyword<ClassEdit>(name, `${name} traffic`, { ...actions(protocol), set: ['protocol', name] }),
        ),
        ...nbarProtocols.map((name) =>
          refused<ClassEdit>(
            name,
            `match protocol ${name} is not supported: payloads are not looked into`,
            'an access list with its ports',
          ),
        ),
      ],
    }),
    keyword('qos-group', 'QoS-group that a policy at the input set', {
      next: [argument('group', integer(0, 99), 'QoS-group value', actions(qosGroup))],
    }),
    ...lacking.map((what) => refused<ClassEdit>(what, `match ${what} is not supported`)),
  ];
}

export const classCommands: Node<ClassEdit>[] = [
  keyword('description', 'Class-Map description', {
    commit: true,
    no: (_, { target }) => {
      target.description = null;
    },
    next: [
      argument('text', restOfLine(), 'Up to 240 characters', {
        run: (args, { target }) => {
          target.description = args.text('text');
        },
      }),
    ],
  }),
  keyword('match', 'Classification criteria', {
    commit: true,
    next: [keyword('not', 'Negate this match result', { set: ['not', 1], next: criteria() }), ...criteria()],
  }),
];

export function printClassMaps(config: Config): Block[] {
  return [...config.classMaps.values()].map((item) =>
    block(
      opening(item),
      item.description !== null && `description ${item.description}`,
      item.matches.map((match) => block(`match ${describeMatch(match)}`)),
    ),
  );
}
