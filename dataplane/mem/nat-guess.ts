// Looks many keys up in a table that no cache holds, by a part of each that nearly always tells: step by step for all of them, so that loads do not wait for
// each other, and without branches that depend on what was just loaded. What it finds is likely, not certain. Measured: bench/README.md.

import { NatRow } from '../tables/layout.js';

/** @returns 1 unless the number is 0, without a branch */
function isNot0(value: number): number {
  return (value | -value) >>> 31;
}

/**
 * @param heads first rows of the chains + 1, 0 = none @param link, @param key words of a row: the next of its chain + 1; what is compared
 * @param places in: chains of the keys; out: row + 1, 0 = none @param keys 32 bits each @param open room for `count` numbers
 * @returns what it read, for the caller to keep: it must not be left out as useless
 */
export function guessRows(
  rows: Int32Array,
  heads: Int32Array,
  link: number,
  key: number,
  places: Int32Array,
  keys: Int32Array,
  count: number,
  open: Int32Array,
): number {
  let seen = 0;
  for (let i = 0; i < count; i++) seen ^= heads[places[i]];
  let left = 0;
  for (let i = 0; i < count; i++) {
    const row = heads[places[i]];
    places[i] = row;
    open[left] = i;
    left += isNot0(row);
  }
  while (left > 0) {
    for (let i = 0; i < left; i++) seen ^= rows[(places[open[i]] - 1) * NatRow.Words];
    let next = 0;
    for (let i = 0; i < left; i++) {
      const place = open[i];
      const at = (places[place] - 1) * NatRow.Words;
      const isOther = isNot0(rows[at + key] ^ keys[place]);
      const following = rows[at + link];
      places[place] = isOther === 0 ? places[place] : following;
      open[next] = place;
      next += isOther & isNot0(following);
    }
    left = next;
  }
  return seen;
}
