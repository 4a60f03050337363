// A journal file of the sealed store on arbitrary bytes: read, or damaged; nothing is thrown, and no entry comes out that was not put in.

import sodium from 'libsodium-wrappers';
import { readJournal, sealEntry } from '../../control/store/journal.js';

await sodium.ready;
const key = new Uint8Array(32).fill(7);
const owner = new Uint8Array(24).fill(9);
const texts = ['', 'first', 'a second entry that is somewhat longer'];

/** A journal of three entries. */
export const journal = new Uint8Array(
  Buffer.concat(texts.map((text, number) => sealEntry(new TextEncoder().encode(text), owner, number, key))),
);

export function fuzz(bytes: Uint8Array): void {
  const contents = readJournal(bytes, owner, key);
  if (!contents) return;
  if (contents.length > bytes.length) throw new Error(`${contents.length} bytes of ${bytes.length}`);
  contents.entries.forEach((entry, i) => {
    if (new TextDecoder().decode(entry) !== texts[i]) throw new Error(`entry ${i} is not what was sealed`);
  });
}

export const seeds: readonly Uint8Array[] = [journal, journal.slice(0, journal.length - 9)];
