// Memory of `monitor capture`, shared by the workers and the main thread: a filter, and behind it a ring of each worker.

import { ringBytes } from './ring.js';

export const enum CaptureShape {
  /** Records of a worker that wait for the main thread: a power of two. */
  Entries = 4096,
  /** A word and MaxCaptureAces rows of Ace, in whole cache lines. */
  FilterBytes = 61504,
}

/** What nobody touches costs nothing. */
export function captureBytes(workers: number): number {
  return CaptureShape.FilterBytes + workers * ringBytes(CaptureShape.Entries);
}
