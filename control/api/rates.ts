// Five-minute rates of interfaces as IOS computes them: a sample every few seconds, exponentially decayed with a time constant of
// five minutes. Control samples on its timer; `show interfaces` prints the result.

const TimeConstantMs = 300_000;

interface Counts {
  receivedPackets: number;
  receivedBytes: number;
  sentPackets: number;
  sentBytes: number;
}
export interface Rates {
  receivedBps: number;
  receivedPacketsPerSecond: number;
  sentBps: number;
  sentPacketsPerSecond: number;
}

export class RateMeter {
  private readonly meters = new Map<string, { at: number; last: Counts; rates: Rates | null }>();

  /** @param now milliseconds; a clock or a counter that went back starts the interface's average again */
  sample(name: string, now: number, counts: Counts): void {
    const meter = this.meters.get(name);
    const elapsed = meter ? now - meter.at : 0;
    if (!meter || elapsed < 0 || counts.receivedPackets < meter.last.receivedPackets || counts.sentPackets < meter.last.sentPackets) {
      this.meters.set(name, { at: now, last: { ...counts }, rates: null });
      return;
    }
    if (elapsed === 0) return;
    const perSecond = (key: keyof Counts) => ((counts[key] - meter.last[key]) * 1000) / elapsed;
    const fresh = {
      receivedBps: perSecond('receivedBytes') * 8,
      receivedPacketsPerSecond: perSecond('receivedPackets'),
      sentBps: perSecond('sentBytes') * 8,
      sentPacketsPerSecond: perSecond('sentPackets'),
    };
    const weight = 1 - Math.exp(-elapsed / TimeConstantMs);
    const old = meter.rates ?? { receivedBps: 0, receivedPacketsPerSecond: 0, sentBps: 0, sentPacketsPerSecond: 0 };
    const blend = (key: keyof Rates) => old[key] + weight * (fresh[key] - old[key]);
    meter.rates = {
      receivedBps: blend('receivedBps'),
      receivedPacketsPerSecond: blend('receivedPacketsPerSecond'),
      sentBps: blend('sentBps'),
      sentPacketsPerSecond: blend('sentPacketsPerSecond'),
    };
    meter.at = now;
    meter.last = { ...counts };
  }

  /** null before the second sample. */
  rates(name: string): Rates | null {
    return this.meters.get(name)?.rates ?? null;
  }
}
