// Takes what the workers noted of NAT sessions (mem/nat-log.ts) to control, a few times a second while control asks for it.

import { natLogOf, takeNatLog } from '../mem/nat-log.js';
import { Ctl, controlWords, type SharedState } from '../mem/shared.js';

const IntervalMs = 200;
/** Control that reads slower than this much is left alone: the rings fill, and count what they lose. */
const MaxUnsentBytes = 1 << 20;

export class NatLogReader {
  private readonly rings: Int32Array[];
  private readonly control: Int32Array;
  private timer: NodeJS.Timeout | null = null;

  /** @param send gets rows, one after the other @param unsentBytes of what was sent before @param now milliseconds of the workers' clock */
  constructor(
    shared: SharedState,
    private readonly send: (rows: Uint8Array) => void,
    private readonly unsentBytes: () => number,
    private readonly now: () => number,
  ) {
    this.rings = Array.from({ length: shared.workers }, (_, worker) => natLogOf(shared, worker));
    this.control = controlWords(shared);
  }

  set(isOn: boolean): void {
    Atomics.store(this.control, Ctl.NatLog, isOn ? 1 : 0);
    if (this.timer) clearInterval(this.timer);
    this.timer = isOn ? setInterval(() => this.take(), IntervalMs) : null;
    if (!isOn) for (const ring of this.rings) takeNatLog(ring, 0); // of no use later
  }

  take(): void {
    for (const ring of this.rings) {
      if (this.unsentBytes() > MaxUnsentBytes) return;
      const rows = takeNatLog(ring, this.now());
      if (rows.length > 0) this.send(new Uint8Array(rows.buffer));
    }
  }
}
