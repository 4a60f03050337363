// The sessions of NAT: one row of 64 bytes each, found from both sides. Of one worker; nothing here knows bytes of packets or rules.
//
//             inside                                        outside
//   key       protocol, inside address and port,            protocol, global address and port,
//             outside address and port as the inside        outside address and port
//             sees them, which is nearly always the same
//   index     NatIndex inside                               NatIndex outside
//
// The outside address and port are in both keys: every flow has a row of its own, as fully extended entries of IOS are, and one global port
// serves many destinations. No two rows have equal keys on either side.
//
// Rows are taken from below and given back to a list, so that the part of the memory that is in use stays small. Time is in seconds of a clock
// that only moves forward.

import { hasPortTimeout, NatRow } from '../tables/layout.js';
import { NatIndex } from './nat-index.js';
import type { SessionWatcher } from './nat-keys.js';

export const enum NatShape {
  None = -1,
  /** Rows of a worker, a power of two. Memory that no session has touched costs nothing. */
  Capacity = 1 << 20,
}

export class NatSessions {
  /** By protocol, inside address, inside port << 16 | outside port, outside address: as the inside sees them. */
  readonly inside: NatIndex;
  /** By protocol, global address, global port << 16 | outside port, outside address: as the outside sees them. */
  readonly outside: NatIndex;
  /** First row that was never used. */
  private fresh = 0;
  private free: number = NatShape.None;
  private sweptTo = 0;
  private serial = 0;
  /** Sessions there are. */
  length = 0;
  watcher: SessionWatcher | null = null;

  /** @param capacity rows, a power of two @param rows memory for them, so that another thread can show them; default: this thread's own */
  constructor(
    readonly capacity: number,
    readonly rows: Int32Array = new Int32Array(capacity * NatRow.Words),
  ) {
    this.inside = new NatIndex(rows, capacity, NatRow.InsideAddress, NatRow.InsidePorts, NatRow.OutsideLocal);
    this.outside = new NatIndex(rows, capacity, NatRow.GlobalAddress, NatRow.OutsidePorts, NatRow.OutsideAddress);
  }

  /** What many sessions are spread over. */
  get memory(): readonly Int32Array[] {
    return [this.rows, this.inside.slots, this.outside.slots];
  }

  /** @param ports inside port << 16 | outside port @param guess of inside.guess(), if there was one @returns row, NatShape.None */
  findInside(protocol: number, address: number, ports: number, outside: number, guess = 0): number {
    return this.inside.find(protocol, address, ports, outside, guess);
  }

  /** @param ports global port << 16 | outside port @param guess of outside.guess(), if there was one @returns row, NatShape.None */
  findOutside(protocol: number, global: number, ports: number, outside: number, guess = 0): number {
    return this.outside.find(protocol, global, ports, outside, guess);
  }

  /**
   * Makes a session. The caller has seen that neither key is there. @param ports 0..65535 each @returns row, NatShape.None when all are taken
   */
  add(
    protocol: number,
    inside: number,
    insidePort: number,
    global: number,
    globalPort: number,
    outside: number,
    outsidePort: number,
    rule: number,
    now: number,
  ): number {
    return this.addFull(protocol, inside, insidePort, outside, outsidePort, global, globalPort, outside, outsidePort, rule, now);
  }

  /** The same where the inside sees another outside address and port. @param peer, @param peerPort as the inside sees them */
  addFull(
    protocol: number,
    inside: number,
    insidePort: number,
    peer: number,
    peerPort: number,
    global: number,
    globalPort: number,
    outside: number,
    outsidePort: number,
    rule: number,
    now: number,
  ): number {
    const row = this.takeRow();
    if (row < 0) return row;
    const { rows } = this;
    const at = row * NatRow.Words;
    const insidePorts = (insidePort << 16) | peerPort;
    const outsidePorts = (globalPort << 16) | outsidePort;
    rows[at + NatRow.InsideAddress] = inside;
    rows[at + NatRow.GlobalAddress] = global;
    rows[at + NatRow.OutsideAddress] = outside;
    rows[at + NatRow.OutsideLocal] = peer;
    rows[at + NatRow.InsidePorts] = insidePorts;
    rows[at + NatRow.OutsidePorts] = outsidePorts;
    rows[at + NatRow.State] = 0;
    rows[at + NatRow.Limit] = 0;
    rows[at + NatRow.Made] = now;
    rows[at + NatRow.Used] = now;
    rows[at + NatRow.Rule] = rule;
    rows[at + NatRow.PacketsOut] = 0;
    rows[at + NatRow.PacketsIn] = 0;
    this.serial = (this.serial + 1) | 0;
    rows[at + NatRow.Serial] = this.serial;
    rows[at + NatRow.Protocol] = protocol; // last: whoever looks from another thread sees a whole row
    this.inside.add(row);
    this.outside.add(row);
    this.length++;
    return row;
  }

  private takeRow(): number {
    const row = this.free;
    if (row >= 0) {
      this.free = this.rows[row * NatRow.Words + NatRow.NextFree];
      return row;
    }
    return this.fresh < this.capacity ? this.fresh++ : NatShape.None;
  }

  /** Ends a session. */
  remove(row: number): void {
    const { rows } = this;
    const at = row * NatRow.Words;
    if (this.watcher !== null) this.watcher.ended(at);
    this.inside.remove(row);
    this.outside.remove(row);
    rows[at + NatRow.Protocol] = 0;
    rows[at + NatRow.NextFree] = this.free;
    this.free = row;
    this.length--;
  }

  /** Is the row a session that has been quiet for longer than it may? @param limits seconds by NatState */
  isOver(row: number, limits: Int32Array, now: number): boolean {
    const { rows } = this;
    const at = row * NatRow.Words;
    const state = rows[at + NatRow.State];
    const isOwn = rows[at + NatRow.Limit] !== 0 && hasPortTimeout(state);
    return now - rows[at + NatRow.Used] >= (isOwn ? rows[at + NatRow.Limit] : limits[state]);
  }

  /**
   * Looks at the next rows and ends the sessions that are over. Called again and again it comes by every row. @param rows how many, at the most
   * @param ends how many may end, which costs more than to look: the indexes' slots lie anywhere in memory @returns how many ended
   */
  sweep(limits: Int32Array, now: number, rows: number, ends: number): number {
    let ended = 0;
    const count = Math.min(this.fresh, rows);
    for (let i = 0; i < count && ended < ends; i++) {
      if (this.sweptTo >= this.fresh) this.sweptTo = 0;
      const row = this.sweptTo++;
      if (this.rows[row * NatRow.Words + NatRow.Protocol] === 0 || !this.isOver(row, limits, now)) continue;
      this.remove(row);
      ended++;
    }
    return ended;
  }

  /** Rows that have ever been used: those from 0. */
  get used(): number {
    return this.fresh;
  }

  /** Ends all, or those whose words are `wanted` where `mask` has bits. @param wanted, @param mask NatRow.Words each, or empty */
  clear(wanted: readonly number[] = [], mask: readonly number[] = []): void {
    for (let row = 0; row < this.fresh; row++)
      if (this.rows[row * NatRow.Words + NatRow.Protocol] !== 0 && this.isLike(row, wanted, mask)) this.remove(row);
  }

  private isLike(row: number, wanted: readonly number[], mask: readonly number[]): boolean {
    for (let word = 0; word < mask.length; word++)
      if (((this.rows[row * NatRow.Words + word] ^ wanted[word]) & mask[word]) !== 0) return false;
    return true;
  }
}
