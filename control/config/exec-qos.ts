// The exec commands of QoS: `show class-map`, `show policy-map`. Does not yet: `show policy-map interface`, which needs what stages count.

import { word } from './arguments.js';
import { type ExecNode, show } from './exec-node.js';
import { argument, keyword, refused } from './tree.js';

const showClassMap = show((args) => ({ topic: 'class-map', name: args.optionalText('name') }));
const showPolicyMap = show((args) => ({ topic: 'policy-map', name: args.optionalText('name'), class: args.optionalText('class') }));
const classNode: ExecNode = keyword('class', 'Show a specified class', {
  next: [argument('class', word(), 'Class name', { run: showPolicyMap })],
});

/** Below `show`. */
export const showQosNodes: ExecNode[] = [
  keyword('class-map', 'Show QoS Class Map', {
    run: showClassMap,
    next: [argument('name', word(), 'Class-map name', { run: showClassMap })],
  }),
  keyword('policy-map', 'Show QoS Policy Map', {
    run: showPolicyMap,
    next: [
      refused('interface', 'show policy-map interface is not supported yet', 'no packet passes by a service-policy'),
      argument('name', word(), 'Policy-map name', { run: showPolicyMap, next: [classNode] }),
    ],
  }),
];
