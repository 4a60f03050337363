// crypto map NAME SEQ gdoi: which group protects an interface; fail-close is in fail-close.ts. Does not: ipsec-isakmp entries, local-address.

import { integer, word } from '../arguments.js';
import { type Block, block } from '../blocks.js';
import type { Config, CryptoMapEntry } from '../model.js';
import type { Edit } from '../session.js';
import { type Args, argument, keyword, type Node, path, refused } from '../tree.js';
import { failCloseNode, forgetFailClose, printFailCloses } from './fail-close.js';
import { matchAddress } from './match-address.js';
import { preClassifyNode } from './policy-map.js';

type MapEdit = Edit<'config-crypto-map'>;

function opening(name: string, sequence: number): string {
  return `crypto map ${name} ${sequence} gdoi`;
}

function enterEntry(args: Args, { session, target }: Edit<'config'>): void {
  const name = args.text('name');
  const sequence = args.number('sequence');
  const entries = target.cryptoMaps.get(name) ?? [];
  target.cryptoMaps.set(name, entries);
  let entry = entries.find((other) => other.sequence === sequence);
  if (!entry) {
    entry = { line: session.line, name, sequence, kind: 'gdoi', group: null, matchAddress: null };
    session.mark(entry, '');
    entries.push(entry);
    entries.sort((a, b) => a.sequence - b.sequence);
  }
  session.enter('config-crypto-map', entry, opening(name, sequence));
}

function removeMap(args: Args, edit: Edit<'config'>): void {
  const { session, target } = edit;
  const name = args.text('name');
  const sequence = args.optionalNumber('sequence');
  const entries = target.cryptoMaps.get(name) ?? [];
  const removed = entries.filter((entry) => sequence === null || entry.sequence === sequence);
  const wasClosed = sequence === null && forgetFailClose(name, edit);
  if (removed.length === 0) {
    if (!wasClosed) session.warnAbsent(`crypto map ${name}${sequence === null ? '' : ` ${sequence}`}`);
    return;
  }
  const kept = entries.filter((entry) => !removed.includes(entry));
  if (kept.length > 0) target.cryptoMaps.set(name, kept);
  else target.cryptoMaps.delete(name);
  for (const entry of removed) session.forgetLinesIn([opening(name, entry.sequence)]);
}

export const cryptoMapCommands: Node<Edit<'config'>>[] = [
  path(
    [['crypto', 'Encryption module']],
    [
      keyword('map', 'Enter a crypto map', {
        commit: true,
        next: [
          argument('name', word(), 'Crypto map tag', {
            no: removeMap,
            next: [
              argument('sequence', integer(1, 65535), 'Sequence to insert into crypto map entry', {
                no: removeMap,
                next: [
                  keyword('gdoi|gkm', 'GDOI', { run: enterEntry }),
                  refused('ipsec-isakmp', 'crypto map ... ipsec-isakmp is not supported yet', 'only gdoi entries are'),
                  refused('ipsec-manual', 'crypto map ... ipsec-manual is not supported', 'only gdoi entries are'),
                ],
              }),
              path([['gdoi|gkm', 'GDOI']], [failCloseNode]),
              refused('local-address', 'crypto map ... local-address is not supported yet'),
            ],
          }),
        ],
      }),
    ],
  ),
];

export const cryptoMapEntryCommands: Node<MapEdit>[] = [
  keyword('set', 'Set values for encryption/decryption', {
    commit: true,
    next: [
      keyword('group', 'GDOI group', {
        no: (_, { session, target }) => {
          target.group = null;
          session.mark(target, 'group');
        },
        next: [
          argument('group', word(80), 'Group name', {
            run: (args, { session, target }) => {
              target.group = args.text('group');
              session.mark(target, 'group');
            },
          }),
        ],
      }),
    ],
  }),
  matchAddress('Access list of traffic that this member keeps in the clear'),
  preClassifyNode<MapEdit>(
    (_, { target }) => {
      target.qosPreClassify = true;
    },
    (_, { target }) => {
      delete target.qosPreClassify;
    },
  ),
];

function printEntry(entry: CryptoMapEntry): Block {
  return block(
    opening(entry.name, entry.sequence),
    entry.group !== null && `set group ${entry.group}`,
    entry.matchAddress !== null && `match address ${entry.matchAddress}`,
    entry.qosPreClassify === true && 'qos pre-classify',
  );
}

export function printCryptoMaps(config: Config): Block[] {
  return [...printFailCloses(config), ...[...config.cryptoMaps.values()].flat().map(printEntry)];
}
