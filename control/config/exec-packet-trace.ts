// `debug platform packet-trace packet N [access-list LIST]`, `undebug platform packet-trace`, `show platform packet-trace summary|packet N|all`. On IOS XE the list is a
// command of its own, `debug platform condition`.

import { integer, word } from './arguments.js';
import { type ExecNode, give, show } from './exec-node.js';
import { argument, keyword, path } from './tree.js';

/** Packets of one trace. */
export const MostTraced = 1024;

export type PacketTraceCommand =
  | { kind: 'debug packet-trace'; packets: number; accessList: string | null }
  | { kind: 'undebug packet-trace' };

const steps: [string, string][] = [
  ['platform', 'The packet path'],
  ['packet-trace', 'What becomes of packets'],
];
const run = give((args) => ({
  kind: 'debug packet-trace',
  packets: args.number('packets'),
  accessList: args.optionalText('accessList'),
}));

/** Behind `debug`. */
export const debugPacketTraceNode: ExecNode = path(steps, [
  keyword('packet', 'Follow the next packets', {
    next: [
      argument('packets', integer(1, MostTraced), 'How many', {
        run,
        next: [
          keyword('access-list', 'That an access list permits', {
            next: [argument('accessList', word(), 'Access list', { run })],
          }),
        ],
      }),
    ],
  }),
]);

/** Behind `no debug` and `undebug`. */
export const undebugPacketTraceNode: ExecNode = path(
  [['platform', 'The packet path']],
  [keyword('packet-trace', 'What becomes of packets', { run: give(() => ({ kind: 'undebug packet-trace' })) })],
);

/** Behind `show`. */
export const showPacketTraceNode: ExecNode = path(steps, [
  keyword('summary', 'A line for each packet', { run: show(() => ({ topic: 'packet-trace', packet: 'summary' })) }),
  keyword('packet', 'The way of packets', {
    next: [
      keyword('all', 'Of all', { run: show(() => ({ topic: 'packet-trace', packet: 'all' })) }),
      argument('packet', integer(0, MostTraced - 1), 'Number of the packet', {
        run: show((args) => ({ topic: 'packet-trace', packet: args.number('packet') })),
      }),
    ],
  }),
]);
