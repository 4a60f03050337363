// The ports that are open: a TUN netdev for each, one queue of it per worker, and the faster links of its driver. Links belong to
// their worker from `port-open` until it says `port-closed`; only then they are closed. Does not: addresses, routes, rules.

import { type Link, LinkKind } from '../mem/links.js';
import type { Native } from '../native/native.js';
import type { InterfaceRow, PortDriver } from '../tables/message.js';
import type { IngressDrop } from './ingress-drop.js';
import { closeLinks, filterPackets, fitsFilter, loadProgram, openFastLinks, openGroupLinks, openSenders } from './links.js';
import type { LinuxLink, LinuxState } from './linux-state.js';
import type { HopSender } from './policy-hops.js';
import { isTunnel, type PortDevices } from './rules.js';
import { tunCommand } from './run-command.js';
import type { ModeratedDevice } from './rx-moderation.js';
import { setTun, setTunnel } from './sysctl.js';
import type { WorkerSet } from './worker-set.js';

const MaxNameLength = 15; // IFNAMSIZ less the zero byte
export const TxQueueLength = 1000;

interface OpenPort extends PortDevices {
  /** Of the netdev: one of the same name may be another. */
  index: number;
  mac: string;
  wanted: PortDriver;
  offloads: boolean;
  /** Multicast groups that its links listen for. */
  groups: string;
  /** Hops of policy routing that it has senders for, JSON. */
  senders: string;
  /** Per worker; empty = closed. */
  links: Link[][];
  closing: (() => void) | null;
}

/** `gw-<netdev>`, or with the port id in it when cutting made two equal. */
export function tunName(port: number, device: string, taken: ReadonlySet<string>): string {
  const plain = `gw-${device}`.slice(0, MaxNameLength);
  return taken.has(plain) ? `gw${port}-${device}`.slice(0, MaxNameLength) : plain;
}

export interface PortEvents {
  /** The links of a port vanished under us. */
  lost(port: number): void;
  /** A driver or a steering program could not be had: the router works without. @param severity 4, or 5 when nobody asked for it */
  degraded(text: string, severity: 4 | 5): void;
}

export class Ports {
  private readonly ports = new Map<number, OpenPort>();
  private own: readonly number[] = [];
  /** Multicast groups that ports listen for; a port that has others is opened again. */
  groups: readonly number[] = [];
  /** Senders for policy routing, by port: likewise. */
  senders: ReadonlyMap<number, readonly HopSender[]> = new Map();
  private steeringRefused = false;

  constructor(
    private readonly native: Native,
    private readonly workers: () => WorkerSet,
    private readonly ingress: IngressDrop,
    private readonly events: PortEvents,
  ) {}

  /** Open ports, in the order of their ids. */
  list(): PortDevices[] {
    return [...this.ports.values()].sort((a, b) => a.port - b.port).map(({ port, device, tun, driver }) => ({ port, device, tun, driver }));
  }

  /** Netdevs that AF_XDP reads. */
  listXdp(): ModeratedDevice[] {
    const open = [...this.ports.values()].filter(({ driver }) => driver === 'xdp');
    return open.map(({ port, device, index, mac }) => ({ port, device, index, mac }));
  }

  find(port: number): Readonly<PortDevices & { offloads: boolean }> | null {
    return this.ports.get(port) ?? null;
  }

  /** Creates the netdev of a tunnel, down; nothing when it is there as it should be. Throws Error. */
  async openTunnel(row: InterfaceRow & { device: string }): Promise<void> {
    const { port, device, offloads } = row;
    const open = this.ports.get(port);
    if (open && isTunnel(open) && open.device === device && open.offloads === offloads) return;
    await this.close(port);
    const count = this.workers().count;
    const queues = this.openTun(device, count, offloads, LinkKind.Tunnel);
    setTunnel(device);
    const links = queues.map((queue) => [queue]);
    const rest = { index: 0, mac: '', wanted: 'tun', groups: '', senders: '', closing: null } as const;
    this.ports.set(port, { port, device, tun: device, driver: 'tun', offloads, links, ...rest });
    for (const [worker, list] of links.entries()) this.workers().send(worker, { kind: 'port-open', port, links: list });
  }

  /** What a worker's links of an open port are; empty = it is not open. */
  linksOf(port: number, worker: number): Omit<Link, 'fd'>[] {
    return (this.ports.get(port)?.links[worker] ?? []).map(({ fd: _, ...shape }) => shape);
  }

  /** Can every worker send what policy routing has for a hop? */
  hasSender(port: number, hop: number): boolean {
    const open = this.ports.get(port);
    if (open && isTunnel(open)) return true; // GRE goes its own way
    const links = open?.links ?? [];
    return links.length > 0 && links.every((list) => list.some((link) => link.kind === LinkKind.Policy && link.hop === hop));
  }

  /** Can the open port stay as it is? @param link the netdev as it is now, if it is there */
  isAsWanted(port: number, row: InterfaceRow | undefined, link: LinuxLink | undefined, own: readonly number[]): boolean {
    const open = this.ports.get(port);
    if (open && isTunnel(open)) return row?.tunnel !== undefined && row.device === open.device && link !== undefined;
    return (
      open !== undefined &&
      row?.device === open.device &&
      row.driver === open.wanted &&
      row.offloads === open.offloads &&
      this.groups.join() === open.groups &&
      JSON.stringify(this.sendersOf(open.port)) === open.senders &&
      link?.index === open.index &&
      (open.driver !== 'packet' || fitsFilter(own))
    );
  }

  /** Creates the TUN, down, and the links of the driver. Throws Error with what to do. */
  async open(row: InterfaceRow & { device: string }, link: LinuxLink, own: readonly number[]): Promise<void> {
    const { port, name, device, driver: wanted, driverChosen, offloads } = row;
    const taken = new Set([...this.ports.values()].map(({ tun }) => tun));
    const tun = tunName(port, device, taken);
    const count = this.workers().count;
    const queues = this.openTun(tun, count, offloads);
    setTun(tun);
    // The twin has TUNs alone: that it has not the default is no news.
    const tried = this.native.kind === 'twin' && !driverChosen ? 'tun' : wanted;
    const request = { device, ethernet: link.ethernet, driver: tried, offloads, workers: count, own };
    // The sockets are there before the kernel drops, and the workers read them when it does: for that moment rather twice than never.
    const fast = await openFastLinks(this.native, request, async (driver) => {
      if (driver === 'packet') await this.ingress.set([...this.packetDevices(), device], own);
    });
    const severity = driverChosen ? 4 : 5;
    for (const reason of fast.reasons)
      this.events.degraded(`interface ${name}: no port-driver ${reason}; ${fast.driver} is used`, severity);
    const groupLinks = openGroupLinks(this.native, request, this.groups, (reason) =>
      this.events.degraded(`interface ${name}: no multicast (${reason})`, 4),
    );
    const senders = this.sendersOf(port);
    const senderLinks = openSenders(this.native, device, senders, count, (reason) =>
      this.events.degraded(`interface ${name}: no policy routing to it (${reason})`, 4),
    );
    const links = queues.map((queue, worker) => [queue, ...fast.byWorker[worker], ...groupLinks[worker], ...senderLinks[worker]]);
    const state = { groups: this.groups.join(), senders: JSON.stringify(senders), mac: link.mac };
    this.ports.set(port, { port, device, tun, driver: fast.driver, index: link.index, wanted, offloads, ...state, links, closing: null });
    for (const [worker, list] of links.entries()) this.workers().send(worker, { kind: 'port-open', port, links: list });
  }

  private sendersOf(port: number): readonly HopSender[] {
    return this.senders.get(port) ?? [];
  }

  private openTun(tun: string, count: number, offloads: boolean, kind = LinkKind.Tun): Link[] {
    const queues: Link[] = [];
    try {
      for (let worker = 0; worker < count; worker++) {
        const fd = this.native.tunOpen(tun, count > 1, offloads);
        queues.push({ kind, fd, joinsUdp: this.native.joinsUdp(fd) });
      }
    } catch (error) {
      closeLinks(this.native, queues);
      const command = tunCommand(tun, count > 1);
      throw command === null ? error : new Error(`${command}: to be done by root`);
    }
    if (count > 1) this.steer(queues[0].fd, count);
    return queues;
  }

  private steer(fd: number, workers: number): void {
    try {
      loadProgram(() => this.native.tunSteer(fd, workers));
    } catch (error) {
      if (this.steeringRefused) return;
      this.steeringRefused = true;
      const reason = error instanceof Error ? error.message : String(error);
      this.events.degraded(`no steering of TUN queues (${reason}): the kernel spreads the flows, workers hand over what is another's`, 4);
    }
  }

  /** Takes the port from the workers, then removes its links and its TUN. */
  async close(port: number): Promise<void> {
    const open = this.ports.get(port);
    if (!open) return;
    const closed = new Promise<void>((resolve) => {
      open.closing = resolve;
    });
    this.askWorkers(open);
    if (isOpen(open)) await closed;
    this.ports.delete(port);
  }

  private askWorkers({ port, links }: OpenPort): void {
    for (const [worker, list] of links.entries()) if (list.length > 0) this.workers().send(worker, { kind: 'port-close', port });
  }

  /** A worker lets go of its links: asked to, or because one of them is gone. Then the others must let go too. */
  release(worker: number, port: number): void {
    const open = this.ports.get(port);
    if (!open || open.links[worker].length === 0) return;
    const isFirst = open.closing === null && open.links.every((links) => links.length > 0);
    closeLinks(this.native, open.links[worker]);
    open.links[worker] = [];
    if (isOpen(open)) {
      if (isFirst) this.askWorkers(open);
      return;
    }
    if (open.closing) open.closing();
    else {
      this.ports.delete(port);
      this.events.lost(port);
    }
  }

  /** What packet sockets leave to the kernel, and which netdevs they are on, are as they should be after this. Throws Error. */
  async setOwnAddresses(own: readonly number[]): Promise<void> {
    const devices = this.packetDevices();
    if (own.join() !== this.own.join()) {
      for (const { driver, links } of this.ports.values()) if (driver === 'packet') filterPackets(this.native, links, own);
      this.own = own;
    }
    await this.ingress.set(devices, own);
  }

  private packetDevices(): string[] {
    return this.list().flatMap(({ driver, device }) => (driver === 'packet' ? [device] : []));
  }

  /** Closes all links at once: only when no worker runs any more. */
  closeAll(): void {
    for (const { links } of this.ports.values()) closeLinks(this.native, links.flat());
    this.ports.clear();
    this.ingress.close();
  }

  /** Commands that make the TUNs as their netdevs are, and up. */
  planLinks(state: LinuxState): string[] {
    const commands: string[] = [];
    for (const { device, tun } of this.ports.values()) {
      if (isTunnel({ device, tun })) {
        setTunnel(tun);
        continue; // tunnels.ts
      }
      setTun(tun);
      const link = state.links.get(device);
      const own = state.links.get(tun);
      if (!link || (own?.up && own.mtu === link.mtu)) continue;
      commands.push(`link set dev ${tun} mtu ${link.mtu} txqueuelen ${TxQueueLength} up`);
    }
    return commands;
  }
}

function isOpen({ links }: OpenPort): boolean {
  return links.some((list) => list.length > 0);
}
