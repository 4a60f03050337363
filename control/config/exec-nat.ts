// The exec commands of NAT: `show ip nat ...`, `show route-map`, `clear ip nat translation *`.

import { word } from './arguments.js';
import { type ExecNode, give, show } from './exec-node.js';
import { argument, keyword, path, refused } from './tree.js';

const showTranslations = show((args) => ({ topic: 'ip nat translations', verbose: args.has('verbose') }));
const showRouteMap = show((args) => ({ topic: 'route-map', name: args.optionalText('name'), all: args.has('all') }));

/** Below `show ip`. */
export const showNatNodes: ExecNode[] = [
  path(
    [['nat', 'IP NAT information']],
    [
      keyword('statistics', 'Translation statistics', { run: show(() => ({ topic: 'ip nat statistics' })) }),
      keyword('translations', 'Translation entries', {
        run: showTranslations,
        next: [keyword('verbose', 'Show extra information', { set: ['verbose', 1], run: showTranslations })],
      }),
    ],
  ),
];

/** Below `show`. */
export const showRouteMapNode: ExecNode = keyword('route-map', 'Route-map information', {
  run: showRouteMap,
  next: [
    keyword('all', 'All route-maps, static and dynamic', { set: ['all', 1], run: showRouteMap }),
    argument('name', word(), 'Route-map name', { run: showRouteMap }),
  ],
});

const one = 'single translations cannot be cleared yet: clear ip nat translation *';

/** Below `clear`. */
export const clearNatNode: ExecNode = path(
  [
    ['ip', 'IP'],
    ['nat', 'Clear NAT'],
  ],
  [
    keyword('translation', 'Clear dynamic translations', {
      next: [
        keyword('*', 'Delete all dynamic translations', { run: give(() => ({ kind: 'clear ip nat translation' })) }),
        ...['forced', 'inside', 'outside', 'tcp', 'udp', 'vrf'].map((what) => refused<Parameters<typeof showTranslations>[1]>(what, one)),
      ],
    }),
    refused('statistics', 'counters are Prometheus counters and never go back'),
  ],
);
