// `clear counters`: from then on `show` counts from there. /metrics go on, because a Prometheus counter never goes back.

import type { DropCell, InterfaceState, Snapshot } from './api/snapshot.js';

type Baseline = NonNullable<Snapshot['cleared']>;

export class ClearedCounters {
  private baseline: Baseline | null = null;

  /** @param drops by reason, as the dataplane has them @param cells the same by interface too @param now Unix ms */
  clear(interfaces: readonly InterfaceState[], drops: readonly number[], cells: readonly DropCell[], now: number): void {
    this.baseline = {
      at: now,
      interfaces: interfaces.map(({ name, counters }) => ({ name, counters: { ...counters } })),
      drops: [...drops],
      dropCells: [...cells],
    };
  }

  /**
   * For the snapshot; undefined when they were never cleared. A dataplane that began anew counts from 0, and so does what is shown.
   * @param drops null when no dataplane answers: all counters are 0 now, and what they were counted from is kept for when it does
   */
  state(interfaces: readonly InterfaceState[], drops: readonly number[] | null): Baseline | undefined {
    if (this.baseline === null) return undefined;
    if (drops === null) return { at: this.baseline.at, interfaces: [], drops: [], dropCells: [] };
    const isBack = (now: number, then: number): boolean => now < then;
    const restarted =
      drops.some((value, index) => isBack(value, this.baseline!.drops[index] ?? 0)) ||
      this.baseline.interfaces.some(({ name, counters }) => {
        const now = interfaces.find((item) => item.name === name)?.counters;
        return (
          now !== undefined && (isBack(now.receivedPackets, counters.receivedPackets) || isBack(now.sentPackets, counters.sentPackets))
        );
      });
    if (restarted) this.baseline = { at: this.baseline.at, interfaces: [], drops: [], dropCells: [] };
    return this.baseline;
  }
}
