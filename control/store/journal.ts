// Entries appended to a sealed file, so that a small change of a large state costs one small write. NAME.sealed.journal:
//
//   length (4, of what follows) | its complement (4) | nonce (24) | XSalsa20-Poly1305 box of: nonce of the sealed file it belongs to (24) | number (4) | bytes
//
// An entry is only read behind the very file that it was appended to, and only in its place: entries of an older file, left by a crash
// between the writing of a new one and the emptying of the journal, are nothing. What a crash cut off at the end never counted: its append
// had not returned. Anything else that does not open is damage, and then the state is damaged as a whole: with an entry lost in the
// middle a sender ID could be given out again.

import { closeSync, fsyncSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import sodium from 'libsodium-wrappers';

/** Length and complement: a damaged length must not pass for an end that a crash cut off. */
const HeadBytes = 8;
const NumberBytes = 4;

export interface JournalContents {
  entries: Uint8Array[];
  /** Bytes of the file that hold them; what follows was cut off by a crash. */
  length: number;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** @param owner nonce of the sealed file @param number of the entry, from 0 @returns a record of the file */
export function sealEntry(bytes: Uint8Array, owner: Uint8Array, number: number, key: Uint8Array): Uint8Array {
  const nonce = sodium.randombytes_buf(sodium.crypto_secretbox_NONCEBYTES);
  const plain = new Uint8Array(owner.length + NumberBytes + bytes.length);
  plain.set(owner);
  viewOf(plain).setUint32(owner.length, number);
  plain.set(bytes, owner.length + NumberBytes);
  const box = sodium.crypto_secretbox_easy(plain, nonce, key);
  sodium.memzero(plain);
  const record = new Uint8Array(HeadBytes + nonce.length + box.length);
  viewOf(record).setUint32(0, nonce.length + box.length);
  viewOf(record).setUint32(4, ~(nonce.length + box.length));
  record.set(nonce, HeadBytes);
  record.set(box, HeadBytes + nonce.length);
  return record;
}

function openRecord(record: Uint8Array, key: Uint8Array): Uint8Array | null {
  const { crypto_secretbox_NONCEBYTES: nonceLength, crypto_secretbox_MACBYTES: macLength } = sodium;
  if (record.length < 2 * nonceLength + macLength + NumberBytes) return null;
  try {
    return sodium.crypto_secretbox_open_easy(record.subarray(nonceLength), record.subarray(0, nonceLength), key);
  } catch {
    return null; // libsodium throws on a wrong tag
  }
}

/** @param owner nonce of the sealed file that the entries must belong to @returns null when the file is damaged */
export function readJournal(file: Uint8Array, owner: Uint8Array, key: Uint8Array): JournalContents | null {
  const entries: Uint8Array[] = [];
  let at = 0;
  // A file system may have grown the file before it wrote the data.
  const cutOff = (from: number): boolean => file.subarray(from).every((byte) => byte === 0);
  while (at + HeadBytes <= file.length && !cutOff(at)) {
    const head = viewOf(file).getUint32(at);
    if (viewOf(file).getUint32(at + 4) !== ~head >>> 0) return null;
    const end = at + HeadBytes + head;
    if (end > file.length || cutOff(at + HeadBytes)) break;
    const plain = openRecord(file.subarray(at + HeadBytes, end), key);
    if (!plain) return null;
    if (!owner.every((byte, i) => plain[i] === byte)) return { entries: [], length: 0 };
    if (viewOf(plain).getUint32(owner.length) !== entries.length) return null;
    entries.push(plain.slice(owner.length + NumberBytes));
    at = end;
  }
  return { entries, length: at };
}

/** Opens a journal for appending behind its first `length` bytes; 0 begins it anew. */
export function openJournal(path: string, length: number): number {
  const fd = openSync(path, length === 0 ? 'w' : 'r+', 0o600);
  ftruncateSync(fd, length);
  return fd;
}

/** On disk when it returns. @param at where it goes */
export function appendRecord(fd: number, record: Uint8Array, at: number): void {
  for (let done = 0; done < record.length; ) done += writeSync(fd, record, done, record.length - done, at + done);
  fsyncSync(fd);
}

export function closeJournal(fd: number): void {
  closeSync(fd);
}
