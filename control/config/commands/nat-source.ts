// The dynamic statements of ip nat: `inside source list|route-map`, `outside source list|route-map`, `inside destination list`. Does not: VRFs,
// redundancy, one address of an interface for one host.

import { interfaceName, word } from '../arguments.js';
import type { NatDestination, NatOutsideSource, NatSource, NatStatement } from '../model.js';
import { ConfigError, type Edit } from '../session.js';
import { type Args, argument, keyword, type Node, refused } from '../tree.js';
import { natStaticNode } from './nat-static.js';

type GlobalEdit = Edit<'config'>;

function readSource(args: Args): NatSource {
  return args.has('list') ? { kind: 'list', name: args.text('list') } : { kind: 'route-map', name: args.text('map') };
}

function describeSource({ kind, name }: NatSource): string {
  return `${kind} ${name}`;
}

function describeTarget({ interface: to, pool }: Pick<NatStatement, 'interface' | 'pool'>): string {
  return pool === null ? `interface ${to}` : `pool ${pool}`;
}

function isSame(a: NatSource, b: NatSource): boolean {
  return a.kind === b.kind && a.name === b.name;
}

function addStatement(args: Args, { session, target }: GlobalEdit): void {
  const source = readSource(args);
  const to = { interface: args.optionalText('interface'), pool: args.optionalText('pool') };
  const wanted: NatStatement = { line: session.line, ...source, ...to, overload: args.has('overload') };
  const same = target.nat.statements.find((other) => isSame(other, source));
  if (same && describeStatement(same) === describeStatement(wanted)) return;
  if (same)
    throw new ConfigError(
      `line ${same.line} translates ${describeSource(source)} already, to ${same.interface ?? describeTarget(same)}`,
      'the first that matches decides: another list, or a route-map with match interface',
    );
  target.nat.statements.push(wanted);
  session.mark(wanted, '');
}

function removeStatement(args: Args, { session, target }: GlobalEdit): void {
  const source = readSource(args);
  const [to, pool] = [args.optionalText('interface'), args.optionalText('pool')];
  const isMeant = (other: NatStatement): boolean =>
    isSame(other, source) && (to === null || other.interface === to) && (pool === null || other.pool === pool);
  const kept = target.nat.statements.filter((other) => !isMeant(other));
  if (kept.length === target.nat.statements.length) session.warnAbsent(`ip nat inside source ${describeSource(source)}`);
  target.nat.statements = kept;
}

function refuseWithoutOverload(): void {
  throw new ConfigError('ip nat inside source without overload needs a pool', 'append overload');
}

const rest: Node<GlobalEdit>[] = [
  refused('vrf', 'VRFs are not supported'),
  refused('match-in-vrf', 'VRFs are not supported'),
  refused('mapping-id', 'mapping-id of ip nat is not supported'),
  refused('redundancy', 'stateful NAT is not supported'),
  refused('reversible', 'reversible of a route-map is not supported', 'a list: its hosts can be reached while they have an address'),
  refused('oer', 'oer of ip nat is not supported'),
];
const overload = keyword<GlobalEdit>('overload', 'Overload an address translation', {
  set: ['overload', 1],
  run: addStatement,
  no: removeStatement,
  next: rest,
});

/** What stands behind the list or route-map. */
const translation: Node<GlobalEdit>[] = [
  keyword('interface', 'Specify interface for global address', {
    next: [
      argument('interface', interfaceName, 'Interface name', {
        run: refuseWithoutOverload,
        no: removeStatement,
        next: [overload, ...rest],
      }),
    ],
  }),
  keyword('pool', 'Name pool of global addresses', {
    next: [argument('pool', word(), 'Pool name', { run: addStatement, no: removeStatement, next: [overload, ...rest] })],
  }),
  ...rest,
];

function addOutside(args: Args, { session, target }: GlobalEdit): void {
  const source = readSource(args);
  const wanted: NatOutsideSource = { line: session.line, ...source, pool: args.text('pool') };
  const same = target.nat.outsideSources.find((other) => isSame(other, source));
  if (same?.pool === wanted.pool) return;
  if (same) throw new ConfigError(`line ${same.line} translates ${describeSource(source)} already, to pool ${same.pool}`, 'another list');
  target.nat.outsideSources.push(wanted);
  session.mark(wanted, '');
}

function removeOutside(args: Args, { session, target }: GlobalEdit): void {
  const source = readSource(args);
  const kept = target.nat.outsideSources.filter((other) => !isSame(other, source));
  if (kept.length === target.nat.outsideSources.length) session.warnAbsent(`ip nat outside source ${describeSource(source)}`);
  target.nat.outsideSources = kept;
}

const outsideTranslation: Node<GlobalEdit>[] = [
  keyword('pool', 'Name pool of local addresses', {
    next: [
      argument('pool', word(), 'Pool name', {
        run: addOutside,
        no: removeOutside,
        next: [
          ...rest,
          refused('add-route', 'add-route with a pool is not supported', 'ip route POOL MASK NEXT-HOP, or a static translation'),
        ],
      }),
    ],
  }),
  ...rest,
];

function addDestination(args: Args, { session, target }: GlobalEdit): void {
  const wanted: NatDestination = { line: session.line, list: args.text('list'), pool: args.text('pool') };
  const same = target.nat.destinations.find(({ list }) => list === wanted.list);
  if (same?.pool === wanted.pool) return;
  if (same) throw new ConfigError(`line ${same.line} translates list ${wanted.list} already, to pool ${same.pool}`, 'another list');
  target.nat.destinations.push(wanted);
  session.mark(wanted, '');
}

function removeDestination(args: Args, { session, target }: GlobalEdit): void {
  const list = args.text('list');
  const kept = target.nat.destinations.filter((other) => other.list !== list);
  if (kept.length === target.nat.destinations.length) session.warnAbsent(`ip nat inside destination list ${list}`);
  target.nat.destinations = kept;
}

function sources(help: string, no: typeof removeStatement, next: Node<GlobalEdit>[]): Node<GlobalEdit>[] {
  return [
    keyword('list', help, { next: [argument('list', word(), 'Access list name or number', { no, next })] }),
    keyword('route-map', 'Specify route-map', { next: [argument('map', word(), 'Route-map name', { no, next })] }),
  ];
}

/** Below `ip nat inside`. */
export const natInsideNodes: Node<GlobalEdit>[] = [
  keyword('source', 'Source address translation', {
    next: [...sources('Specify access list describing local addresses', removeStatement, translation), natStaticNode('inside')],
  }),
  keyword('destination', 'Destination address translation', {
    next: [
      keyword('list', 'Specify access list describing global addresses', {
        next: [
          argument('list', word(), 'Access list name or number', {
            no: removeDestination,
            next: [
              keyword('pool', 'Name pool of local addresses', {
                next: [argument('pool', word(), 'Pool name', { run: addDestination, no: removeDestination })],
              }),
            ],
          }),
        ],
      }),
      refused('static', 'ip nat inside destination static is not supported', 'ip nat inside source static'),
    ],
  }),
];

/** Below `ip nat outside`. */
export const natOutsideNodes: Node<GlobalEdit>[] = [
  keyword('source', 'Source address translation', {
    next: [...sources('Specify access list describing global addresses', removeOutside, outsideTranslation), natStaticNode('outside')],
  }),
];

/** The line, as print writes it. */
export function describeStatement(item: NatStatement): string {
  return `ip nat inside source ${describeSource(item)} ${describeTarget(item)}${item.overload ? ' overload' : ''}`;
}

export function describeOutside(item: NatOutsideSource): string {
  return `ip nat outside source ${describeSource(item)} pool ${item.pool}`;
}

export function describeDestination({ list, pool }: NatDestination): string {
  return `ip nat inside destination list ${list} pool ${pool}`;
}
