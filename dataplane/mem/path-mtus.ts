// Path MTUs that were learnt (RFC 1191, RFC 4301 §8.2): by destination of the outer header for ESP, by port for tunnels. In shared memory, because the router that tells is
// another sender than the one whose packets it is about, and so another worker's.
//
//   until | …                                      seconds to which anything may be known: one comparison while nothing is
//   sets of four rows by hash of the address       the row that ends first gives way
//   one row for each port                          of the tunnel that is there now: `Key` is its destination
//
// A row is written with its MTU taken out first and put in last, so a reader sees none or a whole one. Two workers that learn at once may lose one of two: it is learnt
// again. Does not: judge what is told (path/26).

import { Cap } from '../tables/layout.js';

export const enum PathMtuShape {
  Sets = 256,
  Ways = 4,
  Rows = 1024, // Sets * Ways
  Head = 16, // words before the rows: a cache line
  Words = 8336, // Head + (Rows + Cap.Ports) * PathMtuRow.Words
  /** RFC 1191 §6.3: what is learnt is forgotten after ten minutes, and a larger one may be found. */
  AgerSeconds = 600,
  /** Seconds of what never ends. */
  Never = 0x7fffffff,
}

export const enum PathMtuRow {
  /** Destination, signed. */
  Key = 0,
  /** Bytes of the whole datagram; 0 = the row is free. */
  Mtu = 1,
  /** Seconds of the workers' clock. */
  EndsAt = 2,
  LearntAt = 3,
  /** Who told, signed; 0 = this router itself: what it encrypts for the tunnel does not fit, or its probes have found it. */
  Router = 4,
  /** Seconds; 0 = not since it was learnt. */
  UsedAt = 5,
  Words = 8,
}

const enum Head {
  Until = 0,
}

/** A row as it is shown. */
export interface LearntMtu {
  destination: number;
  /** Port of the tunnel; null: for whatever is encrypted to that destination. */
  port: number | null;
  mtu: number;
  router: number;
  ageSeconds: number;
  /** null = never. */
  remainingSeconds: number | null;
  /** Since a packet was measured by it; null = none has been. */
  usedAgoSeconds: number | null;
}

export class PathMtus {
  /** @param words PathMtuShape.Words, shared by all workers */
  constructor(private readonly words: Int32Array) {}

  /** Is there anything to look up? @param seconds of the workers' clock */
  isAny(seconds: number): boolean {
    return this.words[Head.Until] > seconds;
  }

  /** @param destination of the outer header, signed @returns bytes, or 65535 */
  mtuTo(destination: number, seconds: number): number {
    const first = rowOf(destination);
    for (let way = 0; way < PathMtuShape.Ways; way++) {
      const mtu = this.mtuAt(first + way * PathMtuRow.Words, destination, seconds);
      if (mtu !== 0) return mtu;
    }
    return 65535;
  }

  /** @param destination of the tunnel now, signed @returns bytes of the outer datagram, or 65535 */
  mtuOfTunnel(port: number, destination: number, seconds: number): number {
    return this.mtuAt(tunnelRow(port), destination, seconds) || 65535;
  }

  /** @param agerSeconds PathMtuShape.Never = never */
  learn(destination: number, mtu: number, router: number, seconds: number, agerSeconds: number): void {
    const { words } = this;
    const first = rowOf(destination);
    let best = first;
    for (let way = 0; way < PathMtuShape.Ways; way++) {
      const at = first + way * PathMtuRow.Words;
      if (words[at + PathMtuRow.Key] === destination) {
        best = at;
        break;
      }
      if (words[at + PathMtuRow.EndsAt] < words[best + PathMtuRow.EndsAt]) best = at;
    }
    this.write(best, destination, mtu, router, seconds, agerSeconds);
  }

  learnTunnel(port: number, destination: number, mtu: number, router: number, seconds: number, agerSeconds: number): void {
    this.write(tunnelRow(port), destination, mtu, router, seconds, agerSeconds);
  }

  /** What is known now. */
  list(seconds: number): LearntMtu[] {
    const { words } = this;
    const list: LearntMtu[] = [];
    for (let row = 0; row < PathMtuShape.Rows + Cap.Ports; row++) {
      const at = PathMtuShape.Head + row * PathMtuRow.Words;
      const [destination, mtu, endsAt, learntAt, router, usedAt] = words.subarray(at, at + PathMtuRow.UsedAt + 1);
      if (mtu === 0 || endsAt <= seconds) continue;
      list.push({
        destination: destination >>> 0,
        port: row < PathMtuShape.Rows ? null : row - PathMtuShape.Rows,
        mtu,
        router: router >>> 0,
        ageSeconds: seconds - learntAt,
        remainingSeconds: endsAt === PathMtuShape.Never ? null : endsAt - seconds,
        usedAgoSeconds: usedAt === 0 ? null : seconds - usedAt,
      });
    }
    return list;
  }

  private mtuAt(at: number, key: number, seconds: number): number {
    const { words } = this;
    if (words[at + PathMtuRow.Key] !== key || words[at + PathMtuRow.EndsAt] <= seconds) return 0;
    words[at + PathMtuRow.UsedAt] = seconds;
    return words[at + PathMtuRow.Mtu];
  }

  private write(at: number, key: number, mtu: number, router: number, seconds: number, agerSeconds: number): void {
    const { words } = this;
    const endsAt = agerSeconds === PathMtuShape.Never ? PathMtuShape.Never : seconds + agerSeconds;
    const isOther = words[at + PathMtuRow.Key] !== key;
    Atomics.store(words, at + PathMtuRow.Mtu, 0);
    words[at + PathMtuRow.Key] = key;
    words[at + PathMtuRow.EndsAt] = endsAt;
    words[at + PathMtuRow.LearntAt] = seconds;
    words[at + PathMtuRow.Router] = router;
    if (isOther) words[at + PathMtuRow.UsedAt] = 0;
    Atomics.store(words, at + PathMtuRow.Mtu, mtu);
    if (Atomics.load(words, Head.Until) < endsAt) Atomics.store(words, Head.Until, endsAt);
  }
}

function rowOf(destination: number): number {
  const set = (Math.imul(destination, 0x9e3779b1) >>> 24) & (PathMtuShape.Sets - 1);
  return PathMtuShape.Head + set * PathMtuShape.Ways * PathMtuRow.Words;
}

function tunnelRow(port: number): number {
  return PathMtuShape.Head + (PathMtuShape.Rows + port) * PathMtuRow.Words;
}
