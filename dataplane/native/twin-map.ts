// mapFile of the twin: Node cannot mmap, so the buffer is a copy of the file and mapFlush writes back what changed. Weaker than the addon:
// what was not flushed dies with the process, and two mappings of one file do not see each other. Callers flush every batch.

import { closeSync, constants, fchmodSync, openSync, readSync, writeSync } from 'node:fs';
import { requireInt } from './checks.js';
import { errnoOf, systemError } from './twin-open.js';

// Linux PATH_MAX less the terminator.
const MaxPathBytes = 4095;

/** What is written at once, and compared. */
const PageBytes = 512;

interface TwinFile {
  /** Stays open as long as the process: one per mapping, and there are few. */
  fd: number;
  /** What the file holds. */
  written: Buffer;
}
const files = new WeakMap<ArrayBuffer, TwinFile>();

/** Native.mapFile */
export function mapTwinFile(path: string, bytes: number): ArrayBuffer {
  if (typeof path !== 'string') throw new TypeError('path: a string is needed');
  if (path.includes('\0') || new TextEncoder().encode(path).length > MaxPathBytes)
    throw new RangeError(`path: at most ${MaxPathBytes} bytes without NUL`);
  requireInt(bytes, 'bytes', 1, 1 << 30);
  let fd = -1;
  try {
    fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
    fchmodSync(fd, 0o600);
    const memory = new Uint8Array(new ArrayBuffer(bytes));
    for (let at = 0, length = 1; length > 0 && at < bytes; at += length) length = readSync(fd, memory, at, bytes - at, at);
    // Takes the space now, as the addon does: a full disk must fail here.
    for (let at = 0; at < bytes; ) at += writeSync(fd, memory, at, bytes - at, at);
    files.set(memory.buffer, { fd, written: Buffer.from(memory) });
    return memory.buffer;
  } catch (error) {
    if (fd >= 0) closeSync(fd);
    throw systemError(errnoOf(error), path, '');
  }
}

/** Native.mapFlush */
export function writeTwinFile(buffer: ArrayBuffer): void {
  if (!(buffer instanceof ArrayBuffer)) throw new TypeError('buffer: an ArrayBuffer is needed');
  const file = files.get(buffer);
  if (file === undefined) return;
  const { fd, written } = file;
  const memory = Buffer.from(buffer);
  if (memory.equals(written)) return;
  for (let first = 0; first < memory.length; first += PageBytes) {
    const end = Math.min(first + PageBytes, memory.length);
    if (memory.compare(written, first, end, first, end) === 0) continue;
    for (let at = first; at < end; ) at += writeSync(fd, memory, at, end - at, at);
    memory.copy(written, first, first, end);
  }
}
