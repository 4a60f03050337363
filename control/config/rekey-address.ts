// `rekey address ipv4 ACL`: the list says where multicast rekeys go, as on IOS: `permit udp host KEY-SERVER eq 848 host 239.1.1.1 eq 848`.

import { formatIpv4, isMulticast } from './addresses.js';
import type { AclEntry, Config, GdoiServer, Ipv4 } from './model.js';
import { beyondCrypto } from './verify/access-lists.js';

const Udp = 17;
/** RFC 6407 §2.2. */
const GdoiPort = 848;

/** @returns why the entry is no destination; null when it is one */
function reasonAgainst(entry: AclEntry): string | null {
  if (entry.protocol !== null && entry.protocol !== Udp) return 'rekeys are UDP';
  if (entry.destinationWildcard !== 0 || !isMulticast(entry.destination)) return 'the destination is not one multicast address';
  if (entry.destination >>> 8 === 0xe00000) return `routers do not forward ${formatIpv4(entry.destination)}`;
  for (const port of [entry.sourcePort, entry.destinationPort])
    if (port && (port.operator !== 'eq' || port.ports.length !== 1 || port.ports[0] !== GdoiPort))
      return `rekeys come from and go to port ${GdoiPort}`;
  const [beyond] = beyondCrypto(entry);
  return beyond === undefined ? null : `"${beyond}" means nothing for the address of rekeys`;
}

/** Where rekeys go: null for unicast, to each member. @returns a reason in words when the configuration does not say */
export function rekeyDestination(config: Config, server: GdoiServer): { address: Ipv4 | null } | { problem: string } {
  if (server.rekeyTransport === 'unicast') return { address: null };
  const name = server.rekeyAddress;
  if (name === undefined) return { problem: 'multicast rekeys (the default) have no rekey address ipv4' };
  const entry = config.accessLists.get(name)?.entries.find(({ action }) => action === 'permit');
  if (!entry) return { problem: `rekey address: access list ${name} does not exist or permits nothing` };
  const reason = reasonAgainst(entry);
  return reason === null ? { address: entry.destination } : { problem: `rekey address: access list ${name}: ${reason}` };
}
