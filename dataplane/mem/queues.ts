// What waits for a port: a tree of queues of packet ids, and which packet leaves next. Packets are not copied: a queue is a list through the column
// `next`. A node is a leaf, which has packets, or a group, whose children are nodes that stand one behind the other (first, count).
//
//   port ── group (shaper 10 Mbit/s) ─┬─ leaf   priority 1           served while it has anything
//                                     ├─ leaf   priority 2           behind it
//                                     ├─ leaf   quantum 1500         what is left: deficit round robin
//                                     └─ group  quantum 750  ─┬─ leaf  a flow each (fair-queue), equal quanta
//                                                             └─ ...
//
// Deficit round robin (Shreedhar and Varghese 1996) in the form that lets a queue go into debt: it sends while its deficit is above 0 and pays for the
// whole packet, so nobody has to know the length of the next one; who is passed over in debt gets its quantum. When all stay in debt, as many rounds are given
// at once as the first of them needs. A node with a shaper is passed over until that lets it; the rest take what it leaves.
// No allocation after the constructor. Does not: decide what may enter (limits are asked with isFull), count, read a clock.

import { fillShaper, Shaper, shaperTake, shaperWait } from '../proto/meter.js';
import { Clock } from './clock.js';
import type { Vector } from './vector.js';

/** Words of a node. */
export const enum Queue {
  /** Row number of the group it is in, -1 = none. */
  Parent = 0,
  /** Row number of the first child. */
  First = 1,
  /** Children; 0 = a leaf. */
  Count = 2,
  /** 1 before 2; 0 = by deficit round robin. */
  Priority = 3,
  /** Bytes of a round. */
  Quantum = 4,
  /** Bytes. */
  Deficit = 5,
  /** Packet ids, -1 = none. */
  Head = 6,
  Tail = 7,
  /** In it, or in all below it. */
  Packets = 8,
  Bytes = 9,
  /** 0 = no limit. */
  LimitPackets = 10,
  LimitBytes = 11,
  /** Index of the first word of its shaper in `shapers`, -1 = none. */
  Shaper = 12,
  /** Of a group: the child that sends, as an offset from the first. */
  Current = 13,
  /** 1: some node below has a shaper. */
  ShapedBelow = 14,
  /** Packets in its children with priority. */
  Urgent = 15,
  /** A cache line. */
  Words = 16,
}

const NoPacket = -1;
/** A packet a round. */
const DefaultQuantum = 1500;
const MostPriority = 2;

export class Queues {
  readonly rows: Int32Array;
  readonly shapers: Float64Array;
  private readonly next: Int32Array;
  /** Of one word. Behind a dequeue() that gave nothing: microseconds until a shaper lets something go, Infinity = nothing waits. */
  readonly waitUs = new Float64Array(1);

  /** @param nodes rows @param shapers shapers there can be @param len bytes of each packet, by id @param clock of the passes, which does not go back */
  constructor(
    nodes: number,
    shapers: number,
    private readonly len: Int32Array,
    private readonly clock: Float64Array,
  ) {
    this.rows = new Int32Array(nodes * Queue.Words);
    this.shapers = new Float64Array(shapers * Shaper.Words);
    this.next = new Int32Array(len.length);
    for (let node = 0; node < nodes; node++) this.reset(node);
  }

  /** An empty leaf of its own, without limits. */
  reset(node: number): void {
    const { rows } = this;
    const row = node * Queue.Words;
    rows.fill(0, row, row + Queue.Words);
    rows[row + Queue.Parent] = -1;
    rows[row + Queue.Head] = NoPacket;
    rows[row + Queue.Tail] = NoPacket;
    rows[row + Queue.Shaper] = -1;
    rows[row + Queue.Quantum] = DefaultQuantum;
  }

  /** Makes `count` nodes from `first` on the children of `node`. */
  adopt(node: number, first: number, count: number): void {
    const { rows } = this;
    rows[node * Queue.Words + Queue.First] = first;
    rows[node * Queue.Words + Queue.Count] = count;
    for (let child = first; child < first + count; child++) rows[child * Queue.Words + Queue.Parent] = node;
  }

  /** Gives a node that has its place in the tree a shaper, full. @param shaper which one @param rate bytes a second @param burst bytes */
  shape(node: number, shaper: number, rate: number, burst: number): void {
    const { rows, shapers } = this;
    const at = shaper * Shaper.Words;
    shapers[at + Shaper.Rate] = rate;
    shapers[at + Shaper.Burst] = burst;
    fillShaper(shapers, at, this.clock[Clock.Us]);
    rows[node * Queue.Words + Queue.Shaper] = at;
    for (let above = rows[node * Queue.Words + Queue.Parent]; above >= 0; above = rows[above * Queue.Words + Queue.Parent])
      rows[above * Queue.Words + Queue.ShapedBelow] = 1;
  }

  /** Has a leaf, or a group above it, no room for one more packet of so many bytes? */
  isFull(leaf: number, bytes: number): boolean {
    const { rows } = this;
    for (let node = leaf; node >= 0; node = rows[node * Queue.Words + Queue.Parent]) {
      const row = node * Queue.Words;
      const packets = rows[row + Queue.LimitPackets];
      const most = rows[row + Queue.LimitBytes];
      if (packets !== 0 && rows[row + Queue.Packets] >= packets) return true;
      // An empty queue takes any packet: a limit below one must not stop it.
      if (most !== 0 && rows[row + Queue.Packets] > 0 && rows[row + Queue.Bytes] + bytes > most) return true;
    }
    return false;
  }

  enqueue(leaf: number, id: number): void {
    const { rows, next } = this;
    const row = leaf * Queue.Words;
    const tail = rows[row + Queue.Tail];
    next[id] = NoPacket;
    if (tail === NoPacket) rows[row + Queue.Head] = id;
    else next[tail] = id;
    rows[row + Queue.Tail] = id;
    const bytes = this.len[id];
    for (let node = leaf; node >= 0; ) {
      const at = node * Queue.Words;
      rows[at + Queue.Packets]++;
      rows[at + Queue.Bytes] += bytes;
      node = rows[at + Queue.Parent];
      if (rows[at + Queue.Priority] !== 0 && node >= 0) rows[node * Queue.Words + Queue.Urgent]++;
    }
  }

  /**
   * Takes the packet that leaves next. @param root of the port's tree
   * @returns its id; -1 = none may leave now, and `waitUs` says when one may
   */
  dequeue(root: number): number {
    const { rows, next, len } = this;
    this.waitUs[0] = Number.POSITIVE_INFINITY;
    if (!this.maySend(root)) return NoPacket;
    let node = root;
    while (rows[node * Queue.Words + Queue.Count] > 0) node = this.chooseChild(node);
    const row = node * Queue.Words;
    const id = rows[row + Queue.Head];
    rows[row + Queue.Head] = next[id];
    if (next[id] === NoPacket) rows[row + Queue.Tail] = NoPacket;
    this.pay(node, len[id]);
    return id;
  }

  /** Takes out what waits in a leaf: the tree is not to be used again before it is made anew. */
  drain(leaf: number, to: Vector): void {
    const row = leaf * Queue.Words;
    for (let id = this.rows[row + Queue.Head]; id !== NoPacket; id = this.next[id]) to.push(id);
    this.rows[row + Queue.Head] = NoPacket;
  }

  /** Is there a packet below, and does every shaper on its way to the node let it go? Looks at the shapers of this node and of those below. */
  private maySend(node: number): boolean {
    const { rows, shapers } = this;
    const row = node * Queue.Words;
    if (rows[row + Queue.Packets] === 0) return false;
    const shaper = rows[row + Queue.Shaper];
    if (shaper >= 0) {
      const wait = shaperWait(shapers, shaper, this.clock);
      if (wait > 0) {
        if (wait < this.waitUs[0]) this.waitUs[0] = wait;
        return false;
      }
    }
    if (rows[row + Queue.ShapedBelow] === 0) return true;
    const count = rows[row + Queue.Count];
    const first = rows[row + Queue.First];
    for (let child = first; child < first + count; child++) if (this.maySend(child)) return true;
    return false;
  }

  /** The child of a group whose packet leaves next; one may send: the caller has asked. */
  private chooseChild(group: number): number {
    const { rows } = this;
    const row = group * Queue.Words;
    if (rows[row + Queue.Urgent] !== 0) {
      const urgent = this.chooseUrgent(group);
      if (urgent >= 0) return urgent;
    }
    let at = this.takeTurns(group);
    if (at < 0) {
      this.giveRounds(group);
      at = this.takeTurns(group);
    }
    rows[row + Queue.Current] = at;
    return rows[row + Queue.First] + at;
  }

  /**
   * From the child that sent last on, once around: whoever has something and is in debt is passed over, and gets a quantum for its next turn.
   * @returns the first in credit, as an offset from the first child, -1 = none was
   */
  private takeTurns(group: number): number {
    const { rows } = this;
    const first = rows[group * Queue.Words + Queue.First];
    const count = rows[group * Queue.Words + Queue.Count];
    let at = rows[group * Queue.Words + Queue.Current];
    for (let i = 0; i < count; i++, at = at + 1 === count ? 0 : at + 1) {
      const row = (first + at) * Queue.Words;
      if (!this.takesTurns(first + at)) continue;
      if (rows[row + Queue.Deficit] > 0) return at;
      rows[row + Queue.Deficit] += rows[row + Queue.Quantum];
    }
    return -1;
  }

  /** Of the children with priority that may send: one of the highest level. @returns -1 = none may */
  private chooseUrgent(group: number): number {
    const { rows } = this;
    const first = rows[group * Queue.Words + Queue.First];
    const count = rows[group * Queue.Words + Queue.Count];
    let found = -1;
    let priority = MostPriority + 1;
    for (let child = first; child < first + count; child++) {
      const row = child * Queue.Words;
      const level = rows[row + Queue.Priority];
      if (level === 0 || level >= priority || rows[row + Queue.Packets] === 0 || !this.maySend(child)) continue;
      priority = level;
      found = child;
      if (level === 1) break;
    }
    return found;
  }

  /** While all that could send are in debt: as many rounds at once as the first of them needs to be in credit. */
  private giveRounds(group: number): void {
    const { rows } = this;
    const first = rows[group * Queue.Words + Queue.First];
    const behind = first + rows[group * Queue.Words + Queue.Count];
    let rounds = 0x7fffffff;
    for (let child = first; child < behind; child++) {
      if (!this.takesTurns(child)) continue;
      const deficit = rows[child * Queue.Words + Queue.Deficit];
      if (deficit > 0) return;
      rounds = Math.min(rounds, Math.floor(-deficit / rows[child * Queue.Words + Queue.Quantum]) + 1);
    }
    for (let child = first; child < behind; child++)
      if (this.takesTurns(child)) rows[child * Queue.Words + Queue.Deficit] += rounds * rows[child * Queue.Words + Queue.Quantum];
  }

  /** Has a child something to send by its deficit, now? */
  private takesTurns(child: number): boolean {
    const row = child * Queue.Words;
    return this.rows[row + Queue.Packets] !== 0 && this.rows[row + Queue.Priority] === 0 && this.maySend(child);
  }

  /** A packet leaves: what sends pays on every level; what is empty keeps debts and no credit, so that it cannot save up. */
  private pay(leaf: number, bytes: number): void {
    const { rows, shapers } = this;
    for (let node = leaf; node >= 0; ) {
      const row = node * Queue.Words;
      node = rows[row + Queue.Parent];
      rows[row + Queue.Packets]--;
      rows[row + Queue.Bytes] -= bytes;
      if (rows[row + Queue.Shaper] >= 0) shaperTake(shapers, rows[row + Queue.Shaper], bytes);
      if (node < 0) return;
      if (rows[row + Queue.Priority] !== 0) {
        rows[node * Queue.Words + Queue.Urgent]--;
        continue;
      }
      rows[row + Queue.Deficit] -= bytes;
      if (rows[row + Queue.Packets] === 0 && rows[row + Queue.Deficit] > 0) rows[row + Queue.Deficit] = 0;
    }
  }
}
