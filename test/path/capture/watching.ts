// What the main thread does for a capture, beside routers in one thread.

import { type CaptureRecord, readRecords } from '../../../control/capture/records.js';
import { dropTexts } from '../../../dataplane/counters/declare.js';
import { CaptureReader } from '../../../dataplane/port/capture-reader.js';
import { CapturePlace } from '../../../dataplane/tables/capture.js';
import type { Router } from '../router.js';

const places: Record<CapturePlace, string> = { [CapturePlace.Wire]: 'wire', [CapturePlace.Inner]: 'inner', [CapturePlace.Host]: 'host' };

/** @param routers that share memory */
export class Watching {
  readonly records: CaptureRecord[] = [];
  lost = 0;
  private readonly reader: CaptureReader;

  constructor(routers: readonly Router[], what: { wire?: number; inner?: boolean; aces?: number[]; follow?: boolean } = {}) {
    this.reader = new CaptureReader(routers[0].shared, {
      send: ({ lost }, records) => {
        this.lost = lost;
        this.records.push(...readRecords(new Int32Array(records.slice().buffer)));
      },
      unsentBytes: () => 0,
      nowMs: () => routers[0].nowMs,
    });
    this.reader.start({
      type: 'capture-start',
      session: 1,
      wire: what.wire ?? 3,
      inner: what.inner ?? true,
      aces: what.aces ?? null,
      follow: what.follow ?? false,
    });
  }

  /** Records since the last time, in words: `in 0 wire`, `out 1 inner`, with the reason. */
  take(): string[] {
    while (this.reader.take()) {}
    return this.records.map(({ direction, port, place, reason }) => {
      const text = reason < 0 ? '' : ` ${dropTexts[reason].name}`;
      return `${direction === 1 ? 'in' : 'out'} ${port} ${places[place]}${text}`;
    });
  }

  clear(): void {
    this.records.length = 0;
  }

  end(): void {
    this.reader.end();
  }
}
