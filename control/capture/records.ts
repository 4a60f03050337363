// Records of packets as the dataplane sends them (dataplane/tables/capture.ts), taken apart.

import { type CaptureDirection, type CapturePlace, CaptureWord } from '../../dataplane/tables/capture.js';
import { Cap } from '../../dataplane/tables/layout.js';

export interface CaptureRecord {
  place: CapturePlace;
  port: number;
  direction: CaptureDirection;
  /** Drop of counters/declare.ts; -1 = it was not dropped. */
  reason: number;
  /** Of the workers' clock, microseconds. */
  micros: number;
  /** Number of the packet. */
  packet: number;
  /** In the memory of `words`. */
  bytes: Uint8Array;
}

/** @param words whole records. @throws RangeError when they are none */
export function readRecords(words: Int32Array): CaptureRecord[] {
  const records: CaptureRecord[] = [];
  for (let at = 0; at < words.length; ) {
    const length = words[at + CaptureWord.Length];
    const count = CaptureWord.Words + Math.ceil(length / 4);
    const port = words[at + CaptureWord.Port];
    if (!(length >= 0 && at + count <= words.length && port >= 0 && port < Cap.Ports)) throw new RangeError(`no record at word ${at}`);
    records.push({
      place: words[at + CaptureWord.Place],
      port,
      direction: words[at + CaptureWord.Direction],
      reason: words[at + CaptureWord.Reason],
      micros: words[at + CaptureWord.Seconds] * 1e6 + words[at + CaptureWord.Micros],
      packet: words[at + CaptureWord.Packet] >>> 0,
      bytes: new Uint8Array(words.buffer, words.byteOffset + (at + CaptureWord.Words) * 4, length),
    });
    at += count;
  }
  return records;
}
