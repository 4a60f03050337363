// What the plots show: rates between two states, and the last five minutes of them.

import type { PageInterface, PageState } from '../state.js';

/** One a second. */
const Kept = 300;

/** @returns null where a counter was set back: the dataplane is another one */
function rate(before: number, after: number, seconds: number): number | null {
  return after < before || seconds <= 0 ? null : (after - before) / seconds;
}

export interface InterfaceRates {
  receivedBps: number | null;
  sentBps: number | null;
  receivedPps: number | null;
  sentPps: number | null;
}

export interface Rates {
  /** Unix seconds. */
  at: number;
  interfaces: Map<string, InterfaceRates>;
  sealedPps: number | null;
  openedPps: number | null;
  drops: number | null;
  queued: number;
  /** By the name of the class. */
  queues: Map<string, number>;
}

function interfaceRates(before: PageInterface, after: PageInterface, seconds: number): InterfaceRates {
  const bits = (key: 'receivedBytes' | 'sentBytes') => {
    const bytes = rate(before[key], after[key], seconds);
    return bytes === null ? null : bytes * 8;
  };
  return {
    receivedBps: bits('receivedBytes'),
    sentBps: bits('sentBytes'),
    receivedPps: rate(before.receivedPackets, after.receivedPackets, seconds),
    sentPps: rate(before.sentPackets, after.sentPackets, seconds),
  };
}

export function ratesBetween(before: PageState, after: PageState): Rates {
  const seconds = (after.takenAt - before.takenAt) / 1000;
  const interfaces = new Map<string, InterfaceRates>();
  for (const item of after.interfaces) {
    const earlier = before.interfaces.find(({ name }) => name === item.name);
    if (earlier) interfaces.set(item.name, interfaceRates(earlier, item, seconds));
  }
  return {
    at: after.takenAt / 1000,
    interfaces,
    sealedPps: rate(before.sealedPackets, after.sealedPackets, seconds),
    openedPps: rate(before.openedPackets, after.openedPackets, seconds),
    drops: rate(before.droppedPackets, after.droppedPackets, seconds),
    queued: after.queuedPackets,
    queues: new Map(after.queues.map(({ name, packets }) => [name, packets])),
  };
}

export class History {
  readonly samples: Rates[] = [];
  private last: PageState | null = null;

  add(state: PageState): void {
    // Another clock or another router: what was before is of no use.
    if (this.last && (state.takenAt < this.last.takenAt || state.hostname !== this.last.hostname)) this.samples.length = 0;
    else if (this.last && state.takenAt > this.last.takenAt) this.samples.push(ratesBetween(this.last, state));
    if (this.samples.length > Kept) this.samples.shift();
    this.last = state;
  }

  /** Columns as uPlot takes them: times, then one per series. */
  columns(...values: ((sample: Rates) => number | null | undefined)[]): [number[], ...(number | null)[][]] {
    return [this.samples.map(({ at }) => at), ...values.map((value) => this.samples.map((sample) => value(sample) ?? null))];
  }
}
