// Batched I/O of the twin: one read or write a packet on nonblocking descriptors. Node has no poll(2) for such a descriptor, so
// poll() tries to read, keeps what it got (read-ahead, one datagram a descriptor) for the next rx(), and sleeps between tries.
// Hence the rule of native.ts that one thread polls and reads a descriptor.

import { readSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { requireBytes, requireInside, requireInt, requireWords } from './checks.js';
import { type Native, NativeCap } from './native.js';
import { errnoOf, systemError } from './twin-open.js';

const { EAGAIN, EINTR, ENOBUFS, ENOMEM } = constants.errno;
const MaxDatagram = 65536;
const MaxFd = 0x7fffffff;
// Sleep between two tries of poll(): short while traffic flows, then up to 2 ms.
const FirstSleepMs = 0.05;
const LongestSleepMs = 2;

type TwinIo = Pick<Native, 'wakeSignal' | 'wakeClear' | 'poll' | 'rx' | 'tx'>;

export function makeTwinIo(): TwinIo {
  const readAhead = new Map<number, Uint8Array>();
  const scratch = new Uint8Array(MaxDatagram);
  const sleepCell = new Int32Array(new SharedArrayBuffer(4));

  /** @returns bytes now in scratch, or -errno */
  function readOnce(fd: number): number {
    for (;;) {
      try {
        return readSync(fd, scratch, 0, MaxDatagram, null);
      } catch (error) {
        const errno = errnoOf(error);
        if (errno !== EINTR) return -errno;
      }
    }
  }

  function isReady(fd: number): boolean {
    if (readAhead.has(fd)) return true;
    const length = readOnce(fd);
    if (length === -EAGAIN) return false;
    if (length > 0) readAhead.set(fd, scratch.slice(0, length));
    return true;
  }

  return {
    wakeSignal(fd) {
      requireInt(fd, 'fd', 0, MaxFd);
      const errno = writeOnce(fd, new Uint8Array(1), 0, 1);
      // EAGAIN: the pipe is full, so the reader is awake already.
      if (errno !== 0 && errno !== EAGAIN) throw systemError(errno, 'wakeSignal', '');
    },

    wakeClear(fd) {
      requireInt(fd, 'fd', 0, MaxFd);
      readAhead.delete(fd);
      let length: number;
      do length = readOnce(fd);
      while (length > 0);
      if (length < 0 && length !== -EAGAIN) throw systemError(-length, 'wakeClear', '');
    },

    poll(fds, count, timeoutMs, ready) {
      requireInt(count, 'count', 0, NativeCap.PollFds);
      requireWords(fds, 'fds', count);
      requireInt(timeoutMs, 'timeoutMs', -1, MaxFd);
      requireWords(ready, 'ready', count);
      for (let i = 0; i < count; i++) {
        if (fds[i] < 0) throw new RangeError(`fds[${i}]: ${fds[i]} is not a descriptor`);
      }
      const deadline = timeoutMs < 0 ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs;
      for (let sleepMs = FirstSleepMs; ; sleepMs = Math.min(sleepMs * 2, LongestSleepMs)) {
        let found = 0;
        for (let i = 0; i < count; i++) {
          ready[i] = isReady(fds[i]) ? 1 : 0;
          found += ready[i];
        }
        const leftMs = deadline - performance.now();
        if (found > 0 || leftMs <= 0) return found;
        Atomics.wait(sleepCell, 0, 0, Math.min(sleepMs, leftMs));
      }
    },

    rx(fd, pool, offsets, lengths, count, maxLength) {
      requireInt(fd, 'fd', 0, MaxFd);
      requireBytes(pool, 'pool');
      requireInt(count, 'count', 0, MaxFd);
      requireInt(maxLength, 'maxLength', 1, 65535);
      requireWords(offsets, 'offsets', count);
      requireWords(lengths, 'lengths', count);
      for (let i = 0; i < count; i++) requireInside(pool, offsets[i], maxLength, `rx: offsets[${i}]`);
      for (let i = 0; i < count; i++) {
        const kept = readAhead.get(fd);
        const length = kept === undefined ? readOnce(fd) : kept.length;
        if (length < 0) {
          // Short of memory is a state that passes; anything else is a device that is gone.
          const waiting = length === -EAGAIN || length === -ENOBUFS || length === -ENOMEM;
          return waiting || i > 0 ? i : -1;
        }
        readAhead.delete(fd);
        pool.set((kept ?? scratch).subarray(0, Math.min(length, maxLength)), offsets[i]);
        lengths[i] = Math.min(length, maxLength + 1);
      }
      return count;
    },

    tx(fd, pool, offsets, lengths, count, results) {
      requireInt(fd, 'fd', 0, MaxFd);
      requireBytes(pool, 'pool');
      requireInt(count, 'count', 0, MaxFd);
      requireWords(offsets, 'offsets', count);
      requireWords(lengths, 'lengths', count);
      requireWords(results, 'results', count);
      for (let i = 0; i < count; i++) {
        requireInside(pool, offsets[i], lengths[i] < 1 ? -1 : lengths[i], `tx: offsets[${i}]`);
      }
      for (let i = 0; i < count; i++) {
        const errno = writeOnce(fd, pool, offsets[i], lengths[i]);
        if (errno === EAGAIN || errno === ENOBUFS) return i;
        results[i] = errno;
      }
      return count;
    },
  };
}

/** @returns errno, 0 = written */
function writeOnce(fd: number, from: Uint8Array, offset: number, length: number): number {
  for (;;) {
    try {
      writeSync(fd, from, offset, length, null);
      return 0;
    } catch (error) {
      const errno = errnoOf(error);
      if (errno !== EINTR) return errno;
    }
  }
}
