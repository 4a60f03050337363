// Processor time of the instance's processes, sampled every few seconds, as shares of one processor over the last five seconds, minute and
// five minutes (`show processes cpu`).

import type { ProcessState } from './snapshot.js';

const LongestMs = 300_000;

interface Sample {
  at: number;
  runtimeMs: number;
}

export class CpuMeter {
  private readonly samples = new Map<number, Sample[]>();

  /** @param now Unix ms */
  sample(processes: readonly ProcessState[], now: number): void {
    const alive = new Set(processes.map(({ pid }) => pid));
    for (const pid of this.samples.keys()) if (!alive.has(pid)) this.samples.delete(pid);
    for (const { pid, runtimeMs } of processes) {
      if (pid === null || runtimeMs === undefined) continue;
      const list = this.samples.get(pid) ?? [];
      list.push({ at: now, runtimeMs });
      while (list.length > 2 && list[1].at <= now - LongestMs) list.shift();
      this.samples.set(pid, list);
    }
  }

  /** @returns percent of one processor between the last sample and the one that is `windowMs` older, or the oldest; 0 before two samples */
  percent(pid: number | null, windowMs: number): number {
    const list = pid === null ? undefined : this.samples.get(pid);
    if (list === undefined || list.length < 2) return 0;
    const last = list[list.length - 1];
    const first = [...list].reverse().find(({ at }) => at <= last.at - windowMs) ?? list[0];
    return last.at > first.at ? Math.max(0, ((last.runtimeMs - first.runtimeMs) * 100) / (last.at - first.at)) : 0;
  }

  /** The states with what was measured. */
  describe(processes: readonly ProcessState[]): ProcessState[] {
    return processes.map((state) => ({
      ...state,
      cpu: {
        fiveSeconds: this.percent(state.pid, 5000),
        oneMinute: this.percent(state.pid, 60_000),
        fiveMinutes: this.percent(state.pid, LongestMs),
      },
    }));
  }
}
