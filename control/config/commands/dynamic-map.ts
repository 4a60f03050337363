// crypto dynamic-map NAME SEQ: how traffic with peers of unknown address is protected. They begin; whom an entry is with, and for which traffic, comes from
// Quick Mode. What stands in an entry: crypto-map.ts, crypto-map-ipsec.ts, reverse-route.ts. Does not: ipsec-manual.

import { integer, word } from '../arguments.js';
import type { Block } from '../blocks.js';
import type { Config } from '../model.js';
import type { Edit } from '../session.js';
import { type Args, argument, keyword, type Node, path } from '../tree.js';
import { printMapEntry } from './crypto-map.js';
import { emptySiteToSite } from './crypto-map-ipsec.js';

function opening({ name, sequence }: { name: string; sequence: number }): string {
  return `crypto dynamic-map ${name} ${sequence}`;
}

function enterEntry(args: Args, { session, target }: Edit<'config'>): void {
  const name = args.text('name');
  const sequence = args.number('sequence');
  const entries = target.dynamicMaps.get(name) ?? [];
  target.dynamicMaps.set(name, entries);
  let entry = entries.find((other) => other.sequence === sequence);
  if (!entry) {
    entry = { line: session.line, name, sequence, kind: 'dynamic-map', group: null, matchAddress: null, ipsec: emptySiteToSite() };
    session.mark(entry, '');
    entries.push(entry);
    entries.sort((a, b) => a.sequence - b.sequence);
  }
  session.enter('config-crypto-map', entry, opening(entry));
}

function removeEntries(args: Args, { session, target }: Edit<'config'>): void {
  const name = args.text('name');
  const sequence = args.optionalNumber('sequence');
  const entries = target.dynamicMaps.get(name) ?? [];
  const removed = entries.filter((entry) => sequence === null || entry.sequence === sequence);
  if (removed.length === 0) session.warnAbsent(`crypto dynamic-map ${name}${sequence === null ? '' : ` ${sequence}`}`);
  const kept = entries.filter((entry) => !removed.includes(entry));
  if (kept.length > 0) target.dynamicMaps.set(name, kept);
  else target.dynamicMaps.delete(name);
  for (const entry of removed) session.forgetLinesIn([opening(entry)]);
}

export const dynamicMapCommands: Node<Edit<'config'>>[] = [
  path(
    [['crypto', 'Encryption module']],
    [
      keyword('dynamic-map', 'Specify a dynamic crypto map template', {
        commit: true,
        next: [
          argument('name', word(), 'Dynamic crypto map template tag', {
            no: removeEntries,
            next: [
              argument('sequence', integer(1, 65535), 'Sequence to insert into dynamic map entry', { run: enterEntry, no: removeEntries }),
            ],
          }),
        ],
      }),
    ],
  ),
];

export function printDynamicMaps({ dynamicMaps }: Config): Block[] {
  return [...dynamicMaps.values()].flat().map((entry) => printMapEntry(entry, opening(entry)));
}
