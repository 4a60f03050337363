// Which families of commands two configurations differ in, so that a reload touches only those. Two families are equal when they
// print the same: print loses nothing, and line numbers do not count.

import type { Block } from './blocks.js';
import type { Config } from './model.js';
import { type FamilyName, families } from './modes.js';

export type { FamilyName } from './modes.js';

/** @returns the families that changed, in the order of a running configuration; unknown lines have no effect and do not count */
export function diffConfig(before: Config, after: Config): Set<FamilyName> {
  const changed = new Set<FamilyName>();
  for (const { name, print } of families) {
    if (!sameBlocks(print(before, { secrets: true }), print(after, { secrets: true }))) changed.add(name);
  }
  return changed;
}

function sameBlocks(a: Block[], b: Block[]): boolean {
  return a.length === b.length && a.every((block, i) => block.text === b[i].text && sameBlocks(block.children, b[i].children));
}
