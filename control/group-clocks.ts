// Pseudotime of groups with time-based anti-replay, as the packet path wants it: by CLOCK_MONOTONIC, so that a step of the wall clock moves
// nothing. And what the packet path refused lately, sampled. A machine that sleeps stops that clock: its groups are late until the next rekey.

import type { DataplaneEvent } from '../dataplane/tables/message.js';
import type { Ms } from './actions.js';
import { formatIpv4 } from './config/addresses.js';
import type { Tek } from './gdoi/group-policy.js';
import { type Pseudotime, pseudotimeAt } from './gdoi/pseudotime.js';

/** `show crypto gdoi gm replay`: sampled at 10 packets a minute. */
const SampleMs = 6000;
const MaxSamples = 10;

type TimeEvent = Extract<DataplaneEvent, { kind: 'replay-time' }>;

export interface TimeError {
  at: Ms;
  source: number;
  ownMs: Ms;
  /** -1 = the packet had no pseudotime. */
  peerMs: Ms;
  windowSeconds: number;
}

/** CLOCK_MONOTONIC in ms, the clock of dataplane/native. */
export function readMonotonicMs(): Ms {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

export class GroupClocks {
  private readonly offsets = new Map<string, { from: Pseudotime; offset: Ms }>();
  private readonly errors = new Map<string, TimeError[]>();

  constructor(private readonly monotonicMs: () => Ms = readMonotonicMs) {}

  /** @param clock of the group as its member holds it @returns what is added to CLOCK_MONOTONIC to get the pseudotime, whole ms */
  offsetOf(group: string, clock: Pseudotime | null, now: Ms): Ms | null {
    if (clock === null) {
      this.offsets.delete(group);
      return null;
    }
    const known = this.offsets.get(group);
    if (known && known.from.value === clock.value && known.from.at === clock.at) return known.offset;
    const offset = Math.round(pseudotimeAt(clock, now) - this.monotonicMs());
    this.offsets.set(group, { from: clock, offset });
    return offset;
  }

  /** The group's pseudotime now, ms; null = it has none, or was not published yet. */
  pseudotimeOf(group: string): Ms | null {
    const known = this.offsets.get(group);
    return known ? Math.max(0, this.monotonicMs() + known.offset) : null;
  }

  /** Something was refused. @param groups of this member @returns what the log is to say; null = nothing, it has just said it */
  note(event: TimeEvent, groups: readonly { name: string; teks: readonly Tek[] }[], now: Ms): string | null {
    for (const { name, teks } of groups) {
      const tek = teks.find(({ spi }) => spi === event.spi);
      const error = tek && this.sample(name, event, tek.replaySeconds ?? 0, now);
      if (error) return describeTimeError(name, error);
    }
    return null;
  }

  private sample(group: string, event: TimeEvent, windowSeconds: number, now: Ms): TimeError | null {
    const list = this.errors.get(group) ?? [];
    const last = list[list.length - 1];
    if (last && now - last.at < SampleMs && now >= last.at) return null;
    const error = { at: now, source: event.src, ownMs: event.ownMs, peerMs: event.peerMs, windowSeconds };
    this.errors.set(group, [...list, error].slice(-MaxSamples));
    return error;
  }

  /** Newest last. */
  errorsOf(group: string): readonly TimeError[] {
    return this.errors.get(group) ?? [];
  }
}

/** As IOS words it. */
function describeTimeError(group: string, { source, ownMs, peerMs, windowSeconds }: TimeError): string {
  const text = (ms: Ms): string => (ms < 0 ? 'none' : `${(ms / 1000).toFixed(2)} secs`);
  const times = `my_pseudotime is ${text(ownMs)}, peer_pseudotime is ${text(peerMs)}, replay_window is ${windowSeconds} secs`;
  return `An anti replay check has failed in group ${group}: ${times}, from source ${formatIpv4(source)}`;
}
