// Rates and bursts of a policy in bits a second and bytes: what percentages are of, and what stands where the configuration is silent.

import type { Burst, InterfaceConfig, Police, PriorityQueue, QosRate, Shape } from './model.js';

/** Nominal kbit/s of IOS interface types; other names are netdevs. */
const nominal: [prefix: string, kbps: number][] = [
  ['TenGigabitEthernet', 10_000_000],
  ['FastEthernet', 100_000],
  ['Ethernet', 10_000],
  ['Tunnel', 100],
];
const DefaultKbps = 1_000_000;

/** What leaves by an interface at most: its `bandwidth`, or what its type has. */
export function interfaceBps({ name, bandwidthKbps }: Pick<InterfaceConfig, 'name' | 'bandwidthKbps'>): number {
  return (bandwidthKbps ?? nominal.find(([prefix]) => name.startsWith(prefix))?.[1] ?? DefaultKbps) * 1000;
}

/** @param above bits a second: of the interface, or of the parent's shaper */
export function rateBps(rate: QosRate, above: number): number {
  return 'bps' in rate ? rate.bps : Math.floor((rate.percent * above) / 100);
}

/** Bits a second that a priority class is policed to; null = it is not. */
export function priorityBps({ rate }: PriorityQueue, above: number): number | null {
  if (!rate) return null;
  return 'kbps' in rate ? rate.kbps * 1000 : rateBps(rate, above);
}

/** The largest packet of an interface without `ip mtu`. */
export const LeastBurstBytes = 1500;
const PoliceMs = 250;
const PriorityMs = 200;
export const defaultShapeMs = 4;

/** Bytes that `ms` milliseconds carry. */
function bytesOf(bps: number, ms: number): number {
  return Math.ceil((bps * ms) / 8000);
}

function burstBytes(burst: Burst | undefined, bps: number): number {
  if (!burst) return Math.max(bytesOf(bps, PoliceMs), LeastBurstBytes);
  return 'bytes' in burst ? burst.bytes : bytesOf(bps, burst.ms);
}

export interface PoliceRates {
  cirBps: number;
  /** null = one rate (RFC 2697). */
  pirBps: number | null;
  bcBytes: number;
  /** Excess burst, or with two rates the peak burst. 0 = no excess: two colours. */
  beBytes: number;
}

/** As IOS: bursts of 250 ms and at least a packet; one rate has a second bucket when `be` or `violate-action` asks for it. */
export function policeRates(police: Police, above: number): PoliceRates {
  const cirBps = rateBps(police.cir, above);
  const bcBytes = burstBytes(police.bc, cirBps);
  if (police.pir) {
    const pirBps = rateBps(police.pir, above);
    return { cirBps, pirBps, bcBytes, beBytes: burstBytes(police.be, pirBps) };
  }
  if (police.be) return { cirBps, pirBps: null, bcBytes, beBytes: burstBytes(police.be, cirBps) };
  return { cirBps, pirBps: null, bcBytes, beBytes: police.actions.violate ? bcBytes : 0 };
}

/** Burst of the conditional policer of a priority class: 200 ms by default, at least a packet. */
export function priorityBurst({ burstBytes: bytes }: PriorityQueue, bps: number): number {
  return bytes ?? Math.max(bytesOf(bps, PriorityMs), LeastBurstBytes);
}

export interface ShapeRates {
  bps: number;
  /** Bits. */
  bc: number;
  be: number;
}

/** Bursts of 4 ms by default, `be` as `bc`. Below a packet they still pass packets, one at a time. */
export function shapeRates({ rate, bc, be }: Shape, above: number): ShapeRates {
  const bps = rateBps(rate, above);
  const bits = (burst: number): number => ('percent' in rate ? Math.ceil((bps * burst) / 1000) : burst);
  const committed = bc === undefined ? Math.ceil((bps * defaultShapeMs) / 1000) : bits(bc);
  return { bps, bc: committed, be: be === undefined ? committed : bits(be) };
}
