// mapFile of the twin: Node cannot mmap, so the buffer is a copy of the file and mapFlush writes it back. Weaker than the addon:
// what was not flushed dies with the process, and two mappings of one file do not see each other. Callers flush every pass.

import { closeSync, constants, fchmodSync, openSync, readSync, writeSync } from 'node:fs';
import { requireInt } from './checks.js';
import { errnoOf, systemError } from './twin-open.js';

// Linux PATH_MAX less the terminator.
const MaxPathBytes = 4095;

// The descriptor stays open as long as the process: one per mapping, and there are few.
const files = new WeakMap<ArrayBuffer, number>();

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
    files.set(memory.buffer, fd);
    // Takes the space now, as the addon does: a full disk must fail here.
    writeTwinFile(memory.buffer);
    return memory.buffer;
  } catch (error) {
    if (fd >= 0) closeSync(fd);
    throw systemError(errnoOf(error), path, '');
  }
}

/** Native.mapFlush */
export function writeTwinFile(buffer: ArrayBuffer): void {
  if (!(buffer instanceof ArrayBuffer)) throw new TypeError('buffer: an ArrayBuffer is needed');
  const fd = files.get(buffer);
  if (fd === undefined) return;
  const memory = new Uint8Array(buffer);
  for (let at = 0; at < memory.length; ) at += writeSync(fd, memory, at, memory.length - at, at);
}
