// What two configurations differ in, by the things of global configuration: an interface, a list, a group. Finer than diff.ts, where all
// interfaces are one family.

import type { Block } from './blocks.js';
import type { Config } from './model.js';
import { type FamilyName, families } from './modes.js';

/** Their lines are entries of lists: what one means hangs on those before it, so each family is one thing. */
const ordered: ReadonlySet<FamilyName> = new Set(['crypto-map', 'nat', 'route-map']);

function textOf(blocks: Block[]): string {
  return blocks.map(({ text, children }) => `${text}\n${children.length > 0 ? `{${textOf(children)}}` : ''}`).join('');
}

/** @returns the opening lines of what differs, or a family's name for all of its lines; not fit to be shown: there may be secrets in it */
export function changedThings(before: Config, after: Config): Set<string> {
  const changed = new Set<string>();
  for (const { name, print } of families) {
    const [a, b] = [before, after].map((config) => print(config, { secrets: true }));
    if (ordered.has(name)) {
      if (textOf(a) !== textOf(b)) changed.add(name);
      continue;
    }
    const [there, here] = [a, b].map((blocks) => new Map(blocks.map((block) => [block.text, textOf(block.children)])));
    for (const text of new Set([...there.keys(), ...here.keys()])) if (there.get(text) !== here.get(text)) changed.add(text);
  }
  return changed;
}
