// Probes of path MTU discovery (proto/mtu-probe.ts) on their way: what is to be sent, and answers for control. Two rings of fixed size; what finds no room is not sent, or not
// told, like a packet that is lost. Does not: send (path/28), decide what is asked (control/probe).

import type { DataplaneEvent } from '../tables/message.js';

export const enum ProbeRow {
  /** ProbeKind of what is to be sent. */
  Kind = 0,
  /** Port with the crypto map. */
  Port = 1,
  /** Index of the group whose SA seals it; -1 = an SA between two gateways: the one to To and PeerPort. */
  Group = 2,
  /** Destination, signed: a host behind another member, or the other gateway. */
  To = 3,
  /** Sa.PeerPort. */
  PeerPort = 4,
  /** Bytes of the outer datagram; of an answer those that are confirmed. */
  Size = 5,
  NonceHigh = 6,
  NonceLow = 7,
  Words = 8,
}

const enum Shape {
  Rows = 64,
}

export class MtuProbes {
  /** Rows of {@link ProbeRow}, the first of them. */
  readonly toSend = new Int32Array(Shape.Rows * ProbeRow.Words);
  pending = 0;
  private readonly answers = new Int32Array(Shape.Rows * ProbeRow.Words);
  private answered = 0;

  /** @returns false = there is no room */
  ask(kind: number, port: number, group: number, to: number, peerPort: number, size: number, high: number, low: number): boolean {
    if (this.pending === Shape.Rows) return false;
    write(this.toSend, this.pending++, kind, port, group, to, peerPort, size, high, low);
    return true;
  }

  /** An answer to a probe of ours. @returns false = there is no room */
  note(from: number, size: number, high: number, low: number): boolean {
    if (this.answered === Shape.Rows) return false;
    write(this.answers, this.answered++, 0, 0, 0, from, 0, size, high, low);
    return true;
  }

  /** Between two passes. */
  drain(tell: (event: DataplaneEvent) => void): void {
    for (let row = 0; row < this.answered; row++) {
      const at = row * ProbeRow.Words;
      const [size, high, low] = this.answers.subarray(at + ProbeRow.Size, at + ProbeRow.Words);
      tell({ kind: 'mtu-answer', from: this.answers[at + ProbeRow.To] >>> 0, size, nonce: [high, low] });
    }
    this.answered = 0;
  }
}

function write(
  rows: Int32Array,
  row: number,
  kind: number,
  port: number,
  group: number,
  to: number,
  peerPort: number,
  size: number,
  high: number,
  low: number,
): void {
  const at = row * ProbeRow.Words;
  rows[at + ProbeRow.Kind] = kind;
  rows[at + ProbeRow.Port] = port;
  rows[at + ProbeRow.Group] = group;
  rows[at + ProbeRow.To] = to;
  rows[at + ProbeRow.PeerPort] = peerPort;
  rows[at + ProbeRow.Size] = size;
  rows[at + ProbeRow.NonceHigh] = high;
  rows[at + ProbeRow.NonceLow] = low;
}
