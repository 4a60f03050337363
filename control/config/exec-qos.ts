// The exec commands of QoS: `show class-map`, `show policy-map`, `show policy-map interface`.

import { interfaceName, word } from './arguments.js';
import { type ExecNode, show } from './exec-node.js';
import { argument, keyword } from './tree.js';

const showClassMap = show((args) => ({ topic: 'class-map', name: args.optionalText('name') }));
const showPolicyMap = show((args) => ({ topic: 'policy-map', name: args.optionalText('name'), class: args.optionalText('class') }));
const classNode: ExecNode = keyword('class', 'Show a specified class', {
  next: [argument('class', word(), 'Class name', { run: showPolicyMap })],
});

const showOnInterface = show((args) => ({
  topic: 'policy-map interface',
  interface: args.optionalText('interface'),
  direction: args.optionalText('direction') as 'input' | 'output' | null,
  class: args.optionalText('class'),
}));
const classOnInterface: ExecNode = keyword('class', 'Show a specified class', {
  next: [argument('class', word(), 'Class name', { run: showOnInterface })],
});
const belowInterface: ExecNode[] = [
  ...(['input', 'output'] as const).map((direction) =>
    keyword(direction, `Show the ${direction} policy`, { set: ['direction', direction], run: showOnInterface, next: [classOnInterface] }),
  ),
  classOnInterface,
];

/** Below `show`. */
export const showQosNodes: ExecNode[] = [
  keyword('class-map', 'Show QoS Class Map', {
    run: showClassMap,
    next: [argument('name', word(), 'Class-map name', { run: showClassMap })],
  }),
  keyword('policy-map', 'Show QoS Policy Map', {
    run: showPolicyMap,
    next: [
      keyword('interface', 'Show QoS policies of interfaces', {
        run: showOnInterface,
        next: [argument('interface', interfaceName, 'Interface name', { run: showOnInterface, next: belowInterface }), ...belowInterface],
      }),
      argument('name', word(), 'Policy-map name', { run: showPolicyMap, next: [classNode] }),
    ],
  }),
];
