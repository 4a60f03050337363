// ip access-list standard|extended NAME and access-list N. Printed in the named form with sequence numbers, as IOS-XE does, because
// the numbered form has no place for them.

import { integer, restOfLine, word } from '../arguments.js';
import { type Block, block } from '../blocks.js';
import type { AccessList, AclEntry, Config } from '../model.js';
import { ConfigError, type Edit, type Session } from '../session.js';
import { type Args, argument, keyword, type Node, path, refused } from '../tree.js';
import { describeEntry, entryNodes, readEntry } from './acl-entry.js';

type Kind = AccessList['kind'];
type ListEdit = Edit<'config-ext-nacl' | 'config-std-nacl'>;

const SequenceStep = 10;
const MaxSequence = 2147483647;

/** The kind that a list's number stands for, null for a name. */
function kindOfNumber(name: string): Kind | 'none' | null {
  if (![...name].every((c) => c >= '0' && c <= '9')) return null;
  const number = Number(name);
  if ((number >= 1 && number <= 99) || (number >= 1300 && number <= 1999)) return 'standard';
  if ((number >= 100 && number <= 199) || (number >= 2000 && number <= 2699)) return 'extended';
  return 'none';
}

function openList(session: Session, name: string, kind: Kind): AccessList {
  const numbered = kindOfNumber(name);
  if (numbered !== null && numbered !== kind) {
    throw new ConfigError(`${name} is not the number of a ${kind} access list`, 'standard: 1-99, 1300-1999; extended: 100-199, 2000-2699');
  }
  let list = session.config.accessLists.get(name);
  if (list && list.kind !== kind) throw new ConfigError(`access list ${name} is ${list.kind} already`);
  if (!list) {
    list = { line: session.line, name, kind, entries: [] };
    session.mark(list, '');
    session.config.accessLists.set(name, list);
  }
  return list;
}

/** Where an entry with this sequence stands or would stand: entries are sorted. */
function findSequence(entries: AclEntry[], sequence: number): number {
  if (entries.length === 0 || entries[entries.length - 1].sequence < sequence) return entries.length;
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (entries[middle].sequence < sequence) low = middle + 1;
    else high = middle;
  }
  return low;
}

function nextSequence(list: AccessList): number {
  const last = list.entries[list.entries.length - 1]?.sequence ?? 0;
  const next = last + SequenceStep;
  if (next > MaxSequence) throw new ConfigError(`access list ${list.name} has no sequence number left`);
  return next;
}

function addEntry(list: AccessList, entry: AclEntry, sequence: number | null): void {
  entry.sequence = sequence ?? nextSequence(list);
  const at = findSequence(list.entries, entry.sequence);
  const other = list.entries[at];
  if (other?.sequence === entry.sequence) {
    if (sameEntry(other, entry)) return;
    throw new ConfigError(`duplicate sequence number ${entry.sequence}: line ${other.line} has it`);
  }
  if (at === list.entries.length) list.entries.push(entry);
  else list.entries.splice(at, 0, entry);
}

function sameEntry(a: AclEntry, b: AclEntry): boolean {
  return describeEntry(a) === describeEntry(b);
}

function addRemark(session: Session, list: AccessList, text: string, sequence: number | null): void {
  list.remarks ??= [];
  list.remarks.push({ line: session.line, sequence: sequence ?? nextSequence(list), text });
  list.remarks.sort((a, b) => a.sequence - b.sequence);
}

function removeEntry(args: Args, { session, target }: ListEdit): void {
  const wanted = readEntry(args, { session, target });
  const at = target.entries.findIndex((entry) => sameEntry(entry, wanted));
  if (at < 0) session.warnAbsent('this entry');
  else target.entries.splice(at, 1);
}

function removeSequence(args: Args, { session, target }: ListEdit): void {
  const sequence = args.number('sequence');
  const at = findSequence(target.entries, sequence);
  if (target.entries[at]?.sequence === sequence) target.entries.splice(at, 1);
  else session.warnAbsent(`entry ${sequence}`);
}

function removeRemark(args: Args, { session, target }: ListEdit): void {
  const kept = (target.remarks ?? []).filter((remark) => remark.text !== args.text('remark'));
  if (kept.length === (target.remarks ?? []).length) {
    session.warnAbsent('this remark');
    return;
  }
  if (kept.length > 0) target.remarks = kept;
  else delete target.remarks;
}

/** Commands inside a list. */
export function listCommands<M extends 'config-ext-nacl' | 'config-std-nacl'>(kind: Kind): Node<Edit<M>>[] {
  const addHere = (args: Args, edit: Edit<M>): void => addEntry(edit.target, readEntry(args, edit), args.optionalNumber('sequence'));
  const remark = keyword<Edit<M>>('remark', 'Access list entry comment', {
    commit: true,
    next: [
      argument('remark', restOfLine(), 'Comment', {
        run: (args, { session, target }) => addRemark(session, target, args.text('remark'), args.optionalNumber('sequence')),
        no: removeRemark,
      }),
    ],
  });
  const entries = [...entryNodes<Edit<M>>(kind, addHere, undefined), remark];
  return [
    ...withRemoval(entries),
    ...['dynamic', 'evaluate'].map((what) => refused<Edit<M>>(what, `"${what}" in an access list is not supported`)),
    argument('sequence', integer(1, MaxSequence), 'Sequence number', { commit: true, no: removeSequence, next: entries }),
  ];
}

/** The same nodes with `no permit ...` taken at the end of a whole entry only. A node has one other: options are told by which they are. */
function withRemoval<M extends 'config-ext-nacl' | 'config-std-nacl'>(nodes: Node<Edit<M>>[]): Node<Edit<M>>[] {
  const others = new WeakMap<Node<Edit<M>>, Node<Edit<M>>>();
  const other = (node: Node<Edit<M>>): Node<Edit<M>> => {
    const known = others.get(node);
    if (known) return known;
    let below: Node<Edit<M>>[] | null = null;
    const next = (): Node<Edit<M>>[] => {
      below ??= node.next().map(other);
      return below;
    };
    const made = { ...node, no: node.no ?? (node.run ? removeEntry : null), next };
    others.set(node, made);
    return made;
  };
  return nodes.map(other);
}

/** Numbers as if the lines were written anew. A remark keeps its place in front of its entry. */
function resequence(args: Args, { session, target }: Edit<'config'>): void {
  const list = target.accessLists.get(args.text('name'));
  if (!list) {
    session.warnAbsent(`access list ${args.text('name')}`);
    return;
  }
  const start = args.optionalNumber('start') ?? SequenceStep;
  const step = args.optionalNumber('step') ?? SequenceStep;
  const numberOf = (index: number): number => start + index * step;
  if (numberOf(list.entries.length) > MaxSequence)
    throw new ConfigError(`access list ${list.name} would get sequence numbers above ${MaxSequence}`);
  for (const remark of list.remarks ?? []) remark.sequence = numberOf(findSequence(list.entries, remark.sequence));
  list.entries.forEach((entry, index) => {
    entry.sequence = numberOf(index);
  });
}

const resequenceNode: Node<Edit<'config'>> = keyword('resequence', 'Resequence Access List', {
  next: [
    argument('name', word(), 'Access-list name or number', {
      run: resequence,
      next: [
        argument('start', integer(1, MaxSequence), 'Starting Sequence Number', {
          run: resequence,
          next: [argument('step', integer(1, MaxSequence), 'Step to increment the sequence number', { run: resequence })],
        }),
      ],
    }),
  ],
});

function enterList(kind: Kind): (args: Args, edit: Edit<'config'>) => void {
  const mode = kind === 'extended' ? 'config-ext-nacl' : 'config-std-nacl';
  return (args, { session }) => {
    const name = args.text('name');
    session.enter(mode, openList(session, name, kind), `ip access-list ${kind} ${name}`);
  };
}

function removeList(args: Args, { session, target }: Edit<'config'>): void {
  const name = args.has('number') ? String(args.number('number')) : args.text('name');
  const list = target.accessLists.get(name);
  if (!list) {
    session.warnAbsent(`access list ${name}`);
    return;
  }
  target.accessLists.delete(name);
  session.forgetLinesIn([`ip access-list ${list.kind} ${name}`]);
}

/** `access-list N ...`: the number says the kind. */
function numberedNodes(): Node<Edit<'config'>>[] {
  const ranges: [number, number, Kind][] = [
    [1, 99, 'standard'],
    [100, 199, 'extended'],
    [1300, 1999, 'standard'],
    [2000, 2699, 'extended'],
  ];
  return ranges.map(([low, high, kind]) => {
    const open = (args: Args, session: Session): AccessList => openList(session, String(args.number('number')), kind);
    return argument('number', integer(low, high), `IP ${kind} access list`, {
      no: removeList,
      next: [
        ...entryNodes<Edit<'config'>>(kind, (args, edit) => addEntry(open(args, edit.session), readEntry(args, edit), null)),
        keyword('remark', 'Access list entry comment', {
          next: [
            argument('remark', restOfLine(), 'Comment', {
              run: (args, { session }) => addRemark(session, open(args, session), args.text('remark'), null),
            }),
          ],
        }),
      ],
    });
  });
}

export const accessListCommands: Node<Edit<'config'>>[] = [
  keyword('access-list', 'Add an access list entry', { commit: true, next: numberedNodes() }),
  path(
    [['ip', 'Global IP configuration subcommands']],
    [
      keyword('access-list', 'Named access-list', {
        commit: true,
        next: [
          ...(['extended', 'standard'] as const).map((kind) =>
            keyword<Edit<'config'>>(kind, `${kind === 'extended' ? 'Extended' : 'Standard'} Access List`, {
              next: [argument('name', word(), 'Access-list name or number', { run: enterList(kind), no: removeList })],
            }),
          ),
          resequenceNode,
          ...['log-update', 'logging', 'helper', 'match-local-traffic', 'persistent', 'role-based'].map((what) =>
            refused<Edit<'config'>>(what, `ip access-list ${what} is not supported`),
          ),
        ],
      }),
    ],
  ),
];

function printList(list: AccessList): Block {
  const lines = [
    ...(list.remarks ?? []).map((remark) => ({ sequence: remark.sequence, text: `remark ${remark.text}` })),
    ...list.entries.map((entry) => ({ sequence: entry.sequence, text: describeEntry(entry, list.kind) })),
  ];
  lines.sort((a, b) => a.sequence - b.sequence);
  return block(`ip access-list ${list.kind} ${list.name}`, ...lines.map(({ sequence, text }) => `${sequence} ${text}`));
}

export function printAccessLists(config: Config): Block[] {
  return [...config.accessLists.values()].map(printList);
}
