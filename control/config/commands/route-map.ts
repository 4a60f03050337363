// route-map NAME [permit|deny] [SEQ] with `match ip address`, `match interface`, `match length`, `description`; `set` and `continue` are in
// route-map-set.ts. What `ip nat` statements and policy routing ask. Does not: matches of what routing protocols exchange.

import { integer, interfaceName, restOfLine, word } from '../arguments.js';
import { type Block, block } from '../blocks.js';
import type { Config, RouteMapEntry } from '../model.js';
import { ConfigError, type Edit, type Session } from '../session.js';
import { type Args, argument, keyword, type Node, path, refused } from '../tree.js';
import { printSet, routeMapSetCommands } from './route-map-set.js';

type MapEdit = Edit<'config-route-map'>;
type Action = RouteMapEntry['action'];

const FirstSequence = 10;
/** Names that one `match` line holds. */
const NamesPerLine = 8;

function opening({ name, action, sequence }: Pick<RouteMapEntry, 'name' | 'action' | 'sequence'>): string {
  return `route-map ${name} ${action} ${sequence}`;
}

/** Without a number the line means the only entry there is, or the first one. */
function readSequence(args: Args, entries: readonly RouteMapEntry[]): number {
  const sequence = args.optionalNumber('sequence');
  if (sequence !== null) return sequence;
  if (entries.length > 1) throw new ConfigError('% Please specify the entry by its sequence', `route-map ${args.text('name')} permit 10`);
  return entries[0]?.sequence ?? FirstSequence;
}

function enterEntry(args: Args, { session, target }: Edit<'config'>): void {
  const name = args.text('name');
  const entries = target.routeMaps.get(name) ?? [];
  const sequence = readSequence(args, entries);
  let entry = entries.find((other) => other.sequence === sequence);
  const action = (args.optionalText('action') ?? entry?.action ?? 'permit') as Action;
  if (!entry) {
    entry = { line: session.line, name, sequence, action, description: null, matchAddresses: [], matchInterfaces: [] };
    session.mark(entry, '');
    entries.push(entry);
    entries.sort((a, b) => a.sequence - b.sequence);
    target.routeMaps.set(name, entries);
  }
  setAction(entry, action, session);
  session.enter('config-route-map', entry, opening(entry));
}

/** Unknown lines that are kept inside an entry stay with it. */
function setAction(entry: RouteMapEntry, action: Action, { config }: Session): void {
  const before = opening(entry);
  entry.action = action;
  for (const { path: around } of config.unknownLines) if (around.length > 1 && around[0] === before) around[0] = opening(entry);
}

function removeEntries(args: Args, { session, target }: Edit<'config'>): void {
  const name = args.text('name');
  const sequence = args.optionalNumber('sequence');
  const entries = target.routeMaps.get(name) ?? [];
  const removed = entries.filter((entry) => sequence === null || entry.sequence === sequence);
  if (removed.length === 0) {
    session.warnAbsent(`route-map ${name}${sequence === null ? '' : ` ${sequence}`}`);
    return;
  }
  const kept = entries.filter((entry) => !removed.includes(entry));
  if (kept.length > 0) target.routeMaps.set(name, kept);
  else target.routeMaps.delete(name);
  for (const entry of removed) session.forgetLinesIn([opening(entry)]);
}

function sequenceNode(): Node<Edit<'config'>> {
  return argument('sequence', integer(0, 65535), 'Sequence to insert to/delete from existing route-map entry', {
    run: enterEntry,
    no: removeEntries,
  });
}

function actionNode(action: Action, help: string): Node<Edit<'config'>> {
  return keyword(action, help, { set: ['action', action], run: enterEntry, no: removeEntries, next: [sequenceNode()] });
}

export const routeMapCommands: Node<Edit<'config'>>[] = [
  keyword('route-map', 'Create route-map or enter route-map command mode', {
    commit: true,
    next: [
      argument('name', word(), 'Route map tag', {
        run: enterEntry,
        no: removeEntries,
        next: [
          actionNode('deny', 'Route map denies set operations: what it matches is not translated, and routed as ever'),
          actionNode('permit', 'Route map permits set operations'),
          sequenceNode(),
        ],
      }),
    ],
  }),
];

type ListField = 'matchAddresses' | 'matchInterfaces';

function namesOf(args: Args): string[] {
  return Array.from({ length: NamesPerLine }, (_, n) => args.optionalText(`name${n}`)).filter((name) => name !== null);
}

function addNames(field: ListField): (args: Args, edit: MapEdit) => void {
  return (args, { session, target }) => {
    const names = namesOf(args);
    if (field === 'matchAddresses' && names.includes('prefix-list'))
      throw new ConfigError('match ip address prefix-list is not supported yet', 'match ip address ACL');
    target[field] = [...new Set([...target[field], ...names])];
    for (const name of names) session.mark(target, `${field} ${name}`);
  };
}

/** `no match ...`: those that are named, all when none is. */
function removeNames(field: ListField): (args: Args, edit: MapEdit) => void {
  return (args, { session, target }) => {
    const names = namesOf(args);
    const kept = names.length === 0 ? [] : target[field].filter((name) => !names.includes(name));
    if (kept.length === target[field].length) session.warnAbsent('this match');
    target[field] = kept;
  };
}

function nameNodes(field: ListField, help: string, n = 0): Node<MapEdit>[] {
  if (n >= NamesPerLine) return [];
  const type = field === 'matchAddresses' ? word() : interfaceName;
  return [argument(`name${n}`, type, help, { run: addNames(field), no: removeNames(field), next: nameNodes(field, help, n + 1) })];
}

const onlyMatches = 'match ip address, match interface and match length are';

function setLength(args: Args, { session, target }: MapEdit): void {
  const [least, most] = [args.number('least'), args.number('most')];
  if (most < least) throw new ConfigError(`match length ${least} ${most}: the minimum is above the maximum`);
  target.matchLength = [least, most];
  session.mark(target, 'matchLength');
}

function unsetLength(_: Args, { session, target }: MapEdit): void {
  if (target.matchLength === undefined) session.warnAbsent('match length');
  delete target.matchLength;
}

const lengthNode: Node<MapEdit> = keyword('length', 'Packet length', {
  no: unsetLength,
  next: [
    argument('least', integer(0, 2147483647), 'Minimum packet length', {
      next: [argument('most', integer(0, 2147483647), 'Maximum packet length', { run: setLength, no: unsetLength })],
    }),
  ],
});

export const routeMapEntryCommands: Node<MapEdit>[] = [
  keyword('description', 'Route-map comment', {
    commit: true,
    no: (_, { target }) => {
      target.description = null;
    },
    next: [
      argument('text', restOfLine(), 'Comment describing this route-map', {
        run: (args, { target }) => {
          target.description = args.text('text');
        },
      }),
    ],
  }),
  keyword('match', 'Match values', {
    commit: true,
    next: [
      keyword('interface', 'Match the interface by which a packet leaves', {
        no: removeNames('matchInterfaces'),
        next: nameNodes('matchInterfaces', 'Interface name'),
      }),
      path(
        [['ip', 'IP specific information']],
        [
          keyword('address', 'Match packets that an access list permits', {
            no: removeNames('matchAddresses'),
            next: nameNodes('matchAddresses', 'Access list name or number'),
          }),
          refused('next-hop', 'match ip next-hop is not supported yet', onlyMatches),
          refused('route-source', 'match ip route-source is not supported: route-maps do not filter routes here', onlyMatches),
        ],
      ),
      lengthNode,
      ...['as-path', 'community', 'extcommunity', 'ipv6', 'metric', 'route-type', 'tag'].map((what) =>
        refused<MapEdit>(what, `match ${what} is not supported: route-maps do not filter routes here`, onlyMatches),
      ),
    ],
  }),
  ...routeMapSetCommands,
];

/** Lines of at most {@link NamesPerLine} names. */
function printMatch(what: string, names: readonly string[]): Block[] {
  const lines: Block[] = [];
  for (let at = 0; at < names.length; at += NamesPerLine)
    lines.push(block(`match ${what} ${names.slice(at, at + NamesPerLine).join(' ')}`));
  return lines;
}

function printEntry(entry: RouteMapEntry): Block {
  return block(
    opening(entry),
    entry.description !== null && `description ${entry.description}`,
    printMatch('ip address', entry.matchAddresses),
    printMatch('interface', entry.matchInterfaces),
    entry.matchLength !== undefined && `match length ${entry.matchLength.join(' ')}`,
    printSet(entry),
  );
}

export function printRouteMaps(config: Config): Block[] {
  return [...config.routeMaps.values()].flat().map(printEntry);
}
