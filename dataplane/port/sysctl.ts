// Kernel settings that the packet path needs, and their way back (dataplane/README.md says why each). Per device where the kernel
// has it per device: forwarding is switched on for our netdevs alone, so a VM does not become a router between its other networks.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { UndoLedger } from './undo-ledger.js';

const root = '/proc/sys/';

const globalSettings: readonly [string, string][] = [
  // The kernel would attach the host's own TCP socket to a packet on its way to us, and ip_forward() drops such a packet.
  ['net/ipv4/ip_early_demux', '0'],
  // The effective value is the larger one of `all` and the device's.
  ['net/ipv4/conf/all/rp_filter', '0'],
  ['net/ipv4/conf/all/send_redirects', '0'],
];

const deviceSettings: readonly [string, string][] = [
  ['forwarding', '1'],
  ['rp_filter', '0'],
  ['send_redirects', '0'],
  // With policy rules the kernel otherwise looks the source of every packet up, through all of them, to refuse our own addresses: a
  // tenth of what a packet costs. Rules of the plan refuse them (rules.ts). On a TUN: what local programs sent comes back.
  ['accept_local', '1'],
];

function readSetting(path: string): string | null {
  return existsSync(root + path) ? readFileSync(root + path, 'utf8').trim() : null;
}

/** Settings that could not be made, with the reason. */
const refusals = new Map<string, string>();

/** @returns one line per setting that is not as the packet path needs it: /proc/sys is read-only in most containers */
export function refusedSettings(): string[] {
  for (const path of refusals.keys()) if (!existsSync(root + path)) refusals.delete(path);
  return [...refusals.values()];
}

function writeSetting(path: string, value: string): void {
  try {
    writeFileSync(root + path, value);
    refusals.delete(path);
  } catch (error) {
    const { code = 'failed' } = error as NodeJS.ErrnoException;
    if (code !== 'EROFS' && code !== 'EACCES' && code !== 'EPERM') throw error;
    refusals.set(path, `${root}${path}: ${code === 'EROFS' ? 'read-only' : 'not permitted'}: it must be ${value}, set it from outside`);
  }
}

function change(ledger: UndoLedger, path: string, value: string): void {
  const now = readSetting(path);
  if (now === value) refusals.delete(path);
  if (now === null || now === value) return;
  ledger.noteSysctl(path, now);
  writeSetting(path, value);
}

/** Settings of the namespace. Throws Error of the file system. */
export function setGlobals(ledger: UndoLedger): void {
  for (const [path, value] of globalSettings) change(ledger, path, value);
}

/** Settings of a netdev that is not ours. Nothing happens when it is gone. */
export function setDevice(ledger: UndoLedger, device: string): void {
  for (const [name, value] of deviceSettings) change(ledger, `net/ipv4/conf/${device}/${name}`, value);
}

/** A netdev that answers ARP for others (nat-aliases.ts): at once, not after up to 0.8 s. */
export function setProxy(ledger: UndoLedger, device: string): void {
  change(ledger, `net/ipv4/neigh/${device}/proxy_delay`, '0');
}

/** Settings of a TUN: it vanishes with us, so nothing is noted. Called again whenever settings changed: udev applies sysctl.d to new netdevs, some time later. */
export function setTun(tun: string): void {
  const wanted: [string, string][] = [
    ...deviceSettings.map(([name, value]): [string, string] => [`net/ipv4/conf/${tun}/${name}`, value]),
    [`net/ipv6/conf/${tun}/disable_ipv6`, '1'],
  ];
  for (const [path, value] of wanted) {
    const now = readSetting(path);
    if (now === value) refusals.delete(path);
    else if (now !== null) writeSetting(path, value);
  }
}

/** Settings of a tunnel's netdev beside those of any TUN: its routes are none while it is down (no carrier). */
export function setTunnel(device: string): void {
  setTun(device);
  const path = `net/ipv4/conf/${device}/ignore_routes_with_linkdown`;
  if (readSetting(path) === '0') writeSetting(path, '1');
}

/** Puts back what was there before. @returns one line per setting that could not be */
export function restoreSettings(ledger: UndoLedger): string[] {
  const errors: string[] = [];
  for (const [path, value] of ledger.sysctls) {
    const now = readSetting(path);
    if (now === null || now === value) continue; // null: its netdev is gone
    try {
      writeFileSync(root + path, value);
    } catch (error) {
      errors.push(`${root}${path}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return errors;
}
