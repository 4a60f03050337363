// Which NAT session a datagram in fragments belongs to: only its first fragment has ports. A place for each hash of a datagram; one that meets
// another in its place takes it, and what was there loses the fragments that are still to come. Does not: hold fragments that come before the first.

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
  Places = 1024,
  /** RFC 791 §3.2 has 15 s, RFC 1122 §3.3.2 at least 60; what comes later is another datagram with the same number. */
  Seconds = 30,
}

function placeOf(src: number, dst: number, name: number): number {
  const hash = Math.imul(src ^ Math.imul(dst, 0x85ebca6b) ^ name, 0x9e3779b1);
  return ((hash >>> 16) & (Shape.Places - 1)) * Entry.Words;
}

export class NatFragments {
  private readonly words = new Int32Array(Shape.Places * Entry.Words);

  /** The first fragment has come. @param row, @param serial of the session */
  note(src: number, dst: number, name: number, row: number, serial: number, now: number): void {
    const { words } = this;
    const at = placeOf(src, dst, name);
    words[at + Entry.Src] = src;
    words[at + Entry.Dst] = dst;
    words[at + Entry.Name] = name;
    words[at + Entry.Row] = row + 1;
    words[at + Entry.Serial] = serial;
    words[at + Entry.Made] = now;
  }

  /** @returns row; NatShape.None when its first fragment is not known */
  find(src: number, dst: number, name: number, now: number): number {
    const { words } = this;
    const at = placeOf(src, dst, name);
    const isIt = words[at + Entry.Src] === src && words[at + Entry.Dst] === dst && words[at + Entry.Name] === name;
    return isIt && now - words[at + Entry.Made] < Shape.Seconds ? words[at + Entry.Row] - 1 : NatShape.None;
  }

  /** Of the datagram that find() has found. */
  serialOf(src: number, dst: number, name: number): number {
    return this.words[placeOf(src, dst, name) + Entry.Serial];
  }
}
