// What this host has already used as a sender: the next sequence number of every SA and the next IV counter under every sender ID.
// The counters live in a file mapping and are advanced before a packet is sealed, so that a process that takes over after kill -9
// goes on exactly there: no IV is ever used twice under a group key (RFC 6054 §2: a repeated nonce gives the key away), and
// receivers' replay windows keep accepting us. One file per worker (PATH.0, PATH.1, …); each worker writes only its own.
//
//  0        8         12        16                          64
//  | magic  | version | rows    | boot id, 36 ASCII bytes    | row 0 | row 1 | …
//
//  row, 32 bytes: | kind u32 | SPI u32 | sender ID u32 | stamp u32 | next, Float64 | 8 bytes unused |
//
// `next` is one aligned 8-byte store, so a kill cannot tear it. A reboot may lose pages of the file: rows of another boot have
// their IV counters burnt (those sender IDs are never used again) and their sequence numbers moved far ahead.

import { existsSync, readFileSync } from 'node:fs';
import type { Native } from '../native/native.js';
import { MaxWorkers } from './shared.js';

const enum File {
  Magic0 = 0x4f525747, // 'GWRO'
  Magic1 = 0x444e4553, // 'SEND'
  Version = 1,
  HeaderBytes = 64,
  BootAt = 16,
  BootBytes = 36,
  RowBytes = 32,
  /** Every SA of a full table with its sequence and every sender ID it can carry, and some more. */
  Rows = 4608,
  Bytes = HeaderBytes + Rows * RowBytes,
  /** How far a sequence number jumps over what a reboot may have lost. */
  BootGap = 1048576,
}

export const enum SenderKind {
  Free = 0,
  Sequence = 1,
  Iv = 2,
}

/** Words of a row (Uint32). */
const enum Row {
  Kind = 0,
  Spi = 1,
  Sid = 2,
  Stamp = 3,
  Words = 8,
}
/** The same row as Float64. */
const enum RowNumber {
  Next = 2,
  Count = 4,
}

/** The path of one worker's file. */
export function senderStatePath(base: string, worker: number): string {
  return `${base}.${worker}`;
}

/** This boot's name, as the kernel tells it: 36 characters. Throws Error when /proc is not there. */
export function readBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
}

export class SenderState {
  private readonly words: Uint32Array;
  /** Counters, one Float64 per quarter row; index with {@link numberAt}. */
  readonly numbers: Float64Array;
  private stamp = 0;
  /** The addon's mapping is the file: there a flush would be a call for nothing, and it is one per pass. */
  private readonly isMapped: boolean;

  private constructor(
    private readonly native: Native,
    private readonly buffer: ArrayBuffer,
  ) {
    this.isMapped = native.kind === 'addon';
    this.words = new Uint32Array(buffer, File.HeaderBytes, File.Rows * Row.Words);
    this.numbers = new Float64Array(buffer, File.HeaderBytes, File.Rows * RowNumber.Count);
  }

  /** Maps a worker's file and makes it this boot's. @param path see {@link senderStatePath} @param bootId 36 characters. Throws Error of the file system. */
  static open(native: Native, path: string, bootId: string): SenderState {
    const buffer = native.mapFile(path, File.Bytes);
    const state = new SenderState(native, buffer);
    if (!hasHeader(buffer)) writeHeader(buffer);
    if (bootOf(buffer) !== bootId) {
      state.enterBoot();
      writeBoot(buffer, bootId);
    }
    for (let row = 0; row < File.Rows; row++) state.stamp = Math.max(state.stamp, state.words[row * Row.Words + Row.Stamp]);
    native.mapFlush(buffer);
    return state;
  }

  private enterBoot(): void {
    for (let row = 0; row < File.Rows; row++) {
      const kind = this.words[row * Row.Words + Row.Kind];
      const at = SenderState.numberAt(row);
      if (kind === SenderKind.Iv) this.numbers[at] = Number.POSITIVE_INFINITY;
      else if (kind === SenderKind.Sequence) this.numbers[at] += File.BootGap;
    }
  }

  /** Where a row's counter stands in `numbers`. */
  static numberAt(row: number): number {
    return row * RowNumber.Count + RowNumber.Next;
  }

  /**
   * The row of one counter, made if there is none: control sends only sender IDs that are fresh or were reported as known, so a
   * missing row starts at 0 (IV) or 1 (sequence). @param spi unsigned @param sid unsigned, 0 for a sequence
   * @param isLive says whether an SPI is in the tables now: such rows are never recycled @returns row, -1 when there is no room
   */
  take(kind: SenderKind, spi: number, sid: number, isLive: (spi: number) => boolean): number {
    const words = this.words;
    let free = -1;
    let oldest = -1;
    for (let row = 0; row < File.Rows; row++) {
      const at = row * Row.Words;
      if (words[at + Row.Kind] === SenderKind.Free) {
        if (free < 0) free = row;
      } else if (words[at + Row.Kind] === kind && words[at + Row.Spi] === spi && words[at + Row.Sid] === sid) {
        return row;
      } else if (!isLive(words[at + Row.Spi]) && (oldest < 0 || words[at + Row.Stamp] < words[oldest * Row.Words + Row.Stamp])) {
        oldest = row;
      }
    }
    const row = free >= 0 ? free : oldest;
    if (row < 0) return -1;
    const at = row * Row.Words;
    words[at + Row.Kind] = SenderKind.Free; // not half one row and half another, whenever a kill comes
    words[at + Row.Spi] = spi;
    words[at + Row.Sid] = sid;
    words[at + Row.Stamp] = ++this.stamp;
    this.numbers[SenderState.numberAt(row)] = kind === SenderKind.Sequence ? 1 : 0;
    words[at + Row.Kind] = kind;
    return row;
  }

  /** Makes what was written survive the process: before a batch that used new numbers is sent. */
  flush(): void {
    if (!this.isMapped) this.native.mapFlush(this.buffer);
  }
}

/**
 * The sender IDs whose IV counters survive, for control: `${spi}:${sid}`, both unsigned decimal. A pair counts only when it was used by
 * exactly the workers that will run: with another number of them an ID would pass from one worker to another, and receivers' windows would refuse
 * its sequence numbers (its IVs would still differ, by the worker's bits). Only reads: it may be called at any time. Throws Error of the file system.
 * @param base path given to the workers @param bootId see readBootId
 */
export function listKnownSenders(base: string, bootId: string, workers: number): string[] {
  let known = knownIn(senderStatePath(base, 0), bootId);
  for (let worker = 1; worker < MaxWorkers; worker++) {
    const own = new Set(knownIn(senderStatePath(base, worker), bootId));
    known = known.filter((pair) => own.has(pair) === worker < workers);
  }
  return known;
}

function knownIn(path: string, bootId: string): string[] {
  if (!existsSync(path)) return [];
  const buffer = new Uint8Array(readFileSync(path)).buffer; // a copy of its own, so that rows are aligned
  if (buffer.byteLength < File.Bytes || !hasHeader(buffer) || bootOf(buffer) !== bootId) return [];
  const words = new Uint32Array(buffer, File.HeaderBytes, File.Rows * Row.Words);
  const numbers = new Float64Array(buffer, File.HeaderBytes, File.Rows * RowNumber.Count);
  const list: string[] = [];
  for (let row = 0; row < File.Rows; row++) {
    const at = row * Row.Words;
    if (words[at + Row.Kind] !== SenderKind.Iv || numbers[SenderState.numberAt(row)] === Number.POSITIVE_INFINITY) continue;
    list.push(`${words[at + Row.Spi]}:${words[at + Row.Sid]}`);
  }
  return list;
}

function hasHeader(buffer: ArrayBuffer): boolean {
  const head = new Uint32Array(buffer, 0, 4);
  return head[0] === File.Magic0 && head[1] === File.Magic1 && head[2] === File.Version && head[3] === File.Rows;
}

/** A file that is new, of another version or damaged starts empty: no sender ID in it counts as known. */
function writeHeader(buffer: ArrayBuffer): void {
  new Uint8Array(buffer).fill(0);
  new Uint32Array(buffer, 0, 4).set([File.Magic0, File.Magic1, File.Version, File.Rows]);
}

function bootOf(buffer: ArrayBuffer): string {
  return String.fromCharCode(...new Uint8Array(buffer, File.BootAt, File.BootBytes)).replaceAll('\0', '');
}

function writeBoot(buffer: ArrayBuffer, bootId: string): void {
  const bytes = new Uint8Array(buffer, File.BootAt, File.BootBytes);
  bytes.fill(0);
  bytes.set(new TextEncoder().encode(bootId).subarray(0, File.BootBytes));
}
