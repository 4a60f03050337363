// Events on their way to control, gathered while packets pass and told at a limited rate: one row per (kind, SPI) counts what came
// since the last telling, so that a flood of unknown SPIs is one message a second and not one per packet.

import type { DataplaneEvent } from '../tables/message.js';

export const enum EventKind {
  InvalidSpi = 0,
  Replay = 1,
  SequenceExhausted = 2,
  IvExhausted = 3,
  ReplayTime = 4,
  /** In place of an SPI: the flow. */
  NoSa = 5,
  /** In place of an SPI: the destination. */
  UnknownPath = 6,
}

export const enum EventShape {
  Rows = 64,
  /** Of them for destinations about whose path nothing is known: they must not crowd out the others. */
  PathRows = 16,
  /** Between two tellings, milliseconds. */
  IntervalMs = 1000,
  /** The same for NAT without room, which lasts. */
  ExhaustionMs = 30_000,
}

export class Events {
  private readonly kind = new Int32Array(EventShape.Rows);
  private readonly spi = new Int32Array(EventShape.Rows);
  private readonly src = new Int32Array(EventShape.Rows);
  private readonly dst = new Int32Array(EventShape.Rows);
  private readonly count = new Int32Array(EventShape.Rows);
  /** Pseudotimes, ms, of the first one noted. */
  private readonly own = new Float64Array(EventShape.Rows);
  private readonly peer = new Float64Array(EventShape.Rows);
  private used = 0;
  private paths = 0;
  /** NAT without room, by what is used up: packets since the last telling, the first of them, and when it was told. */
  private readonly exhausted = new Int32Array(2);
  private readonly exhaustedBy = new Int32Array(4);
  private readonly exhaustionTold = new Float64Array(2).fill(Number.NEGATIVE_INFINITY);
  private toldAt = Number.NEGATIVE_INFINITY;

  /** A packet that time-based anti-replay refused. @param own our pseudotime, ms @param peer the packet's, -1 = it has none */
  noteTime(spi: number, src: number, dst: number, own: number, peer: number): void {
    const before = this.used;
    this.note(EventKind.ReplayTime, spi, src, dst);
    if (this.used === before) return;
    this.own[before] = own;
    this.peer[before] = peer;
  }

  /** A long packet with DF to a destination about whose path nothing is known. @param group -1 = by an SA between two gateways @param mtu of the interface */
  noteUnknownPath(destination: number, port: number, group: number, peerPort: number, mtu: number): void {
    const before = this.used;
    if (this.paths === EventShape.PathRows) return;
    this.note(EventKind.UnknownPath, destination, port, peerPort);
    if (this.used === before) return;
    this.paths++;
    this.own[before] = mtu;
    this.peer[before] = group;
  }

  /** A packet for which there could be no NAT session. @param isFull the table is full, else the addresses' ports */
  noteExhaustion(isFull: boolean, src: number, dst: number): void {
    const place = isFull ? 1 : 0;
    if (this.exhausted[place]++ > 0) return;
    this.exhaustedBy[2 * place] = src;
    this.exhaustedBy[2 * place + 1] = dst;
  }

  /** Notes one occurrence. With every row taken by other SPIs it is not told (the drop counters have it). */
  note(kind: EventKind, spi: number, src: number, dst: number): void {
    for (let row = 0; row < this.used; row++) {
      if (this.spi[row] === spi && this.kind[row] === kind) {
        this.count[row] = (this.count[row] + 1) & 0x7fffffff;
        return;
      }
    }
    if (this.used >= EventShape.Rows) return;
    const row = this.used++;
    this.kind[row] = kind;
    this.spi[row] = spi;
    this.src[row] = src;
    this.dst[row] = dst;
    this.count[row] = 1;
  }

  /** Tells what was noted, at most once per interval. @param nowMs monotonic */
  drain(nowMs: number, tell: (event: DataplaneEvent) => void): void {
    this.drainExhaustion(nowMs, tell);
    if (this.used === 0 || nowMs - this.toldAt < EventShape.IntervalMs) return;
    this.toldAt = nowMs;
    const rows = this.used;
    this.used = 0;
    this.paths = 0;
    for (let row = 0; row < rows; row++) tell(this.eventOf(row));
  }

  private drainExhaustion(nowMs: number, tell: (event: DataplaneEvent) => void): void {
    for (let place = 0; place < 2; place++) {
      if (this.exhausted[place] === 0 || nowMs - this.exhaustionTold[place] < EventShape.ExhaustionMs) continue;
      const [src, dst] = [this.exhaustedBy[2 * place], this.exhaustedBy[2 * place + 1]].map(dotted);
      const first = `first ${src} to ${dst}; ${this.exhausted[place]} packets dropped since the last such message`;
      // The names are IOS's.
      if (place === 0)
        tell({
          kind: 'log',
          severity: 6,
          mnemonic: 'ADDR_ALLOC_FAILURE',
          text: `NAT: no port or pool address is free for new translations: ${first}`,
        });
      else
        tell({
          kind: 'log',
          severity: 4,
          mnemonic: 'MAX_ENTRIES',
          text: `NAT: no more translations may be made (ip nat translation max-entries): ${first}`,
        });
      this.exhausted[place] = 0;
      this.exhaustionTold[place] = nowMs;
    }
  }

  private eventOf(row: number): DataplaneEvent {
    const spi = this.spi[row] >>> 0;
    const src = this.src[row] >>> 0;
    const dst = this.dst[row] >>> 0;
    const count = this.count[row];
    switch (this.kind[row]) {
      case EventKind.InvalidSpi:
        return { kind: 'invalid-spi', spi, src, dst, count };
      case EventKind.NoSa:
        return { kind: 'no-sa', flow: this.spi[row], src, dst, count };
      case EventKind.Replay:
        return { kind: 'replay', spi, src, dst, count };
      case EventKind.ReplayTime:
        return { kind: 'replay-time', spi, src, dst, count, ownMs: this.own[row], peerMs: this.peer[row] };
      case EventKind.UnknownPath: {
        const group = this.peer[row] < 0 ? null : this.peer[row];
        return { kind: 'path-unknown', destination: spi, port: src, group, peerPort: dst, mtu: this.own[row] };
      }
      case EventKind.SequenceExhausted:
        return { kind: 'sa-exhausted', spi, space: 'sequence' };
      default:
        return { kind: 'sa-exhausted', spi, space: 'iv' };
    }
  }
}

function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}
