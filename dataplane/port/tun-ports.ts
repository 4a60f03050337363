// The `tun` port driver on the main thread: one TUN netdev per configured interface, one queue of it per worker. A descriptor belongs
// to its worker from `port-open` until the worker says `port-closed`; only then is it closed. Does not: addresses, routes, rules.

import type { Native } from '../native/native.js';
import type { LinuxState } from './linux-state.js';
import type { PortDevices } from './rules.js';
import type { BatchError } from './run-command.js';
import { setTun } from './sysctl.js';
import type { WorkerSet } from './worker-set.js';

const MaxNameLength = 15; // IFNAMSIZ less the zero byte
const TxQueueLength = 1000;

interface OpenPort extends PortDevices {
  /** Per worker, -1 = closed. */
  fds: number[];
  closing: (() => void) | null;
}

/** `gw-<netdev>`, or with the port id in it when cutting made two equal. */
export function tunName(port: number, device: string, taken: ReadonlySet<string>): string {
  const plain = `gw-${device}`.slice(0, MaxNameLength);
  return taken.has(plain) ? `gw${port}-${device}`.slice(0, MaxNameLength) : plain;
}

export class TunPorts {
  private readonly ports = new Map<number, OpenPort>();

  /** @param lost called when a TUN vanished under us */
  constructor(
    private readonly native: Native,
    private readonly workers: () => WorkerSet,
    private readonly lost: (port: number) => void,
  ) {}

  /** Open ports, in the order of their ids. */
  list(): PortDevices[] {
    return [...this.ports.values()].sort((a, b) => a.port - b.port).map(({ port, device, tun }) => ({ port, device, tun }));
  }

  find(port: number): PortDevices | null {
    return this.ports.get(port) ?? null;
  }

  /** Creates the TUN, down. Throws Error with what to do. */
  open(port: number, device: string): void {
    const taken = new Set([...this.ports.values()].map(({ tun }) => tun));
    const tun = tunName(port, device, taken);
    const fds: number[] = [];
    const count = this.workers().count;
    try {
      for (let worker = 0; worker < count; worker++) fds.push(this.native.tunOpen(tun, count > 1));
    } catch (error) {
      for (const fd of fds) this.native.fdClose(fd);
      throw error;
    }
    this.ports.set(port, { port, device, tun, fds, closing: null });
    setTun(tun);
    for (const [worker, fd] of fds.entries()) this.workers().send(worker, { kind: 'port-open', port, fd });
  }

  /** Takes the port from the workers, then removes its TUN. */
  async close(port: number): Promise<void> {
    const open = this.ports.get(port);
    if (!open) return;
    const closed = new Promise<void>((resolve) => {
      open.closing = resolve;
    });
    for (const [worker, fd] of open.fds.entries()) if (fd >= 0) this.workers().send(worker, { kind: 'port-close', port });
    if (open.fds.some((fd) => fd >= 0)) await closed;
    this.ports.delete(port);
  }

  /** A worker lets go of its descriptor. */
  release(worker: number, port: number): void {
    const open = this.ports.get(port);
    if (!open || open.fds[worker] < 0) return;
    this.native.fdClose(open.fds[worker]);
    open.fds[worker] = -1;
    if (open.fds.some((fd) => fd >= 0)) return;
    if (open.closing) open.closing();
    else {
      this.ports.delete(port);
      this.lost(port);
    }
  }

  /** Closes all descriptors at once: only when no worker runs any more. */
  closeAll(): void {
    for (const { fds } of this.ports.values()) for (const fd of fds) if (fd >= 0) this.native.fdClose(fd);
    this.ports.clear();
  }

  /** Commands that make the TUNs as their netdevs are, and up. */
  planLinks(state: LinuxState): string[] {
    const commands: string[] = [];
    for (const { device, tun } of this.ports.values()) {
      setTun(tun);
      const link = state.links.get(device);
      const own = state.links.get(tun);
      if (!link || (own?.up && own.mtu === link.mtu)) continue;
      commands.push(`link set dev ${tun} mtu ${link.mtu} txqueuelen ${TxQueueLength} up`);
    }
    return commands;
  }
}

/** Errors of a batch as lines for the operator. */
export function describeErrors(errors: readonly BatchError[]): string[] {
  return errors.map(({ command, reason }) => `ip ${command}: ${reason}`);
}
