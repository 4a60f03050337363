// The writing thread of ring.test.ts, and what both threads know of an entry's content: its number in order decides every word.

import { isMainThread, workerData } from 'node:worker_threads';
import { RingShape, RingWriter } from '../../../../dataplane/mem/ring.js';

export interface StressStart {
  memory: SharedArrayBuffer;
  total: number;
}

/** Words of entry `number`: many are short, some are full. */
function lengthOf(number: number): number {
  return number % 7 === 0 ? RingShape.EntryWords : 1 + (number % 24);
}

export function fillEntry(words: Int32Array, at: number, number: number): void {
  const length = lengthOf(number);
  for (let i = 0; i < length; i++) words[at + i] = Math.imul(number, 0x9e3779b1) + i;
}

export function isFilled(words: Int32Array, at: number, number: number): boolean {
  const length = lengthOf(number);
  for (let i = 0; i < length; i++) if (words[at + i] !== ((Math.imul(number, 0x9e3779b1) + i) | 0)) return false;
  return true;
}

function writeAll({ memory, total }: StressStart): void {
  const writer = new RingWriter(memory, 0);
  const never = new Int32Array(new SharedArrayBuffer(4));
  for (let number = 0; number < total; ) {
    const burst = 1 + ((number * 13) % 300);
    for (let i = 0; i < burst && number < total; i++) {
      const at = writer.claim();
      if (at < 0) {
        writer.publish();
        Atomics.wait(never, 0, 0, 0.1); // lets the reader run where both share a CPU
        break;
      }
      fillEntry(writer.words, at, number++);
    }
    writer.publish();
  }
}

if (!isMainThread && workerData?.memory instanceof SharedArrayBuffer) writeAll(workerData as StressStart);
