// Rows of tables under construction: access lists, of which equal ones share theirs, crypto entries, SAs and their keys.

import { Ace, Cap, Sa, SaKey } from '../../dataplane/tables/layout.js';
import type { EspAuthentication, EspEncryption } from '../config/model.js';
import { appendAceRows } from './aces.js';
import { CapacityError, type HitCounters } from './allocation.js';
import type { AceOrigin, TracedEntry } from './crypto-entries.js';
import { authRow, cipherRow } from './transforms.js';

/** Rows under construction. */
export class Rows {
  readonly aces: number[] = [];
  readonly aceOrigins: AceOrigin[] = [];
  readonly aceCounters: number[] = [];
  readonly cryptoEntries: number[] = [];
  readonly sas = new Int32Array(Cap.Sas * Sa.Words);
  readonly saKeys = new Uint8Array(Cap.Sas * SaKey.Bytes);
  private readonly lists = new Map<string, { first: number; count: number }>();

  constructor(private readonly hits: HitCounters) {}

  /** Appends a list once; equal lists share their rows. */
  addAces(entries: readonly TracedEntry[]): { first: number; count: number } {
    const key = JSON.stringify(entries);
    const known = this.lists.get(key);
    if (known) return known;
    const first = this.aces.length / Ace.Words;
    const counterOf = this.numberCounters();
    for (const { entry, origin } of entries) {
      const counter = counterOf(entry, origin);
      const rows = appendAceRows(this.aces, entry, counter);
      for (let row = 0; row < rows; row++) {
        this.aceOrigins.push(origin);
        this.aceCounters.push(counter);
      }
      if (this.aceOrigins.length > Cap.Aces) throw new CapacityError(`more than ${Cap.Aces} access list rows`);
    }
    const added = { first, count: this.aces.length / Ace.Words - first };
    this.lists.set(key, added);
    return added;
  }

  /** For one list: an entry is known by what it says, and among equal ones of its origin by its place, so that others may come and go around it. */
  private numberCounters(): (entry: TracedEntry['entry'], origin: AceOrigin) => number {
    const counters = new Map<string, number>();
    const equal = new Map<string, number>();
    return (entry, origin) => {
      // What object groups make of an entry counts together, by the first of it.
      const place = `${origin.list} ${origin.entry}`;
      const known = counters.get(place);
      if (known !== undefined) return known;
      const text = `${origin.list} ${JSON.stringify(entry, (key, value) => (key === 'line' ? undefined : value))}`;
      const before = equal.get(text) ?? 0;
      equal.set(text, before + 1);
      const counter = this.hits.take(`${text} ${before}`);
      counters.set(place, counter);
      return counter;
    };
  }

  /** What an SA's algorithms say, and its keys. @returns its row, for the rest */
  writeSa(slot: number, serial: number, sa: SaMaterial): Int32Array {
    const cipher = cipherRow(sa.encryption);
    const auth = authRow(sa.authentication);
    const row = this.sas.subarray(slot * Sa.Words, (slot + 1) * Sa.Words);
    row[Sa.Serial] = serial;
    row[Sa.Spi] = sa.spi;
    row[Sa.Cipher] = cipher.cipher;
    row[Sa.Auth] = auth.auth;
    const copies = cipher.copies ?? 1;
    row[Sa.CipherKeyLen] = cipher.keyBytes * copies;
    row[Sa.AuthKeyLen] = auth.keyBytes;
    row[Sa.IvLen] = cipher.ivBytes;
    row[Sa.IcvLen] = cipher.icvBytes + auth.icvBytes;
    row[Sa.Align] = cipher.align;
    const key = this.saKeys.subarray(slot * SaKey.Bytes, (slot + 1) * SaKey.Bytes);
    for (let copy = 0; copy < copies; copy++) key.set(sa.encryptionKey, SaKey.Cipher + copy * cipher.keyBytes);
    key.set(sa.salt, SaKey.Salt);
    key.set(sa.integrityKey, SaKey.Auth);
    return row;
  }
}

/** Algorithms and keys of one SA. Secret. */
export interface SaMaterial {
  spi: number;
  encryption: EspEncryption;
  authentication: EspAuthentication | null;
  encryptionKey: Uint8Array;
  salt: Uint8Array;
  integrityKey: Uint8Array;
}
