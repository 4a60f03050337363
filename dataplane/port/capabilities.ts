// What this process may do to the network: root's powers are split into capabilities, and a service has CAP_NET_ADMIN as any user.

import { readFileSync } from 'node:fs';

/** linux/capability.h */
const NetAdmin = 12;

/** @param status text of /proc/PID/status @returns whether the process has CAP_NET_ADMIN in force */
export function hasNetAdmin(status: string): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  return effective !== undefined && ((Number.parseInt(effective.slice(-8), 16) >>> NetAdmin) & 1) === 1;
}

export function mayChangeNetwork(): boolean {
  return hasNetAdmin(readFileSync('/proc/self/status', 'utf8'));
}
