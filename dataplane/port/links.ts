// The descriptors of a port, by driver: a TUN queue for every worker, and beside it what is faster. A driver that cannot be had gives
// way to the next. Does not: keep them (ports.ts), read or write them (the workers).
//
//            link of a worker                                  instead
//   raw      a raw socket, with its share of the senders       tun
//   packet   a packet socket, with its share of the senders    tun
//   xdp      the receive queues q with q % workers = worker,   raw, tun
//            without any: what sends by another's queue

import { existsSync, readdirSync } from 'node:fs';
import { type Link, LinkKind } from '../mem/links.js';
import { MaxGroups } from '../mem/shared.js';
import type { Native } from '../native/native.js';
import type { PortDriver } from '../tables/message.js';
import type { HopSender } from './policy-hops.js';

/** SO_MARK of what raw sockets send: a rule sends it by main, as it comes from no netdev and has no address of ours. */
export const RawMark = 0x67770000;

/** What native.ts allows in a filter. */
const MaxOwnAddresses = 64;

/** Of one netdev, per worker: a worker polls 63 links. */
const MaxQueues = 16;

const instead: Record<PortDriver, PortDriver | null> = { tun: null, raw: 'tun', packet: 'tun', xdp: 'raw' };

export interface LinkRequest {
  device: string;
  ethernet: boolean;
  driver: PortDriver;
  offloads: boolean;
  workers: number;
  /** The host's own addresses. */
  own: readonly number[];
}

export interface FastLinks {
  /** The driver that they are of: `tun` has none. */
  driver: PortDriver;
  byWorker: Link[][];
  /** Why a driver that was wanted could not be had. */
  reasons: string[];
}

/**
 * Opens the links beside the TUN. Never throws: without any, the driver is `tun`. @param complete what a driver needs beside its
 * descriptors; it throws Error when that cannot be had
 */
export async function openFastLinks(
  native: Native,
  request: LinkRequest,
  complete: (driver: PortDriver) => Promise<void>,
): Promise<FastLinks> {
  const reasons: string[] = [];
  for (let driver: PortDriver | null = request.driver; driver !== null && driver !== 'tun'; driver = instead[driver]) {
    const byWorker: Link[][] = Array.from({ length: request.workers }, () => []);
    try {
      openAll(native, driver, request, byWorker);
      await complete(driver);
      return { driver, byWorker, reasons };
    } catch (error) {
      closeLinks(native, byWorker.flat());
      reasons.push(`${driver}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { driver: 'tun', byWorker: Array.from({ length: request.workers }, () => []), reasons };
}

/** @param byWorker gets every link as soon as it is open */
function openAll(native: Native, driver: PortDriver, request: LinkRequest, byWorker: Link[][]): void {
  const { device, workers, own, offloads } = request;
  if (driver === 'raw') {
    for (const [worker, links] of byWorker.entries())
      links.push({ kind: LinkKind.Raw, fd: native.rawOpen(device, RawMark, worker, workers) });
    return;
  }
  if (!request.ethernet) throw new Error(`${device} is no Ethernet device`);
  if (driver === 'xdp') {
    const queues = countReceiveQueues(device);
    if (queues > MaxQueues * workers) throw new Error(`${device} has ${queues} receive queues: ethtool -L ${device} combined ${workers}`);
    for (let queue = 0; queue < queues; queue++)
      byWorker[queue % workers].push({ kind: LinkKind.Xdp, fd: loadProgram(() => native.xdpOpen(device, queue)) });
    for (let worker = queues; worker < workers; worker++)
      byWorker[worker].push({ kind: LinkKind.XdpSender, fd: native.xdpSender(byWorker[worker % queues][0].fd) });
    return;
  }
  const addresses = ownAddresses(own);
  for (const [worker, links] of byWorker.entries())
    links.push({ kind: LinkKind.Packet, fd: native.packetOpen(device, addresses, addresses.length, worker, workers, offloads) });
}

/** Links for multicast, one per worker; without them such packets are dropped. @param failed says why there are none */
export function openGroupLinks(
  native: Native,
  request: LinkRequest,
  groups: readonly number[],
  failed: (reason: string) => void,
): Link[][] {
  const { device, workers, ethernet } = request;
  const byWorker: Link[][] = Array.from({ length: workers }, () => []);
  if (groups.length === 0) return byWorker;
  const words = Int32Array.from(groups.slice(0, MaxGroups), (group) => group | 0);
  try {
    if (!ethernet) throw new Error(`${device} is no Ethernet device`);
    for (const [worker, links] of byWorker.entries())
      links.push({ kind: LinkKind.Groups, fd: native.groupOpen(device, words, words.length, worker, workers) });
    return byWorker;
  } catch (error) {
    closeLinks(native, byWorker.flat());
    failed(error instanceof Error ? error.message : String(error));
    return byWorker.map(() => []);
  }
}

/** Links that send to the hops of policy routing, one for each worker; without them packets are routed as ever. @param failed says why there are none */
export function openSenders(
  native: Native,
  device: string,
  senders: readonly HopSender[],
  workers: number,
  failed: (reason: string) => void,
): Link[][] {
  const byWorker: Link[][] = Array.from({ length: workers }, () => []);
  try {
    for (const links of byWorker)
      for (const { hop, mark } of senders) links.push({ kind: LinkKind.Policy, hop, fd: native.rawSender(device, mark) });
    return byWorker;
  } catch (error) {
    closeLinks(native, byWorker.flat());
    failed(error instanceof Error ? error.message : String(error));
    return byWorker.map(() => []);
  }
}

/** Gives packet sockets another list. @param byWorker the port's links */
export function filterPackets(native: Native, byWorker: readonly (readonly Link[])[], own: readonly number[]): void {
  const addresses = ownAddresses(own);
  for (const [worker, links] of byWorker.entries()) {
    for (const { kind, fd } of links)
      if (kind === LinkKind.Packet) native.packetFilter(fd, addresses, addresses.length, worker, byWorker.length);
  }
}

export function fitsFilter(own: readonly number[]): boolean {
  return own.length <= MaxOwnAddresses;
}

function ownAddresses(own: readonly number[]): Int32Array {
  if (!fitsFilter(own)) throw new Error(`the host has ${own.length} addresses: a filter holds ${MaxOwnAddresses}`);
  return Int32Array.from(own, (address) => address | 0);
}

/** Tries of what loads a program into the kernel, as libbpf has it. */
const LoadTries = 5;

/** The kernel gives up checking a program when a signal comes (EAGAIN), a child's end for example: that is no refusal. */
export function loadProgram<T>(load: () => T): T {
  for (let left = LoadTries - 1; ; left--) {
    try {
      return load();
    } catch (error) {
      if (left === 0 || (error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
}

export function closeLinks(native: Native, links: readonly Link[]): void {
  for (const { fd } of links) native.fdClose(fd);
}

/** Without sysfs of this namespace: 1. What arrives in queues without a link comes through the TUN. */
function countReceiveQueues(device: string): number {
  const folder = `/sys/class/net/${device}/queues`;
  return existsSync(folder) ? Math.max(1, readdirSync(folder).filter((name) => name.startsWith('rx-')).length) : 1;
}
