// crypto call admission limit ike rate: how many key exchanges and registrations a second a key server takes up. The command is IOS's
// call admission control; `rate` is our word (IOS limits numbers of SAs, not their rate).
// Does not: limit ike sa, in-negotiation-sa (half-open exchanges have fixed bounds: isakmp/half-open.ts), CPU or memory thresholds.

import { integer } from '../arguments.js';
import { type Block, block } from '../blocks.js';
import type { Config } from '../model.js';
import type { Edit } from '../session.js';
import { argument, keyword, type Node, path, refused } from '../tree.js';

const fixedBounds = 'numbers of IKE SAs are not configurable';
const useRate = 'use crypto call admission limit ike rate N';

export const admissionCommands: Node<Edit<'config'>>[] = [
  path(
    [
      ['crypto', 'Encryption module'],
      ['call', 'Configure Crypto Call Admission Control'],
      ['admission', 'Configure Crypto Call Admission Control'],
      ['limit', 'Configure Crypto Call Admission Control limit'],
      ['ike', 'Configure Call Admission Control for IKE'],
    ],
    [
      keyword('rate', 'Key exchanges and registrations a second', {
        commit: true,
        no: (_, { target }) => {
          delete target.registrationRate;
        },
        next: [
          argument('rate', integer(1, 10_000), 'Number a second', {
            run: (args, { target }) => {
              target.registrationRate = args.number('rate');
            },
          }),
        ],
      }),
      refused('sa', fixedBounds, useRate),
      refused('in-negotiation-sa', fixedBounds, useRate),
    ],
  ),
];

export function printAdmission(config: Config): Block[] {
  return config.registrationRate === undefined ? [] : [block(`crypto call admission limit ike rate ${config.registrationRate}`)];
}
