// crypto key export wireshark (ours): `export keys wireshark DIR` is permitted, and keys are kept for it as long as the line is there. IOS has no such command.

import { type Block, block } from '../blocks.js';
import type { Config } from '../model.js';
import type { Edit } from '../session.js';
import { keyword, type Node, path } from '../tree.js';

const line = 'crypto key export wireshark';

export const keyExportCommands: Node<Edit<'config'>>[] = [
  path(
    [
      ['crypto', 'Encryption module'],
      ['key', 'Long term key operations'],
      ['export', 'Let keys be exported'],
    ],
    [
      keyword('wireshark', 'Keys of IPsec and ISAKMP SAs, in the tables of Wireshark', {
        commit: true,
        run: (_, { session, target }) => {
          target.keyExport = true;
          session.mark(target, 'keyExport');
        },
        no: (_, { target }) => {
          target.keyExport = false;
        },
      }),
    ],
  ),
];

export function printKeyExport(config: Config): Block[] {
  return config.keyExport ? [block(line)] : [];
}
