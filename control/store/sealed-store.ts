// State that must survive a restart (group keys, sequence numbers, sender IDs, RSA keys), sealed at rest. One file per name:
//
//   "GWS1" (4) | nonce (24) | XSalsa20-Poly1305 box (libsodium crypto_secretbox) of: file name, 0, the bytes
//
// The name inside keeps one file from being taken for another.
// The key lies beside the files, mode 0600: sealing makes damage visible and keeps keys out of backups of single files; it does not
// protect from root. A journal beside it (journal.ts) takes small changes of a large state. Does not: key rotation, several writers (the
// instance lock sees to that).

import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import sodium from 'libsodium-wrappers';
import { appendRecord, closeJournal, openJournal, readJournal, sealEntry } from './journal.js';

const Magic = Uint8Array.of(0x47, 0x57, 0x53, 0x31);
const KeyFile = 'seal.key';
const Suffix = '.sealed';
const JournalSuffix = '.journal';

/** Why a file could not be used. Its text names the file and never holds its contents. */
export type ReportDamage = (message: string) => void;

function readOrNull(path: string): Uint8Array | null {
  try {
    return new Uint8Array(readFileSync(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function syncDirectory(directory: string): void {
  const fd = openSync(directory, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Atomic: after a crash at any point the old or the new contents are there, whole.
 * @param temporary beside it, made anew: what stands there is removed, and so is this when it fails @throws the system's error
 */
export function writeDurably(path: string, bytes: Uint8Array, mode = 0o600, temporary = `${path}.tmp`): void {
  try {
    rmSync(temporary, { force: true });
    const fd = openSync(temporary, 'wx', mode);
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncDirectory(dirname(path));
}

function labelOf(file: string): Uint8Array {
  return new TextEncoder().encode(`${file}\0`);
}

/** The journal of one entry of the store, while it may be appended to. */
interface Journal {
  /** Nonce of the sealed file. */
  owner: Uint8Array;
  /** null = not opened since the sealed file was written or read. */
  fd: number | null;
  entries: number;
  length: number;
}

function nonceOf(sealed: Uint8Array): Uint8Array {
  return sealed.slice(Magic.length, Magic.length + sodium.crypto_secretbox_NONCEBYTES);
}

export class SealedStore {
  private readonly journals = new Map<string, Journal>();

  private constructor(
    private readonly directory: string,
    private readonly key: Uint8Array,
    private readonly report: ReportDamage,
  ) {}

  /**
   * Opens or creates the store.
   * @param directory made with mode 0700 when it is missing
   * @param report told once per damaged file, which is then set aside as NAME.damaged; default: a line on stderr
   * @throws when the directory cannot be used
   */
  static async open(
    directory: string,
    report: ReportDamage = (message) => void process.stderr.write(`groupwire: ${message}\n`),
  ): Promise<SealedStore> {
    await sodium.ready;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const path = join(directory, KeyFile);
    let key = readOrNull(path);
    if (key && key.length !== sodium.crypto_secretbox_KEYBYTES) {
      renameSync(path, `${path}.damaged`);
      report(`${path} is damaged (${key.length} bytes): set aside as ${KeyFile}.damaged; what was sealed with it cannot be read`);
      key = null;
    }
    if (!key) {
      key = sodium.randombytes_buf(sodium.crypto_secretbox_KEYBYTES);
      writeDurably(path, key);
    }
    return new SealedStore(directory, key, report);
  }

  /** @returns null when there is no such entry, or when its file is damaged (reported, set aside) @throws RangeError on a bad name */
  load(name: string): Uint8Array | null {
    return this.loadWithJournal(name)?.bytes ?? null;
  }

  /** What was saved and what was appended to it since, in order; null as load(). A damaged journal damages the whole. */
  loadWithJournal(name: string): { bytes: Uint8Array; entries: Uint8Array[] } | null {
    const path = join(this.directory, this.fileOf(name));
    const sealed = readOrNull(path);
    if (!sealed) return null;
    const bytes = this.unseal(sealed, labelOf(this.fileOf(name)));
    const owner = nonceOf(sealed);
    const journal = readJournal(readOrNull(path + JournalSuffix) ?? new Uint8Array(0), owner, this.key);
    if (bytes && journal) {
      this.forgetJournal(name);
      this.journals.set(name, { owner, fd: null, entries: journal.entries.length, length: journal.length });
      return { bytes, entries: journal.entries };
    }
    renameSync(path, `${path}.damaged`);
    this.report(`${path} is damaged or was sealed with another key: set aside as ${name}${Suffix}.damaged`);
    return null;
  }

  /**
   * Adds to what was saved last; on disk when it returns.
   * @returns false when nothing was saved or loaded under that name in this process: save() first
   * @throws the system's error (disk full): what was appended before is still there
   */
  append(name: string, bytes: Uint8Array): boolean {
    const journal = this.journals.get(name);
    if (!journal) return false;
    journal.fd ??= this.openJournal(name, journal);
    const record = sealEntry(bytes, journal.owner, journal.entries, this.key);
    appendRecord(journal.fd, record, journal.length);
    journal.entries++;
    journal.length += record.length;
    return true;
  }

  /** On disk when it returns. @throws RangeError on a bad name, or the system's error (disk full): the old contents are still there */
  save(name: string, bytes: Uint8Array): void {
    const file = this.fileOf(name);
    const nonce = sodium.randombytes_buf(sodium.crypto_secretbox_NONCEBYTES);
    const label = labelOf(file);
    const plain = new Uint8Array(label.length + bytes.length);
    plain.set(label);
    plain.set(bytes, label.length);
    const box = sodium.crypto_secretbox_easy(plain, nonce, this.key);
    sodium.memzero(plain);
    const sealed = new Uint8Array(Magic.length + nonce.length + box.length);
    sealed.set(Magic);
    sealed.set(nonce, Magic.length);
    sealed.set(box, Magic.length + nonce.length);
    writeDurably(join(this.directory, file), sealed);
    this.forgetJournal(name);
    this.journals.set(name, { owner: nonce, fd: null, entries: 0, length: 0 });
  }

  remove(name: string): void {
    this.forgetJournal(name);
    for (const suffix of ['', JournalSuffix]) rmSync(join(this.directory, this.fileOf(name) + suffix), { force: true });
    syncDirectory(this.directory);
  }

  /** Sorted. */
  names(): string[] {
    return readdirSync(this.directory)
      .filter((file) => file.endsWith(Suffix))
      .map((file) => decodeURIComponent(file.slice(0, -Suffix.length)))
      .sort();
  }

  private openJournal(name: string, journal: Journal): number {
    const fd = openJournal(join(this.directory, this.fileOf(name) + JournalSuffix), journal.length);
    syncDirectory(this.directory);
    return fd;
  }

  private forgetJournal(name: string): void {
    const fd = this.journals.get(name)?.fd ?? null;
    if (fd !== null) closeJournal(fd);
    this.journals.delete(name);
  }

  private unseal(sealed: Uint8Array, label: Uint8Array): Uint8Array | null {
    const boxAt = Magic.length + sodium.crypto_secretbox_NONCEBYTES;
    if (sealed.length < boxAt + sodium.crypto_secretbox_MACBYTES || !Magic.every((byte, i) => sealed[i] === byte)) return null;
    try {
      const plain = sodium.crypto_secretbox_open_easy(sealed.subarray(boxAt), sealed.subarray(Magic.length, boxAt), this.key);
      return label.every((byte, i) => plain[i] === byte) ? plain.slice(label.length) : null;
    } catch {
      return null; // libsodium throws on a wrong tag: the caller reports the damage
    }
  }

  /** Names come from configuration text (key labels): everything that is not a plain letter is escaped, so none can leave the directory. */
  private fileOf(name: string): string {
    if (name.length === 0 || name.length > 60) throw new RangeError(`state name of ${name.length} characters: expected 1 to 60`);
    let file: string;
    try {
      file = encodeURIComponent(name).replace(/[.!~*'()]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
    } catch (error) {
      throw new RangeError('state name is not valid Unicode', { cause: error });
    }
    return file + Suffix;
  }
}
