// Interrupt moderation of netdevs that AF_XDP reads (Linux Documentation/networking/napi.rst, "software IRQ coalescing"): while many packets come, the
// kernel looks for them every 200 µs and not at each, so that they come in larger batches; while few come, each is told at once. Measured: bench/README.md.
// Values of the operator stay. Nothing is changed where sysfs cannot be written, or is that of another network namespace.

import { readFileSync, writeFileSync } from 'node:fs';
import { PortCount } from '../counters/declare.js';
import type { CounterBlocks } from '../mem/shared.js';

/** Packets a second, both ways: from here on, and below which no more. What leaves counts, because acknowledgements that come in bursts make bursts. */
export const enum Rate {
  Many = 50_000,
  Few = 25_000,
}

/** How often the kernel looks for packets while many come, µs. */
const PeriodUs = 200;

/** How often the rate is looked at. */
export const LookMs = 100;

/** Below /sys/class/net/DEVICE: name, and value while many packets come; 0 else. The last is in ns. */
const settings: readonly [string, string][] = [
  ['napi_defer_hard_irqs', '1'],
  ['gro_flush_timeout', String(PeriodUs * 1000)],
];
const Off = '0';

/** The netdev of an open xdp port. Its index and MAC address say whether sysfs means the same one. */
export interface ModeratedDevice {
  port: number;
  device: string;
  index: number;
  mac: string;
}

export interface ModerationMeans {
  /** Counters of the workers. */
  blocks: readonly Pick<CounterBlocks, 'ports'>[];
  /** xdp ports that are open now. */
  list(): readonly ModeratedDevice[];
  /** Monotonic. */
  nowMs(): number;
  /** Of netdevs in sysfs. */
  root?: string;
}

interface Moderated extends ModeratedDevice {
  passed: number;
  isOn: boolean;
}

export class RxModeration {
  private devices: Moderated[] = [];
  private lookedAt: number;

  constructor(private readonly means: ModerationMeans) {
    this.lookedAt = means.nowMs();
  }

  /** To be called every LookMs. */
  look(): void {
    const now = this.means.nowMs();
    const seconds = (now - this.lookedAt) / 1000;
    this.lookedAt = now;
    const open = this.means.list();
    const isSame = (a: ModeratedDevice, b: ModeratedDevice) => a.port === b.port && a.index === b.index && a.device === b.device;
    for (const gone of this.devices.filter((known) => !open.some((device) => isSame(device, known)))) this.set(gone, false);
    this.devices = open.map((device) => this.devices.find((known) => isSame(known, device)) ?? this.take(device));
    for (const device of this.devices) {
      const passed = this.passedBy(device.port);
      const rate = seconds > 0 ? (passed - device.passed) / seconds : 0;
      device.passed = passed;
      if (device.isOn ? rate < Rate.Few : rate >= Rate.Many) this.set(device, !device.isOn);
    }
  }

  /** @returns how often the kernel looks for packets of a port, µs; 0 = each is told at once; null = no xdp port, or its values are not ours */
  microsecondsOf(port: number): number | null {
    const device = this.devices.find((known) => known.port === port);
    if (!device || !this.isOurs(device)) return null;
    return device.isOn ? PeriodUs : 0;
  }

  /** Puts back what was there before. */
  end(): void {
    for (const device of this.devices) this.set(device, false);
    this.devices = [];
  }

  /** What a process that was killed has left is ours. */
  private take(device: ModeratedDevice): Moderated {
    return { ...device, passed: this.passedBy(device.port), isOn: this.isMeant(device) && this.stands(device, true) };
  }

  private passedBy(port: number): number {
    const row = port * PortCount.Count;
    return this.means.blocks.reduce((sum, { ports }) => sum + ports[row + PortCount.RxPackets] + ports[row + PortCount.TxPackets], 0);
  }

  private set(device: Moderated, isOn: boolean): void {
    if (device.isOn === isOn || !this.isOurs(device)) return;
    try {
      for (const [name, value] of settings) writeFileSync(this.pathOf(device, name), isOn ? value : Off);
      device.isOn = isOn;
    } catch {
      // Read-only in a container, or refused: each packet is told as it comes.
    }
  }

  /** Is the netdev the one that is meant, with the values that we know of? */
  private isOurs(device: Moderated): boolean {
    return this.isMeant(device) && this.stands(device, device.isOn);
  }

  /** Are the values those that we have set, and not the operator's? */
  private stands(device: ModeratedDevice, isOn: boolean): boolean {
    return settings.every(([name, value]) => this.read(device, name) === (isOn ? value : Off));
  }

  private isMeant(device: ModeratedDevice): boolean {
    return this.read(device, 'ifindex') === String(device.index) && this.read(device, 'address') === device.mac.toLowerCase();
  }

  /** @returns null when it cannot be read */
  private read(device: ModeratedDevice, name: string): string | null {
    try {
      return readFileSync(this.pathOf(device, name), 'utf8').trim();
    } catch {
      return null;
    }
  }

  private pathOf({ device }: ModeratedDevice, name: string): string {
    return `${this.means.root ?? '/sys/class/net'}/${device}/${name}`;
  }
}
