// `export keys wireshark DIR`: the keys of SAs for Wireshark, of those that are and of those that were since `crypto key export wireshark` is in the configuration.
// Without that line nothing is kept and nothing is exported. Log and answer say how many there were, never a key.

import { lstatSync, mkdirSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import type { SaMaterial } from './compile/rows.js';
import type { ExecCommand } from './config/exec.js';
import { done, type ExecAnswer, refused } from './exec.js';
import type { Phase1Sa } from './isakmp/phase1-sa.js';
import { espSaLine, KeyLog, type KeySink } from './key-log.js';
import type { SystemLog } from './log.js';

/** SAs of each kind that are remembered; the oldest give way. */
const MostKept = 4096;

interface IkeKey {
  initiatorCookie: Uint8Array;
  encryptionKey: Uint8Array;
}

export interface KeyExportMeans {
  /** The running configuration has `crypto key export wireshark`. */
  isPermitted(): boolean;
  /** Phase-1 SAs there are. */
  phase1(): Phase1Sa[];
  log: Pick<SystemLog, 'write'>;
}

export class KeyExport implements KeySink {
  /** By SPI and key. */
  private readonly sas = new Map<string, SaMaterial>();
  private readonly ike = new Map<string, IkeKey>();

  constructor(private readonly means: KeyExportMeans) {}

  writeTek(tek: SaMaterial): void {
    if (this.review()) remember(this.sas, `${tek.spi} ${nameOf(tek.encryptionKey)}`, tek);
  }

  writeIke(initiatorCookie: Uint8Array, encryptionKey: Uint8Array): void {
    if (this.review()) remember(this.ike, nameOf(initiatorCookie), { initiatorCookie, encryptionKey });
  }

  /** @returns null when the line is none of ours */
  run(command: ExecCommand | { error: string }): ExecAnswer | null {
    if ('error' in command || command.kind !== 'export keys wireshark') return null;
    const { directory } = command;
    if (!this.review()) return refused('% Keys are not exported: the configuration does not say crypto key export wireshark');
    if (!isAbsolute(directory)) return refused(`% ${directory}: a path from the root is needed: the router runs in another directory`);
    for (const { initiatorCookie, key } of this.means.phase1()) if (key.length > 0) this.writeIke(initiatorCookie, key);
    try {
      const problem = problemOf(directory);
      if (problem !== null) return refused(`% ${directory}: ${problem}`);
      const tables = new KeyLog(directory);
      for (const sa of this.sas.values()) tables.writeTek(sa);
      for (const { initiatorCookie, encryptionKey } of this.ike.values()) tables.writeIke(initiatorCookie, encryptionKey);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      return refused(`% ${directory}: ${message}`);
    }
    const unknown = [...this.sas.values()].filter((sa) => espSaLine(sa) === null).length;
    const counts = `${this.sas.size - unknown} IPsec SAs and ${this.ike.size} ISAKMP SAs`;
    this.means.log.write('CRYPTO', 4, 'KEY_EXPORT', `the keys of ${counts} were exported to ${directory} (export keys wireshark)`);
    const without = unknown === 0 ? [] : [`% ${unknown} IPsec SAs have a cipher that Wireshark 4.0 does not know`];
    return done(`Keys of ${counts} are in ${directory}: whoever reads it can read the traffic`, ...without);
  }

  /** Without permission nothing stays. @returns whether it is there; to be asked when the configuration has changed */
  review(): boolean {
    if (this.means.isPermitted()) return true;
    this.sas.clear();
    this.ike.clear();
    return false;
  }
}

function nameOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= MostKept) return;
    map.delete(oldest);
  }
}

/** Makes the directory when it is not there. Others must not read what is in it, nor have put anything in its place. @returns what is wrong, null = nothing */
function problemOf(directory: string): string | null {
  const found = lstatSync(directory, { throwIfNoEntry: false });
  if (found === undefined) {
    mkdirSync(directory, { mode: 0o700 }); // not `recursive`, which never ends below /proc
    return null;
  }
  if (!found.isDirectory()) return 'not a directory';
  const isOwn = found.uid === process.geteuid?.();
  return isOwn && (found.mode & 0o077) === 0 ? null : 'it is open to others: take a new one, or chmod 700';
}

/** Several at once. */
export function joinSinks(sinks: readonly KeySink[]): KeySink {
  return {
    writeTek: (tek) => {
      for (const sink of sinks) sink.writeTek(tek);
    },
    writeIke: (cookie, key) => {
      for (const sink of sinks) sink.writeIke(cookie, key);
    },
  };
}
