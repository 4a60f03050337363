// Whether the tables hold another flow that a peer asks for: two crypto entries on every port with a crypto map. Does not: count lines of access lists and
// SA slots: where those end, compilation says so and the old tables stay.

import { Cap, CryptoEntry } from '../dataplane/tables/layout.js';
import { blobNames } from '../dataplane/tables/message.js';
import type { Tables } from './compile/tables.js';
import type { Config } from './config/model.js';

const CryptoEntriesBlob = blobNames.indexOf('cryptoEntries');

/** @param tables as they were compiled last; null = not yet */
export function hasRoomForFlow(tables: Tables | null, { interfaces }: Config): boolean {
  const words = (tables?.blobs[CryptoEntriesBlob].byteLength ?? 0) / Int32Array.BYTES_PER_ELEMENT;
  const ports = [...interfaces.values()].filter(({ cryptoMap }) => cryptoMap !== null).length;
  return words / CryptoEntry.Words + 2 * ports <= Cap.CryptoEntries;
}
