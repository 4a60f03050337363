// What `groupwire check` says of the host it runs on, not of the file: a group's policy is IPv4's, so a host that forwards IPv6 between the same
// interfaces forwards it around the group, in the clear. Read from /proc/sys; of an interface that is not on this host nothing can be said.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config, Problem } from '../control/config/model.js';
import { sourceOf } from '../control/config/source-lines.js';

/** @param folder net/ipv6/conf of the host @returns null when it is not known */
function readFlag(folder: string, device: string, name: string): boolean | null {
  const path = join(folder, device, name);
  return existsSync(path) ? readFileSync(path, 'utf8').trim() !== '0' : null;
}

/** @returns a warning for each interface with a group's crypto map that forwards IPv6, and a note for each that is not here */
export function checkIpv6(config: Config, folder = '/proc/sys/net/ipv6/conf'): { problems: Problem[]; notes: string[] } {
  const problems: Problem[] = [];
  const notes: string[] = [];
  for (const item of config.interfaces.values()) {
    const isProtected = (config.cryptoMaps.get(item.cryptoMap ?? '') ?? []).some(({ group }) => group !== null);
    const device = item.linuxDevice ?? item.name;
    if (!isProtected || item.shutdown || device.includes('/')) continue;
    if (!existsSync(folder)) continue; // no IPv6
    const forwards = readFlag(folder, device, 'forwarding');
    if (forwards === null) notes.push(`whether ${item.name} forwards IPv6 around the group is not known: ${device} is not on this host`);
    if (!forwards || readFlag(folder, device, 'disable_ipv6')) continue;
    problems.push({
      ...sourceOf(item, 'cryptoMap'),
      severity: 'warning',
      message: `this host forwards IPv6 on ${device}: the group protects IPv4 alone, IPv6 goes around it in the clear`,
      hint: `sysctl -w net.ipv6.conf.${device}.forwarding=0, or disable_ipv6=1`,
    });
  }
  return { problems, notes };
}
