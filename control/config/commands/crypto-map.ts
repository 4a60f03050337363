// crypto map NAME SEQ gdoi|ipsec-isakmp: which group, or which peer, protects an interface. Fail-close is in fail-close.ts, what is said of peers in
// crypto-map-ipsec.ts. Does not: ipsec-manual, dynamic maps.

import { integer, word } from '../arguments.js';
import { type Block, block } from '../blocks.js';
import type { Config, CryptoMapEntry } from '../model.js';
import { ConfigError, type Edit } from '../session.js';
import { type Args, argument, keyword, type Node, path, refused } from '../tree.js';
import { emptySiteToSite, localAddressNode, printLocalAddresses, printSiteToSite, siteToSiteNodes } from './crypto-map-ipsec.js';
import { failCloseNode, forgetFailClose, printFailCloses } from './fail-close.js';
import { matchAddress } from './match-address.js';
import { preClassifyNode } from './policy-map.js';

type MapEdit = Edit<'config-crypto-map'>;

type Kind = CryptoMapEntry['kind'];

function opening({ name, sequence, kind }: Pick<CryptoMapEntry, 'name' | 'sequence' | 'kind'>): string {
  return `crypto map ${name} ${sequence} ${kind}`;
}

function enterEntry(kind: Kind, args: Args, { session, target }: Edit<'config'>): void {
  const name = args.text('name');
  const sequence = args.number('sequence');
  const entries = target.cryptoMaps.get(name) ?? [];
  target.cryptoMaps.set(name, entries);
  let entry = entries.find((other) => other.sequence === sequence);
  if (!entry) {
    entry = { line: session.line, name, sequence, kind, group: null, matchAddress: null };
    if (kind === 'ipsec-isakmp') entry.ipsec = emptySiteToSite();
    session.mark(entry, '');
    entries.push(entry);
    entries.sort((a, b) => a.sequence - b.sequence);
  }
  if (entry.kind !== kind)
    throw new ConfigError(`crypto map ${name} ${sequence} is ${entry.kind} already`, `no crypto map ${name} ${sequence}`);
  session.enter('config-crypto-map', entry, opening(entry));
}

function removeMap(args: Args, edit: Edit<'config'>): void {
  const { session, target } = edit;
  const name = args.text('name');
  const sequence = args.optionalNumber('sequence');
  const entries = target.cryptoMaps.get(name) ?? [];
  const removed = entries.filter((entry) => sequence === null || entry.sequence === sequence);
  const wasClosed = sequence === null && forgetFailClose(name, edit);
  if (sequence === null) target.localAddresses.delete(name);
  if (removed.length === 0) {
    if (!wasClosed) session.warnAbsent(`crypto map ${name}${sequence === null ? '' : ` ${sequence}`}`);
    return;
  }
  const kept = entries.filter((entry) => !removed.includes(entry));
  if (kept.length > 0) target.cryptoMaps.set(name, kept);
  else target.cryptoMaps.delete(name);
  for (const entry of removed) session.forgetLinesIn([opening(entry)]);
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
                  keyword('gdoi|gkm', 'GDOI', { run: (args, edit) => enterEntry('gdoi', args, edit) }),
                  keyword('ipsec-isakmp', 'IPSEC w/ISAKMP', {
                    run: (args, edit) => enterEntry('ipsec-isakmp', args, edit),
                    next: [refused('dynamic', 'dynamic crypto maps are not supported yet', 'set peer A for each peer')],
                  }),
                  refused('ipsec-manual', 'crypto map ... ipsec-manual is not supported', 'ipsec-isakmp'),
                ],
              }),
              path([['gdoi|gkm', 'GDOI']], [failCloseNode]),
              localAddressNode,
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
              if (target.ipsec) throw new ConfigError(`crypto map ${target.name} ${target.sequence} is no gdoi entry`, 'set peer A');
              target.group = args.text('group');
              session.mark(target, 'group');
            },
          }),
        ],
      }),
      ...siteToSiteNodes,
    ],
  }),
  matchAddress('Access list of traffic that this member keeps in the clear, or that the peer protects'),
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
    opening(entry),
    ...(entry.ipsec ? printSiteToSite(entry.ipsec) : []),
    entry.group !== null && `set group ${entry.group}`,
    entry.matchAddress !== null && `match address ${entry.matchAddress}`,
    entry.qosPreClassify === true && 'qos pre-classify',
  );
}

export function printCryptoMaps(config: Config): Block[] {
  return [...printFailCloses(config), ...printLocalAddresses(config), ...[...config.cryptoMaps.values()].flat().map(printEntry)];
}
