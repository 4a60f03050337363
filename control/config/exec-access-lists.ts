// The exec commands of access lists: `show access-lists`, `show ip access-lists`, `show ip interface`, `show object-group`, `clear access-list counters`.

import { interfaceName, word } from './arguments.js';
import { type ExecNode, give, show } from './exec-node.js';
import { argument, keyword, path } from './tree.js';

const showAccessLists = show((args) => ({ topic: 'access-lists', name: args.optionalText('name') }));
const showInterface = show((args) => ({ topic: 'ip interface', interface: args.optionalText('interface') }));
const showObjectGroup = show((args) => ({ topic: 'object-group', name: args.optionalText('name') }));
const clearCounters = give((args) => ({ kind: 'clear access-list counters', name: args.optionalText('name') }));

const listName: ExecNode = argument('name', word(), 'Access list name or number', { run: showAccessLists });

/** Below `show`. */
export const showAccessListNodes: ExecNode[] = [
  keyword('access-lists', 'List access lists', { run: showAccessLists, next: [listName] }),
  keyword('object-group', 'List object groups', {
    run: showObjectGroup,
    next: [argument('name', word(), 'Object group name', { run: showObjectGroup })],
  }),
];

/** Below `show ip`. */
export const showIpAccessListNodes: ExecNode[] = [
  keyword('traffic', 'IP protocol statistics', { run: show(() => ({ topic: 'ip traffic' })) }),
  keyword('virtual-reassembly', 'IP Virtual Fragment Reassembly (VFR) information', {
    run: show(() => ({ topic: 'ip virtual-reassembly' })),
  }),
  keyword('access-lists', 'List IP access lists', {
    run: showAccessLists,
    next: [
      path(
        [['interface', 'List access lists applied to an interface']],
        [
          argument('interface', interfaceName, 'Interface name', {
            run: show((args) => ({ topic: 'ip access-lists interface', interface: args.text('interface') })),
          }),
        ],
      ),
      listName,
    ],
  }),
  keyword('interface', 'IP interface status and configuration', {
    run: showInterface,
    next: [
      keyword('brief', 'Brief summary of IP status and configuration', { run: show(() => ({ topic: 'ip interface brief' })) }),
      argument('interface', interfaceName, 'Interface name', { run: showInterface }),
    ],
  }),
];

/** Below `clear`. */
export const clearAccessListNode: ExecNode = path(
  [['access-list', 'Clear access list statistical information']],
  [
    keyword('counters', 'Clear access list counters', {
      run: clearCounters,
      next: [argument('name', word(), 'Access list name or number', { run: clearCounters })],
    }),
  ],
);
