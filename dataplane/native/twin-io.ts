// Batched I/O of the twin: one read a frame, one gathering write a message, on nonblocking descriptors. Node has no poll(2) for such a
// descriptor, so poll() tries to read, keeps what it got (read-ahead, one frame a descriptor) for the next rx(), and sleeps between tries.
// Hence the rule of native.ts that one thread polls and reads a descriptor. A superpacket that is partly cut is kept in the same place.

import { closeSync, readSync, writeSync, writevSync } from 'node:fs';
import { constants } from 'node:os';
import { requireBytes, requireInside, requireInt, requireWords } from './checks.js';
import { isFull, type Native, NativeCap } from './native.js';
import { Coalesce, planMessages } from './twin-gro.js';
import { type Frame, frameHasNext, frameNext, frameStart, makeFrame } from './twin-gso.js';
import { coalesceOf, errnoOf, systemError } from './twin-open.js';
import { Virtio } from './twin-wire.js';

const { EAGAIN, EINTR, ENOBUFS, ENOMEM } = constants.errno;
const Superpacket = 65536;
const MaxFd = 0x7fffffff;
// Sleep between two tries of poll(): short while traffic flows, then up to 10 ms: at 2 an idle lab of the twin took two fifths of a core.
const FirstSleepMs = 0.05;
const LongestSleepMs = 10;

type TwinIo = Pick<Native, 'fdClose' | 'wakeSignal' | 'wakeClear' | 'poll' | 'joinsUdp' | 'rx' | 'tx'>;

/** What this thread knows of a descriptor. */
interface Source {
  /** Its bytes are where every read of the descriptor goes. */
  frame: Frame;
  /** Bytes of read-ahead, virtio header included; 0 = none. */
  waiting: number;
}

export function makeTwinIo(): TwinIo {
  const sources = new Map<number, Source>();
  const sleepCell = new Int32Array(new SharedArrayBuffer(4));

  function sourceOf(fd: number): Source {
    const known = sources.get(fd);
    if (known !== undefined) return known;
    const source = { frame: makeFrame(new Uint8Array(Virtio.Bytes + Superpacket)), waiting: 0 };
    sources.set(fd, source);
    return source;
  }

  function isReady(fd: number): boolean {
    const source = sourceOf(fd);
    if (frameHasNext(source.frame) || source.waiting > 0) return true;
    const length = readOnce(fd, source.frame.bytes);
    source.waiting = Math.max(length, 0);
    return length !== -EAGAIN;
  }

  /** Makes the next frame of a TUN the one to cut. @returns 1, 0 = none waiting, -1 = the device is gone */
  function nextFrame(fd: number, source: Source): number {
    const length = source.waiting > 0 ? source.waiting : readOnce(fd, source.frame.bytes);
    source.waiting = 0;
    if (length > Virtio.Bytes) {
      frameStart(source.frame, length - Virtio.Bytes);
      return 1;
    }
    // Short of memory is a state that passes; anything else is a device that is gone.
    return length >= 0 || length === -EAGAIN || length === -ENOBUFS || length === -ENOMEM ? 0 : -1;
  }

  return {
    fdClose(fd) {
      requireInt(fd, 'fd', 0, MaxFd);
      sources.delete(fd);
      closeSync(fd);
    },

    wakeSignal(fd) {
      requireInt(fd, 'fd', 0, MaxFd);
      const errno = errnoOfCall(() => writeSync(fd, new Uint8Array(1)));
      // EAGAIN: the pipe is full, so the reader is awake already.
      if (errno !== 0 && errno !== EAGAIN) throw systemError(errno, 'wakeSignal', '');
    },

    wakeClear(fd) {
      requireInt(fd, 'fd', 0, MaxFd);
      const source = sourceOf(fd);
      source.waiting = 0;
      let length: number;
      do length = readOnce(fd, source.frame.bytes);
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

    joinsUdp(fd) {
      requireInt(fd, 'fd', 0, MaxFd);
      return (coalesceOf(fd) & Coalesce.Udp) !== 0;
    },

    rx(fd, pool, offsets, lengths, count, maxLength) {
      requireInt(fd, 'fd', 0, MaxFd);
      coalesceOf(fd);
      requireBytes(pool, 'pool');
      requireInt(count, 'count', 0, NativeCap.Batch);
      requireInt(maxLength, 'maxLength', 1, 65535);
      requireWords(offsets, 'offsets', count);
      requireWords(lengths, 'lengths', count);
      for (let i = 0; i < count; i++) requireInside(pool, offsets[i], maxLength, `rx: offsets[${i}]`);
      const source = sourceOf(fd);
      for (let i = 0; i < count; i++) {
        const found = frameHasNext(source.frame) ? 1 : nextFrame(fd, source);
        if (found <= 0) return found < 0 && i === 0 ? -1 : i;
        lengths[i] = frameNext(source.frame, pool, offsets[i], maxLength);
      }
      return count;
    },

    tx(fd, pool, offsets, lengths, count, results) {
      requireInt(fd, 'fd', 0, MaxFd);
      const coalesce = coalesceOf(fd);
      requireBytes(pool, 'pool');
      requireInt(count, 'count', 0, NativeCap.Batch);
      requireWords(offsets, 'offsets', count);
      requireWords(lengths, 'lengths', count);
      requireWords(results, 'results', count);
      for (let i = 0; i < count; i++) {
        requireInside(pool, offsets[i], lengths[i] < 1 ? -1 : lengths[i], `tx: offsets[${i}]`);
      }
      const { messages, messageOf } = planMessages(pool, offsets, lengths, count, coalesce);
      let full = 0;
      const errors = messages.map((message) => {
        // A full device stays full for this batch: no more calls for the rest of it.
        const errno = full !== 0 ? full : errnoOfCall(() => writevSync(fd, message));
        if (isFull(errno)) full = errno;
        return errno;
      });
      let sent = 0;
      for (let i = 0; i < count; i++) {
        results[i] = errors[messageOf[i]];
        if (results[i] === 0) sent++;
      }
      return sent;
    },
  };
}

/** @returns bytes, or -errno */
function readOnce(fd: number, to: Uint8Array): number {
  let length = 0;
  const errno = errnoOfCall(() => {
    length = readSync(fd, to, 0, to.length, null);
  });
  return errno === 0 ? length : -errno;
}

/** @returns errno, 0 = it succeeded */
function errnoOfCall(call: () => void): number {
  for (;;) {
    try {
      call();
      return 0;
    } catch (error) {
      const errno = errnoOf(error);
      if (errno !== EINTR) return errno;
    }
  }
}
