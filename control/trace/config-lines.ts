// Which line of the configuration made a row of the tables.

import type { Ms } from '../actions.js';
import type { ConfigLine } from '../api/packet-trace.js';
import { type AceOrigin, failCloseOrigin, groupOrigin, localOrigin } from '../compile/crypto-entries.js';
import type { NatOrigin } from '../compile/nat.js';
import { outboundTeks } from '../compile/outbound.js';
import { formatIpv4, maskToPrefixLength } from '../config/addresses.js';
import { describeEntry } from '../config/commands/acl-entry.js';
import type { AccessList, Config, RouteMapEntry } from '../config/model.js';
import { sourceOf } from '../config/source-lines.js';
import type { PolicyEntry, Tek } from '../gdoi/group-policy.js';

export interface LineSources {
  config: Config;
  now: Ms;
  teksOf(group: string): readonly Tek[];
}

/** A line as it was written, or as it is printed. @param field of the object, '' = the line that begins it */
export function lineOf(target: object, field: string, printed: string): ConfigLine {
  return { line: sourceOf(target, field).line, text: printed };
}

function listLine(list: AccessList, entry: number): ConfigLine[] {
  const found = list.entries[entry];
  if (!found) return [];
  const text = `ip access-list ${list.kind} ${list.name}: ${found.sequence} ${describeEntry(found, list.kind)}`;
  return [{ line: found.line, text }];
}

/** What a group wants encrypted, all its SAs. */
export function policyOf(group: string, { teksOf, now }: LineSources): PolicyEntry[] {
  return outboundTeks(teksOf(group), now).flatMap(({ entries }) => entries);
}

/** The entry that an ACE row came from. Of lists that have one name for each use (`nat NAME`), the name is the second word. */
export function aceLines({ list, entry }: AceOrigin, sources: LineSources): ConfigLine[] {
  const { config } = sources;
  for (const map of [...config.cryptoMaps.values()].flat()) {
    const { group } = map;
    if (group === null) continue;
    if (list === groupOrigin(group)) {
      const found = policyOf(group, sources)[entry];
      return found ? [{ line: 0, text: `policy of group ${group}, entry ${entry + 1}: ${describeEntry(found)}` }] : [];
    }
    if (list !== localOrigin(group)) continue;
    const own = config.accessLists.get(map.matchAddress ?? '');
    return own ? listLine(own, entry) : [];
  }
  for (const [map, failClose] of config.failClose) {
    if (list !== failCloseOrigin(map)) continue;
    const exceptions = config.accessLists.get(failClose.matchAddress ?? '');
    const lines = exceptions ? listLine(exceptions, entry) : [];
    return lines.length > 0 ? lines : [lineOf(failClose, 'activated', `crypto map ${map} gdoi fail-close: activate`)];
  }
  const named = config.accessLists.get(list.slice(list.indexOf(' ') + 1));
  return named ? listLine(named, entry) : [];
}

export function routeMapLine(entry: RouteMapEntry): ConfigLine {
  return lineOf(entry, '', `route-map ${entry.name} ${entry.action} ${entry.sequence}`);
}

/** The statement, and the entry of its route-map that decided. */
export function natLines({ statement, source, entry }: NatOrigin): ConfigLine[] {
  const written = sourceOf(statement, '').text;
  const line = { line: statement.line, text: written || `ip nat inside source ${source.kind} ${source.name}` };
  return entry ? [line, routeMapLine(entry)] : [line];
}

export interface RouteFound {
  prefix: number;
  prefixLength: number;
  nextHop: number;
}

/** The `ip route` line, or the address of the interface; routes of the kernel (of a routing protocol) have none. */
export function routeLines({ prefix, prefixLength, nextHop }: RouteFound, out: string | null, { config }: LineSources): ConfigLine[] {
  const covers = (address: number, mask: number): boolean =>
    maskToPrefixLength(mask) === prefixLength && (address & mask) >>> 0 === prefix >>> 0;
  for (const route of config.staticRoutes) {
    if (!covers(route.prefix, route.mask) || (route.nextHop ?? 0) >>> 0 !== nextHop >>> 0) continue;
    const to = [route.interface, route.nextHop === null ? null : formatIpv4(route.nextHop)].filter((word) => word !== null).join(' ');
    return [{ line: route.line, text: `ip route ${formatIpv4(route.prefix)} ${formatIpv4(route.mask)} ${to}` }];
  }
  const item = config.interfaces.get(out ?? '');
  const own = nextHop === 0 ? item?.addresses.find(({ address, mask }) => covers(address, mask)) : undefined;
  if (!item || !own) return [];
  const text = `interface ${item.name}: ip address ${formatIpv4(own.address)} ${formatIpv4(own.mask)}`;
  return [lineOf(item, `address ${own.address}`, text)];
}
