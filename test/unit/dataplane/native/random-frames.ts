// Frames that are nearly what a port driver takes, and what it takes of them, written without looking at the filters.

import { ownerOf } from '../../../../dataplane/native/native.js';

const ours = '020000000001';
const macs = [ours, ours, ours, ours, ours, ours, '030000000001', '020000000101', '020000000000', 'ffffffffffff', '01005e000001'];
const types = [0x0800, 0x0800, 0x0800, 0x0800, 0x0800, 0x0806, 0x86dd, 0x8100, 0x88a8, 0x0801, 0x0008];
const firsts = [0x45, 0x45, 0x45, 0x45, 0x4f, 0x46, 0x44, 0x40, 0x55, 0x65, 0xff];
const fragments = [0, 0, 0, 0, 0x4000, 0x8000, 0xc000, 0x2000, 1, 0x1fff, 0x6000];
const lifetimes = [0, 1, 2, 3, 64, 64, 127, 128, 255];
const protocols = [50, 50, 50, 50, 51, 49, 17, 17, 17, 6, 178];
const ports = ['1194', '1195', '1094', '0194', '9411'];
const spis = ['00000000', '00000001', '01000000', 'ffffffff'];
const destinations = [
  '0a020001',
  '0a090001',
  '0a090101',
  '0a0900ff',
  'e0000001',
  'efffffff',
  'dfffffff',
  'f0000000',
  'ffffffff',
  'fffffffe',
  '00000000',
];

/** A generator of numbers in 0..below-1 (mulberry32). */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** @returns frames in hex, each with its own IPv4 id; the last is one that every driver takes */
export function randomFrames(seed: number, count: number): string[] {
  const next = random(seed);
  const pick = <T>(values: readonly T[]) => values[next(values.length)];
  const number = (value: number, bytes: number) => value.toString(16).padStart(2 * bytes, '0');
  const frames: string[] = [];
  for (let id = 0; id < count; id++) {
    const length = pick([0, 1, 19, 20, 20, 21, 31, 32, 40, 46, 100]);
    const total = pick([length, length, length, 0, 19, 20, length - 1, length + 1, 0xffff]);
    const header = `${number(pick(firsts), 1)}00${number(Math.max(total, 0), 2)}${number(id, 2)}${number(pick(fragments), 2)}`;
    const addresses = number(next(2 ** 32), 4) + (next(3) === 0 ? number(next(2 ** 32), 4) : pick(destinations));
    const udp = `1194${next(3) > 0 ? ports[0] : pick(ports)}00000000${pick(spis)}`;
    const ip = `${header}${number(pick(lifetimes), 1)}${number(pick(protocols), 1)}0000${addresses}${udp}`.padEnd(200, '0');
    // a byte at least behind the Ethernet header, as packet sockets want
    frames.push(`${pick(macs)}020000000002${number(pick(types), 2)}${ip.slice(0, 2 * Math.max(length, 1))}`);
  }
  return [...frames, `${ours}02000000000208004500001cffff000040320000${number(lastSource, 4)}0a0200010000000000000000`];
}

/** Belongs to worker 0 of 2. */
const lastSource = Array.from({ length: 100 }, (_, i) => 0x0a050001 + i).find((source) => ownerOf(source, 2) === 0) ?? 0;

interface Seen {
  isIpv4ForUs: boolean;
  first: number;
  fragment: number;
  ttl: number;
  protocol: number;
  source: number;
  destination: string;
}

function look(frame: string): Seen {
  const at = (byte: number, bytes: number) => Number.parseInt(frame.slice(28 + 2 * byte, 28 + 2 * (byte + bytes)), 16);
  return {
    isIpv4ForUs: frame.startsWith(ours) && frame.slice(24, 28) === '0800' && frame.length >= 2 * 34,
    first: at(0, 1),
    fragment: at(6, 2),
    ttl: at(8, 1),
    protocol: at(9, 1),
    source: at(12, 4),
    destination: frame.slice(60, 68),
  };
}

/** Is a frame for the packet driver of worker 0 of 2? @param own addresses in hex */
export function isTransit(frame: string, own: readonly string[]): boolean {
  const { isIpv4ForUs, ttl, source, destination } = look(frame);
  const isMany = destination === 'ffffffff' || destination.startsWith('e');
  return isIpv4ForUs && ttl > 1 && !isMany && !own.includes(destination) && ownerOf(source, 2) === 0;
}

/** Is a frame for the xdp driver? */
export function isTaken(frame: string): boolean {
  const { isIpv4ForUs, first, fragment, protocol } = look(frame);
  if (!isIpv4ForUs || first < 0x45 || first > 0x4f || (protocol !== 50 && protocol !== 17)) return false;
  if (protocol === 50 || fragment % 0x4000 !== 0) return true;
  const [port, spi] = [frame.slice(72, 76), frame.slice(84, 92)];
  return first === 0x45 && port === '1194' && spi.length === 8 && spi !== '00000000';
}

/** What rx yields of a taken frame: without Ethernet header, and without padding when the length in the header is possible. */
export function takenOf(frame: string): string {
  const datagram = frame.slice(28);
  const total = Number.parseInt(datagram.slice(4, 8), 16);
  return total >= 20 ? datagram.slice(0, 2 * total) : datagram;
}
