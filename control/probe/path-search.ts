// The path MTU to one destination, found without ICMP (RFC 8899 §5): states, timers and sizes. Sans-I/O: times are given, actions are returned. An answer comes from the member
// or gateway that has opened a probe, so what is confirmed has crossed the whole way of the traffic.
//
//   disabled --(nobody answers)-- base --1200 confirmed--> searching --no larger one--> search-complete --600 s--> searching
//                                  |  ^                       ^                             |
//                                  v  '---------- black hole: what was confirmed is not any more, three times
//                                error --a smaller one is confirmed--'
//
// In place of one size at a time, several at once: a volley of probes each PROBE_TIMER, which the largest that is answered ends (§5.3: "of the same size or any other"). Sizes that
// nobody answers in MAX_PROBES volleys are too long. So a search takes seconds, which is how long a black hole lasts for TCP.
// Nothing is told before the first search has ended, but for a black hole, which counts as 1200 at once (§4.3): hosts keep for minutes what they are told.
// Does not: send or know destinations (path-searches.ts).

/** Milliseconds of a monotonic clock. */
export type Moment = number;

export type SearchState = 'disabled' | 'base' | 'searching' | 'search-complete' | 'error';

export type SearchAction =
  | { kind: 'probe'; size: number; nonce: string }
  /** From now on, until told otherwise. */
  | { kind: 'use'; mtu: number }
  /** What was confirmed is lost. */
  | { kind: 'black-hole'; mtu: number };

export const enum Timing {
  /** PROBE_TIMER: RFC 8899 §5.1.1 does not allow less. */
  ProbeMs = 1000,
  /** MAX_PROBES. */
  MaxProbes = 3,
  /** CONFIRMATION_TIMER, while there is traffic. */
  ConfirmMs = 5000,
  /** PMTU_RAISE_TIMER. */
  RaiseMs = 600_000,
  /** Nobody has answered: when it is tried again. */
  RetryMs = 300_000,
}

export const enum Mtu {
  /** MIN_PLPMTU: who does not answer this one answers nothing. It has room for any transform. */
  Least = 160,
  /** BASE_PLPMTU (RFC 8899 §5.1.2). */
  Base = 1200,
  /** What a search leaves open: a transform's blocks are not smaller. */
  Step = 4,
}

/** What links and tunnels have (RFC 1191 §7.1, and IPsec, PPPoE and DSL since): tried before what is between. */
const common = [296, 508, 576, 1006, 1280, 1360, 1400, 1420, 1440, 1460, 1480, 1492, 1500];
const LongestVolley = 10;

/** Sizes between two, largest last. `high` itself is known to be too long, unless `withHigh`. */
export function volleySizes(low: number, high: number, withHigh: boolean): number[] {
  const inside = common.filter((size) => size > low && size < high);
  const sizes = inside.length > 0 ? inside.slice(-LongestVolley + 1) : between(low, high);
  return withHigh ? [...sizes, high] : sizes;
}

/** Steps of equal width, no more than a volley has. */
function between(low: number, high: number): number[] {
  const width = Math.max(Mtu.Step, Math.ceil((high - low) / LongestVolley / Mtu.Step) * Mtu.Step);
  const sizes: number[] = [];
  for (let size = low + width; size < high && sizes.length < LongestVolley - 1; size += width) sizes.push(size);
  return sizes;
}

interface Volley {
  /** By nonce; those that are confirmed or smaller than one that is are gone. */
  waiting: Map<string, number>;
  sent: number;
  deadline: Moment;
}

export class PathSearch {
  state: SearchState = 'base';
  /** PLPMTU: what is in use, confirmed; null = nothing yet. */
  mtu: number | null = null;
  readonly counts = { sent: 0, answered: 0, lost: 0, blackHoles: 0 };
  private volley: Volley | null = null;
  /** Confirmed in this search, and the least that is known to be too long. */
  private low = 0;
  private high: number;
  private triedHigh = false;
  private confirmAt: Moment = 0;
  private raiseAt: Moment = 0;
  private usedAt: Moment;

  /** @param max MAX_PLPMTU: the interface's MTU @param makeNonce unique, nobody's to guess */
  constructor(
    private max: number,
    private readonly makeNonce: () => string,
    now: Moment,
  ) {
    this.high = max;
    this.usedAt = now;
  }

  /** When tick() is due. */
  get deadline(): Moment {
    if (this.volley) return this.volley.deadline;
    return this.state === 'search-complete' ? Math.min(this.confirmAt, this.raiseAt) : this.raiseAt;
  }

  begin(now: Moment): SearchAction[] {
    this.state = 'base';
    this.low = 0;
    return this.fire([Mtu.Least, Math.min(Mtu.Base, this.max)], now);
  }

  /** There is traffic to the destination. */
  used(now: Moment): void {
    this.usedAt = Math.max(this.usedAt, now);
  }

  isIdle(now: Moment): boolean {
    return now - this.usedAt > Timing.RaiseMs;
  }

  /** Another MTU of the interface. */
  limit(max: number, now: Moment): SearchAction[] {
    if (max === this.max) return [];
    this.max = max;
    return this.begin(now);
  }

  /** ICMP 3/4 that the packet path has believed (RFC 8899 §4.6.2). */
  tooBig(mtu: number): void {
    if (this.mtu === null || mtu >= this.mtu) return;
    this.mtu = mtu;
    this.low = Math.min(this.low, mtu);
  }

  /** @returns null = it is of no probe of this search */
  answered(nonce: string, now: Moment): SearchAction[] | null {
    const { volley } = this;
    const size = volley?.waiting.get(nonce);
    if (!volley || size === undefined) return null;
    this.counts.answered++;
    this.low = Math.max(this.low, size);
    if (this.state === 'error' && this.low > Mtu.Least) this.state = 'searching';
    for (const [other, waiting] of volley.waiting) if (waiting <= size) volley.waiting.delete(other);
    return volley.waiting.size === 0 ? this.concluded(now) : [];
  }

  tick(now: Moment): SearchAction[] {
    if (now < this.deadline) return [];
    if (this.volley) return this.late(this.volley, now);
    if (this.state !== 'search-complete') return this.begin(now);
    if (now >= this.raiseAt && this.low < this.max) return this.search(now);
    this.confirmAt = now + Timing.ConfirmMs;
    if (now >= this.raiseAt) this.raiseAt = now + Timing.RaiseMs;
    const isUsed = now - this.usedAt <= 2 * Timing.ConfirmMs;
    return isUsed && this.mtu !== null ? this.fire([this.mtu], now) : [];
  }

  /** The PROBE_TIMER of a volley has expired. */
  private late(volley: Volley, now: Moment): SearchAction[] {
    this.counts.lost += new Set(volley.waiting.values()).size;
    return volley.sent < Timing.MaxProbes ? this.send([...volley.waiting.values()], volley, now) : this.concluded(now);
  }

  /** What a volley has come to. */
  private concluded(now: Moment): SearchAction[] {
    const unanswered = [...(this.volley?.waiting.values() ?? [])];
    this.volley = null;
    if (this.state === 'search-complete') return unanswered.length > 0 ? this.blackHole(now) : this.confirmed();
    if (unanswered.length > 0) this.high = Math.min(...unanswered);
    if (this.low === 0) return this.disable(now);
    if (this.state === 'base') {
      if (unanswered.length === 0) this.high = this.max;
      this.triedHigh = unanswered.length > 0;
      this.state = unanswered.length > 0 ? 'error' : 'searching';
    }
    return this.goOn(now);
  }

  private goOn(now: Moment): SearchAction[] {
    const sizes = this.low >= this.high ? [] : volleySizes(this.low, this.high, !this.triedHigh);
    this.triedHigh = true;
    return sizes.length > 0 ? this.fire(sizes, now) : this.complete(now);
  }

  /** Larger than what is confirmed? */
  private search(now: Moment): SearchAction[] {
    this.state = 'searching';
    this.high = this.max;
    this.triedHigh = false;
    return this.goOn(now);
  }

  private complete(now: Moment): SearchAction[] {
    this.state = 'search-complete';
    this.mtu = this.low;
    this.confirmAt = now + Timing.ConfirmMs;
    this.raiseAt = now + Timing.RaiseMs;
    return [{ kind: 'use', mtu: this.mtu }];
  }

  /** Told again, so that it is not forgotten while it is in use. */
  private confirmed(): SearchAction[] {
    return this.mtu === null ? [] : [{ kind: 'use', mtu: this.mtu }];
  }

  private blackHole(now: Moment): SearchAction[] {
    const before = this.mtu ?? this.low;
    this.counts.blackHoles++;
    this.mtu = Math.min(Mtu.Base, before);
    return [{ kind: 'black-hole', mtu: before }, { kind: 'use', mtu: this.mtu }, ...this.begin(now)];
  }

  private disable(now: Moment): SearchAction[] {
    this.state = 'disabled';
    this.raiseAt = now + Timing.RetryMs;
    return [];
  }

  private fire(sizes: readonly number[], now: Moment): SearchAction[] {
    return this.send(sizes, { waiting: new Map(), sent: 0, deadline: now }, now);
  }

  private send(sizes: readonly number[], volley: Volley, now: Moment): SearchAction[] {
    // Late answers to the volley before still count: its nonces stay.
    const probes = [...new Set(sizes)].map((size) => ({ kind: 'probe' as const, size, nonce: this.makeNonce() }));
    for (const { nonce, size } of probes) volley.waiting.set(nonce, size);
    volley.sent++;
    volley.deadline = now + Timing.ProbeMs;
    this.volley = volley;
    this.counts.sent += probes.length;
    return probes;
  }
}
