// ip tcp adjust-mss of an interface.

import { integer } from '../arguments.js';
import type { InterfaceConfig } from '../model.js';
import type { Edit } from '../session.js';
import { argument, keyword, type Node, path } from '../tree.js';

type InterfaceEdit = Edit<'config-if'>;

/** IOS begins at 500. A path of 576 bytes (RFC 791) needs less: with AES and SHA-1 inside a group 470. */
const leastMss = 64;
const greatestMss = 1460;

export const mtuInterfaceNodes: Node<InterfaceEdit>[] = [
  path(
    [['tcp', 'TCP interface commands']],
    [
      keyword('adjust-mss', 'Adjust the mss of transit packets', {
        commit: true,
        no: (_, { target }) => {
          delete target.adjustMss;
        },
        next: [
          argument('mss', integer(leastMss, greatestMss), 'Maximum segment size in bytes', {
            run: (args, { session, target }) => {
              target.adjustMss = args.number('mss');
              session.mark(target, 'adjustMss');
            },
            no: (_, { target }) => {
              delete target.adjustMss;
            },
          }),
        ],
      }),
    ],
  ),
];

export function printInterfaceMss({ adjustMss }: InterfaceConfig): string | false {
  return adjustMss !== undefined && `ip tcp adjust-mss ${adjustMss}`;
}
