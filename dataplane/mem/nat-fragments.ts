// Which NAT session a datagram in fragments belongs to: only its first fragment has ports. Four places for each hash of a datagram; one that finds
// none free takes the oldest, and what was there loses the fragments that are still to come. Does not: hold fragments that come before the
// first (path/20-reassemble).

import { NatRow } from '../tables/layout.js';
import { NatShape } from './nat-sessions.js';

const enum Entry {
  /** Signed. */
  Src = 0,
  Dst = 1,
  /** Identification << 8 | protocol (RFC 791 §3.2: these four name a datagram). */
  Name = 2,
  /** Row + 1; 0 = empty. */
  Row = 3,
  /** NatRow.Serial: the row may be another session meanwhile. */
  Serial = 4,
  /** Seconds. */
  Made = 5,
  Words = 6,
}

const enum Shape {
  Sets = 1024,
  Ways = 4,
  /** RFC 791 §3.2 has 15 s, RFC 1122 §3.3.2 at least 60; what comes later is another datagram with the same number. */
  Seconds = 30,
}

/** @returns the first of its places */
function placeOf(src: number, dst: number, name: number): number {
  const hash = Math.imul(src ^ Math.imul(dst, 0x85ebca6b) ^ name, 0x9e3779b1);
  return ((hash >>> 16) & (Shape.Sets - 1)) * Shape.Ways * Entry.Words;
}

export class NatFragments {
  private readonly words = new Int32Array(Shape.Sets * Shape.Ways * Entry.Words);

  /** @param rows of the sessions */
  constructor(private readonly rows: Int32Array) {}

  /** The first fragment has come. @param row of its session */
  note(src: number, dst: number, name: number, row: number, now: number): void {
    const { words } = this;
    const set = placeOf(src, dst, name);
    let at = set;
    for (let way = 0; way < Shape.Ways; way++) {
      const place = set + way * Entry.Words;
      if (this.isIt(place, src, dst, name)) {
        at = place;
        break;
      }
      if (words[place + Entry.Row] === 0 || words[place + Entry.Made] < words[at + Entry.Made]) at = place;
    }
    words[at + Entry.Src] = src;
    words[at + Entry.Dst] = dst;
    words[at + Entry.Name] = name;
    words[at + Entry.Row] = row + 1;
    words[at + Entry.Serial] = this.rows[row * NatRow.Words + NatRow.Serial];
    words[at + Entry.Made] = now;
  }

  /** @returns row; NatShape.None when its first fragment is not known, or the session is over */
  find(src: number, dst: number, name: number, now: number): number {
    const { words, rows } = this;
    const set = placeOf(src, dst, name);
    let at = set;
    while (!this.isIt(at, src, dst, name)) {
      at += Entry.Words;
      if (at === set + Shape.Ways * Entry.Words) return NatShape.None;
    }
    if (now - words[at + Entry.Made] >= Shape.Seconds) return NatShape.None;
    const row = words[at + Entry.Row] - 1;
    if (row < 0) return NatShape.None;
    const lives = rows[row * NatRow.Words + NatRow.Serial] === words[at + Entry.Serial] && rows[row * NatRow.Words + NatRow.Protocol] !== 0;
    return lives ? row : NatShape.None;
  }

  private isIt(at: number, src: number, dst: number, name: number): boolean {
    const { words } = this;
    return words[at + Entry.Src] === src && words[at + Entry.Dst] === dst && words[at + Entry.Name] === name;
  }
}
