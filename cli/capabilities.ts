// What this process has of root's privileges, from /proc. Names as setpriv has them.

import { readFileSync } from 'node:fs';

/** Bits of linux/capability.h. */
const bits = { setpcap: 8, net_bind_service: 10, net_admin: 12, net_raw: 13, ipc_lock: 14, bpf: 39 } as const;
export type CapabilityName = keyof typeof bits;

/** @param status text of /proc/PID/status @param set CapEff, CapBnd, ... @returns whether the capability is in that set */
export function isInSet(status: string, set: 'CapEff' | 'CapBnd', name: CapabilityName): boolean {
  const digits = new RegExp(`^${set}:\\s*([0-9a-f]{16})$`, 'm').exec(status)?.[1];
  return digits !== undefined && ((BigInt(`0x${digits}`) >> BigInt(bits[name])) & 1n) === 1n;
}

function ownStatus(): string {
  return readFileSync('/proc/self/status', 'utf8');
}

export function hasCapability(name: CapabilityName): boolean {
  return isInSet(ownStatus(), 'CapEff', name);
}

/** @returns those of them that a child can have at all: a container may have fewer */
export function heldOf(names: readonly CapabilityName[]): CapabilityName[] {
  const status = ownStatus();
  return names.filter((name) => isInSet(status, 'CapBnd', name));
}
