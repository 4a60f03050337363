// `clear crypto sa [peer A]`: the SAs between gateways.

import { ipv4 } from './arguments.js';
import { type ExecNode, give } from './exec-node.js';
import { argument, keyword } from './tree.js';

const run = give((args) => ({ kind: 'clear crypto sa', peer: args.optionalNumber('peer') }));

export const clearSaNode: ExecNode = keyword('sa', 'Clear all crypto SAs with peers', {
  run,
  next: [keyword('peer', 'Clear all SAs for a given crypto peer', { next: [argument('peer', ipv4, 'IP address of peer', { run })] })],
});
