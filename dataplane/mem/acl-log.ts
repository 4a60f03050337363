// Matches of entries with `log`, gathered by flow while packets pass and told once a second, so that control can write what IOS writes: the first
// packet of a flow, then sums. Memory is bounded: what finds no place is counted as missed, and that is told too.

import { hasPorts, Port } from '../proto/l4.js';
import type { DataplaneEvent } from '../tables/message.js';

const enum Shape {
  Places = 256,
  /** Places that a flow may have, from its own on. */
  Tries = 8,
  IntervalMs = 1000,
}
const enum Row {
  Counter = 0,
  Port = 1,
  Protocol = 2,
  Src = 3,
  Dst = 4,
  /** Or ICMP type and code. */
  Sport = 5,
  Dport = 6,
  Count = 7,
  Words = 8,
}

export class AclLog {
  private readonly rows = new Int32Array(Shape.Places * Row.Words);
  private missed = 0;
  private noted = 0;
  private toldAt = Number.NEGATIVE_INFINITY;

  /** One match. @param counter Ace.Counter of the entry @param port that the packet came by @param sport or an ICMP type @param dport or an ICMP code */
  note(counter: number, port: number, protocol: number, src: number, dst: number, sport: number, dport: number): void {
    const { rows } = this;
    this.noted++;
    const hash = Math.imul(src ^ (dst << 7) ^ (dst >>> 25) ^ Math.imul(sport ^ (dport << 16), 0x85ebca6b) ^ counter, 0x9e3779b1) >>> 24;
    for (let i = 0; i < Shape.Tries; i++) {
      const at = ((hash + i) % Shape.Places) * Row.Words;
      if (rows[at + Row.Count] === 0) {
        rows[at + Row.Counter] = counter;
        rows[at + Row.Port] = port;
        rows[at + Row.Protocol] = protocol;
        rows[at + Row.Src] = src;
        rows[at + Row.Dst] = dst;
        rows[at + Row.Sport] = sport;
        rows[at + Row.Dport] = dport;
        rows[at + Row.Count] = 1;
        return;
      }
      if (
        rows[at + Row.Counter] === counter &&
        rows[at + Row.Port] === port &&
        rows[at + Row.Protocol] === protocol &&
        rows[at + Row.Src] === src &&
        rows[at + Row.Dst] === dst &&
        rows[at + Row.Sport] === sport &&
        rows[at + Row.Dport] === dport
      ) {
        rows[at + Row.Count] = (rows[at + Row.Count] + 1) & 0x7fffffff;
        return;
      }
    }
    this.missed++;
  }

  /** Tells what was noted, at most once per interval. @param nowMs monotonic */
  drain(nowMs: number, tell: (event: DataplaneEvent) => void): void {
    if (this.noted === 0 || nowMs - this.toldAt < Shape.IntervalMs) return;
    this.toldAt = nowMs;
    this.noted = 0;
    const { rows } = this;
    for (let at = 0; at < rows.length; at += Row.Words) {
      const count = rows[at + Row.Count];
      if (count === 0) continue;
      rows[at + Row.Count] = 0;
      tell({
        kind: 'acl-log',
        counter: rows[at + Row.Counter],
        port: rows[at + Row.Port],
        protocol: rows[at + Row.Protocol],
        src: rows[at + Row.Src] >>> 0,
        dst: rows[at + Row.Dst] >>> 0,
        sport: rows[at + Row.Sport],
        dport: rows[at + Row.Dport],
        count,
      });
    }
    if (this.missed > 0) tell({ kind: 'acl-log-missed', count: this.missed });
    this.missed = 0;
  }
}

/** What stands in the place of a port that a packet does not hold: IOS prints 0. */
export function loggedPort(port: number, protocol: number): number {
  return port === Port.Unknown && hasPorts(protocol) ? 0 : port;
}
