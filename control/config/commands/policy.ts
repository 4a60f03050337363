// Where policy routing is done: `ip policy route-map NAME` on an interface for what comes in by it, `ip local policy route-map NAME` for what this
// host itself sends.

import { word } from '../arguments.js';
import { type Block, block } from '../blocks.js';
import type { Config, InterfaceConfig } from '../model.js';
import type { Edit } from '../session.js';
import { type Action, argument, keyword, type Node, path } from '../tree.js';

function mapNode<C>(run: Action<C>, no: Action<C>): Node<C> {
  return keyword('route-map', 'Policy route map', { no, next: [argument('name', word(), 'Route map name', { run, no })] });
}

/** Below `ip` of an interface. */
export const policyInterfaceNodes: Node<Edit<'config-if'>>[] = [
  keyword('policy', 'Enable policy routing', {
    commit: true,
    next: [
      mapNode<Edit<'config-if'>>(
        (args, { session, target }) => {
          target.policy = args.text('name');
          session.mark(target, 'policy');
        },
        (_, { session, target }) => {
          if (target.policy === undefined) session.warnAbsent('ip policy route-map');
          delete target.policy;
        },
      ),
    ],
  }),
];

export const policyCommands: Node<Edit<'config'>>[] = [
  path(
    [['ip', 'Global IP configuration subcommands']],
    [
      keyword('local', 'Specify local options', {
        commit: true,
        next: [
          path(
            [['policy', 'Enable policy routing of what this router sends']],
            [
              mapNode<Edit<'config'>>(
                (args, { session, target }) => {
                  target.localPolicy = args.text('name');
                  session.mark(target, 'localPolicy');
                },
                (_, { session, target }) => {
                  if (target.localPolicy === undefined) session.warnAbsent('ip local policy route-map');
                  delete target.localPolicy;
                },
              ),
            ],
          ),
        ],
      }),
    ],
  ),
];

export function printInterfacePolicy({ policy }: InterfaceConfig): string | false {
  return policy !== undefined && `ip policy route-map ${policy}`;
}

export function printPolicy({ localPolicy }: Config): Block[] {
  return localPolicy === undefined ? [] : [block(`ip local policy route-map ${localPolicy}`)];
}
