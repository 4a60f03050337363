// ip access-group NAME in|out and ip unreachables: what an interface lets through, and what it says about the rest.

import { word } from '../arguments.js';
import type { InterfaceConfig } from '../model.js';
import { ConfigError, type Edit } from '../session.js';
import { type Args, argument, keyword, type Node } from '../tree.js';

type InterfaceEdit = Edit<'config-if'>;
const fields = { in: 'accessGroupIn', out: 'accessGroupOut' } as const;

function remove(list: string | null, direction: 'in' | 'out', { session, target }: InterfaceEdit): void {
  const field = fields[direction];
  if (target[field] !== undefined && (list === null || target[field] === list)) delete target[field];
  else session.warnAbsent(`ip access-group ${list === null ? '' : `${list} `}${direction}`);
}

function directionNode(direction: 'in' | 'out', help: string): Node<InterfaceEdit> {
  const field = fields[direction];
  return keyword(direction, help, {
    run: (args, { session, target }) => {
      target[field] = args.text('list');
      session.mark(target, field);
    },
    no: (args, edit) => remove(args.text('list'), direction, edit),
  });
}

/** `no ip access-group in`: whatever its name. */
function removeAny(args: Args, edit: InterfaceEdit): void {
  const direction = args.text('list');
  if (direction !== 'in' && direction !== 'out') throw new ConfigError('% Incomplete command.', 'no ip access-group NAME in|out');
  remove(null, direction, edit);
}

/** Below `ip` of an interface. */
export const accessGroupNodes: Node<InterfaceEdit>[] = [
  keyword('access-group', 'Specify access control for packets', {
    commit: true,
    next: [
      argument('list', word(), 'Access list name or number', {
        no: removeAny,
        next: [directionNode('in', 'inbound packets'), directionNode('out', 'outbound packets')],
      }),
    ],
  }),
  keyword('unreachables', 'Enable sending ICMP Unreachable messages', {
    commit: true,
    run: (_, { target }) => {
      delete target.unreachables;
    },
    no: (_, { target }) => {
      target.unreachables = false;
    },
  }),
];

export function printAccessGroups({ accessGroupIn, accessGroupOut, unreachables }: InterfaceConfig): string[] {
  return [
    ...(accessGroupIn === undefined ? [] : [`ip access-group ${accessGroupIn} in`]),
    ...(accessGroupOut === undefined ? [] : [`ip access-group ${accessGroupOut} out`]),
    ...(unreachables === false ? ['no ip unreachables'] : []),
  ];
}
