// Keeps the list of the kernel's neighbours fresh while a port needs it: a new dump for every burst of changes, and a probe of what has
// grown stale. Does not: compare, or publish (applier.ts).

import { KernelMonitor } from './monitor.js';
import { type Neighbour, needsNeighbours, parseNeighbours, planProbes } from './neighbours.js';
import type { PortDevices } from './rules.js';
import { queryIp, runBatch } from './run-command.js';

/** The states of many neighbours change all the time, their addresses hardly ever: dumps take at most a tenth of this thread's time. */
const Rest = 9;
const ProbeMs = 20_000;

export class NeighbourWatch {
  private monitor: KernelMonitor | null = null;
  private timer: NodeJS.Timeout | null = null;
  private ports: readonly PortDevices[] = [];
  /** As of the last dump; empty while nobody needs it. */
  neighbours: readonly Neighbour[] = [];

  /** @param changed there was a new dump @param failed ip cannot be run */
  constructor(
    private readonly changed: () => void,
    private readonly log: (text: string) => void,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** @param ports those that are open */
  follow(ports: readonly PortDevices[]): void {
    this.ports = ports;
    if (!ports.some(needsNeighbours)) this.close();
    else if (!this.monitor) this.open();
  }

  private open(): void {
    this.neighbours = readNeighbours();
    this.monitor = new KernelMonitor(['neigh'], Rest, () => this.attempt(() => this.read()), this.log);
    this.monitor.open();
    this.timer = setInterval(() => this.attempt(() => this.probe()), ProbeMs);
  }

  close(): void {
    this.monitor?.close();
    this.monitor = null;
    if (this.timer) clearInterval(this.timer);
    this.timer = null;
    this.neighbours = [];
  }

  private attempt(work: () => void): void {
    try {
      if (this.monitor) work();
    } catch (error) {
      this.failed(error);
    }
  }

  private read(): void {
    this.neighbours = readNeighbours();
    this.changed();
  }

  private probe(): void {
    this.neighbours = readNeighbours();
    runBatch(planProbes(this.ports, this.neighbours)); // one that is gone meanwhile needs none
  }
}

function readNeighbours(): Neighbour[] {
  return parseNeighbours(queryIp(['neigh show nud all'])[0]);
}
