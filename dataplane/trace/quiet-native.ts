// The native seam of a trace: one datagram can be read, what is sent is noted, nothing leaves, no file is written, no key is used.

import { existsSync, readFileSync } from 'node:fs';
import { type Link, LinkKind } from '../mem/links.js';
import { Job, JobStatus, type Native } from '../native/native.js';

/** A datagram that a stage has written to a link. */
export interface Written {
  port: number;
  kind: LinkKind;
  bytes: Uint8Array;
  /** Where it lay in the pool: names the slot. */
  offset: number;
}

const KindBits = 4;
const PortBits = 4;

/** A link as a worker has it, without its descriptor. */
export type LinkShape = Omit<Link, 'fd'>;

/** The descriptor that stands for a link. */
export function descriptorOf(port: number, { kind, hop = 0 }: LinkShape): number {
  return (((hop << PortBits) | port) << KindBits) | kind;
}

function refuse(): never {
  throw new Error('a trace opens nothing');
}

export class QuietNative implements Native {
  readonly kind = 'twin';
  readonly aes = 'openssl';
  readonly written: Written[] = [];
  /** What arrives: once, by this descriptor. */
  private arriving: { fd: number; bytes: Uint8Array } | null = null;

  /** @param now CLOCK_MONOTONIC, ms */
  constructor(private readonly now: number) {}

  arrive(port: number, kind: LinkKind, bytes: Uint8Array): void {
    this.arriving = { fd: descriptorOf(port, { kind }), bytes };
  }

  rx(fd: number, pool: Uint8Array, offsets: Int32Array, lengths: Int32Array, count: number, maxLength: number): number {
    if (this.arriving?.fd !== fd || count < 1) return 0;
    const { bytes } = this.arriving;
    this.arriving = null;
    pool.set(bytes.subarray(0, maxLength), offsets[0]);
    lengths[0] = Math.min(bytes.length, maxLength + 1);
    return 1;
  }

  tx(fd: number, pool: Uint8Array, offsets: Int32Array, lengths: Int32Array, count: number, results: Int32Array): number {
    for (let i = 0; i < count; i++) {
      const bytes = pool.slice(offsets[i], offsets[i] + lengths[i]);
      this.written.push({ port: (fd >> KindBits) & ((1 << PortBits) - 1), kind: fd & ((1 << KindBits) - 1), bytes, offset: offsets[i] });
      results[i] = 0;
    }
    return count;
  }

  /** Nothing is encrypted: the text stays as it was written. */
  seal(_pool: Uint8Array, jobs: Int32Array, count: number): void {
    for (let i = 0; i < count; i++) jobs[i * Job.Words + Job.Status] = JobStatus.Ok;
  }

  /** What is inside cannot be known. */
  open(_pool: Uint8Array, jobs: Int32Array, count: number): void {
    for (let i = 0; i < count; i++) jobs[i * Job.Words + Job.Status] = JobStatus.Integrity;
  }

  /** A copy that nobody writes back. */
  mapFile(path: string, bytes: number): ArrayBuffer {
    const copy = new Uint8Array(bytes);
    if (existsSync(path)) copy.set(readFileSync(path).subarray(0, bytes));
    return copy.buffer;
  }

  monotonicMs(): number {
    return this.now;
  }

  poll(): number {
    return 0;
  }

  saSet(): void {}
  saClear(): void {}
  mapFlush(): void {}
  adviseHuge(): void {}
  wakeSignal(): void {}
  wakeClear(): void {}
  fdClose(): void {}
  packetFilter(): void {}
  tunSteer(): void {}
  joinsUdp = refuse;
  tunOpen = refuse;
  rawOpen = refuse;
  rawSender = refuse;
  packetOpen = refuse;
  groupOpen = refuse;
  xdpOpen = refuse;
  xdpSender = refuse;
  probeOpen = refuse;
  probeSend = refuse;
  wakeOpen = refuse;
}

/** @param kind of a link @returns its name in an answer */
export function linkName(kind: LinkKind): string {
  switch (kind) {
    case LinkKind.Raw:
      return 'raw';
    case LinkKind.Packet:
      return 'packet';
    case LinkKind.Xdp:
    case LinkKind.XdpSender:
      return 'xdp';
    case LinkKind.Groups:
      return 'multicast';
    case LinkKind.Tunnel:
      return 'tunnel';
    case LinkKind.Policy:
      return 'policy';
    default:
      return 'tun';
  }
}
