// `export keys wireshark DIR`.

import { word } from './arguments.js';
import { type ExecNode, give } from './exec-node.js';
import { argument, path } from './tree.js';

export interface ExportCommand {
  kind: 'export keys wireshark';
  directory: string;
}

export const exportNode: ExecNode = path(
  [
    ['export', 'Export'],
    ['keys', 'Keys of IPsec and ISAKMP SAs'],
    ['wireshark', 'In the tables of Wireshark'],
  ],
  [
    argument('directory', word(1024), 'Directory; the last part of it is made when it is not there', {
      run: give((args) => ({ kind: 'export keys wireshark', directory: args.text('directory') })),
    }),
  ],
);
