// crypto map NAME SEQ gdoi|ipsec-isakmp: which group, or which peer, protects an interface. Fail-close is in fail-close.ts, what is said of peers in
// crypto-map-ipsec.ts, dynamic maps in dynamic-map.ts. Does not: ipsec-manual.

import { integer, word } from '../arguments.js';
import { type Block, block } from '../blocks.js';
import type { Config, CryptoMapEntry } from '../model.js';
import { ConfigError, type Edit } from '../session.js';
import { type Args, argument, keyword, type Node, path, refused } from '../tree.js';
import {
  emptySiteToSite,
  localAddressNode,
  mapProfileNode,
  printMapSettings,
  printSiteToSite,
  siteToSiteNodes,
} from './crypto-map-ipsec.js';
import { printDynamicMaps } from './dynamic-map.js';
import { failCloseNode, forgetFailClose, printFailCloses } from './fail-close.js';
import { matchAddress } from './match-address.js';
import { preClassifyNode } from './policy-map.js';
import { printReverseDistance, printReverseRoute, reverseRouteNode, setReverseRouteNode } from './reverse-route.js';

type MapEdit = Edit<'config-crypto-map'>;

type Kind = CryptoMapEntry['kind'];

function opening({ name, sequence, kind, dynamic }: CryptoMapEntry): string {
  return `crypto map ${name} ${sequence} ${kind}${dynamic === undefined ? '' : ` dynamic ${dynamic}`}`;
}

function openEntry(kind: Kind, args: Args, { session, target }: Edit<'config'>, dynamic: string | null = null): CryptoMapEntry {
  const name = args.text('name');
  const sequence = args.number('sequence');
  const entries = target.cryptoMaps.get(name) ?? [];
  target.cryptoMaps.set(name, entries);
  let entry = entries.find((other) => other.sequence === sequence);
  if (!entry) {
    entry = { line: session.line, name, sequence, kind, group: null, matchAddress: null };
    if (dynamic !== null) entry.dynamic = dynamic;
    else if (kind === 'ipsec-isakmp') entry.ipsec = emptySiteToSite();
    session.mark(entry, '');
    entries.push(entry);
    entries.sort((a, b) => a.sequence - b.sequence);
  }
  if (entry.kind !== kind || (entry.dynamic === undefined) !== (dynamic === null))
    throw new ConfigError(
      `crypto map ${name} ${sequence} is ${entry.kind}${entry.dynamic === undefined ? '' : ' dynamic'} already`,
      `no crypto map ${name} ${sequence}`,
    );
  return entry;
}

function enterEntry(kind: Kind, args: Args, edit: Edit<'config'>): void {
  const entry = openEntry(kind, args, edit);
  edit.session.enter('config-crypto-map', entry, opening(entry));
}

/** A line of its own: what is said of peers stands in the dynamic map. */
function referDynamic(args: Args, edit: Edit<'config'>): void {
  const dynamic = args.text('dynamic');
  const entry = openEntry('ipsec-isakmp', args, edit, dynamic);
  entry.dynamic = dynamic;
  edit.session.mark(entry, 'dynamic');
}

function removeMap(args: Args, edit: Edit<'config'>): void {
  const { session, target } = edit;
  const name = args.text('name');
  const sequence = args.optionalNumber('sequence');
  const entries = target.cryptoMaps.get(name) ?? [];
  const removed = entries.filter((entry) => sequence === null || entry.sequence === sequence);
  const wasClosed = sequence === null && forgetFailClose(name, edit);
  if (sequence === null) {
    target.localAddresses.delete(name);
    target.mapProfiles.delete(name);
  }
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
                    next: [
                      keyword('dynamic', 'Enable dynamic crypto map support', {
                        next: [
                          argument('dynamic', word(), 'Name of dynamic-map template', {
                            run: referDynamic,
                            next: [refused('discover', 'tunnel endpoint discovery is not supported')],
                          }),
                        ],
                      }),
                    ],
                  }),
                  refused('ipsec-manual', 'crypto map ... ipsec-manual is not supported', 'ipsec-isakmp'),
                ],
              }),
              path([['gdoi|gkm', 'GDOI']], [failCloseNode]),
              localAddressNode,
              mapProfileNode,
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
      setReverseRouteNode,
    ],
  }),
  reverseRouteNode,
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

/** @param head the line that opens it */
export function printMapEntry(entry: CryptoMapEntry, head: string): Block {
  return block(
    head,
    ...(entry.ipsec ? [...printSiteToSite(entry.ipsec), printReverseDistance(entry.ipsec)] : []),
    entry.group !== null && `set group ${entry.group}`,
    entry.matchAddress !== null && `match address ${entry.matchAddress}`,
    entry.qosPreClassify === true && 'qos pre-classify',
    entry.ipsec !== undefined && printReverseRoute(entry.ipsec),
  );
}

export function printCryptoMaps(config: Config): Block[] {
  const entries = [...config.cryptoMaps.values()].flat().map((entry) => printMapEntry(entry, opening(entry)));
  return [...printFailCloses(config), ...printMapSettings(config), ...printDynamicMaps(config), ...entries];
}
