// Whether the tables hold another flow that a peer asks for: two crypto entries on every port with a crypto map.

import { Cap, CryptoEntry } from '../dataplane/tables/layout.js';
import type { Tables } from './compile/tables.js';
import type { Config } from './config/model.js';

const CryptoEntriesBlob = 1;

/** @param tables as they were compiled last; null = not yet */
export function hasRoomForFlow(tables: Tables | null, { interfaces }: Config): boolean {
  const words = (tables?.blobs[CryptoEntriesBlob].byteLength ?? 0) / Int32Array.BYTES_PER_ELEMENT;
  const ports = [...interfaces.values()].filter(({ cryptoMap }) => cryptoMap !== null).length;
  return words / CryptoEntry.Words + 2 * ports <= Cap.CryptoEntries;
}
