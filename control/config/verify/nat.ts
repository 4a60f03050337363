// NAT: that what the statements refer to is there, that they translate something, and that they leave the VPN's traffic alone: NAT comes before
// the crypto map. The router's own GDOI and IKE need no exemption: its own traffic keeps its address.

import { type AnyEntry, findOverlap, findUnspared } from '../acl-overlap.js';
import { formatIpv4, isInPrefix } from '../addresses.js';
import { describeStatement } from '../commands/nat-source.js';
import { describeStatic } from '../commands/nat-static.js';
import { isLoopback } from '../interface-names.js';
import {
  type AccessList,
  type AclEntry,
  type Config,
  type InterfaceConfig,
  type NatSource,
  type NatStatement,
  type NatStatic,
  natProtocols,
  type RouteMapEntry,
} from '../model.js';
import { countExpanded, expandEntry } from '../object-groups.js';
import { sourceOf } from '../source-lines.js';
import type { Findings } from './findings.js';
import { verifyNatAddresses } from './nat-addresses.js';
import { verifyPolicies } from './route-map.js';

/** Bounds the search for traffic that should be spared. */
const MostEntriesTried = 400;

/** RFC 1918 §3: address and wildcard. */
const privateNetworks: readonly [number, number][] = [
  [0x0a000000, 0x00ffffff],
  [0xac100000, 0x000fffff],
  [0xc0a80000, 0x0000ffff],
];

function permit(source: readonly [number, number], destination: readonly [number, number]): AnyEntry {
  return {
    action: 'permit',
    protocol: null,
    source: source[0],
    sourceWildcard: source[1],
    destination: destination[0],
    destinationWildcard: destination[1],
    sourcePort: null,
    destinationPort: null,
  };
}
const anything = permit([0, 0xffffffff], [0, 0xffffffff]);
/** What sites say to each other, most often. */
const betweenSites = privateNetworks.flatMap((source) => privateNetworks.map((destination) => permit(source, destination)));

function describe({ kind, name }: NatStatement): string {
  return `ip nat inside source ${kind} ${name}`;
}

function permitsNothing(list: AccessList): boolean {
  return !list.entries.some(({ action }) => action === 'permit');
}

function verifyInterface(config: Config, statement: NatStatement, findings: Findings): void {
  if (statement.interface === null) return;
  const item = config.interfaces.get(statement.interface);
  if (!item) findings.error(statement, '', `there is no interface ${statement.interface}`);
  else if (item.addresses.length === 0)
    findings.warning(
      statement,
      '',
      `${item.name} has no ip address: there is nothing to translate to`,
      `interface ${item.name}, ip address A M`,
    );
  else if (item.nat !== 'outside' && !isLoopback(item.name))
    findings.warning(
      statement,
      '',
      `${item.name} is not ip nat outside: answers are not translated back`,
      `interface ${item.name}, ip nat outside`,
    );
  else if (item.shutdown)
    findings.warning(
      statement,
      '',
      `${item.name} is shut down: what is translated to its address gets no answer`,
      `interface ${item.name}, no shutdown`,
    );
}

function verifySource(config: Config, statement: NatStatement, findings: Findings): void {
  const { kind, name } = statement;
  if (kind === 'list') {
    const list = config.accessLists.get(name);
    if (!list) findings.error(statement, '', `there is no access list ${name}`);
    else if (permitsNothing(list)) findings.warning(statement, '', `access list ${name} permits nothing: nothing is translated`);
    return;
  }
  const entries = config.routeMaps.get(name);
  if (!entries) findings.error(statement, '', `there is no route-map ${name}`);
  else if (!entries.some(({ action }) => action === 'permit'))
    findings.warning(statement, '', `route-map ${name} has no permit entry: nothing is translated`, `route-map ${name} permit 20`);
}

function verifyRouteMapEntry(config: Config, entry: RouteMapEntry, findings: Findings): void {
  for (const name of entry.matchAddresses) {
    const list = config.accessLists.get(name);
    const effect = entry.action === 'deny' ? 'spares nothing from translation' : 'matches nothing';
    if (!list) findings.error(entry, `matchAddresses ${name}`, `there is no access list ${name}`);
    else if (permitsNothing(list))
      findings.warning(
        entry,
        `matchAddresses ${name}`,
        `access list ${name} permits nothing: route-map ${entry.name} ${entry.sequence} ${effect}`,
      );
  }
  for (const name of entry.matchInterfaces)
    if (!config.interfaces.has(name)) findings.error(entry, `matchInterfaces ${name}`, `there is no interface ${name}`);
}

/** Entries without object groups, as many as are looked at. */
function boundedEntries(config: Config, list: AccessList | undefined): AclEntry[] {
  const entries: AclEntry[] = [];
  for (const entry of list?.entries ?? []) {
    if (entries.length >= MostEntriesTried) break;
    if (countExpanded(config, entry) <= MostEntriesTried) entries.push(...expandEntry(config, entry));
  }
  return entries;
}

/** An entry as the statement takes it, and the line that says so. */
type Taken = AnyEntry & { line: number };

/** What a statement takes of what leaves by an interface, as one list: a deny clause of a route-map spares what its lists permit. */
function flatten(config: Config, statement: NatSource, out: InterfaceConfig): Taken[] {
  const entriesOf = (name: string) => boundedEntries(config, config.accessLists.get(name));
  if (statement.kind === 'list') return entriesOf(statement.name);
  const clauses = (config.routeMaps.get(statement.name) ?? []).filter(
    ({ matchInterfaces }) => matchInterfaces.length === 0 || matchInterfaces.includes(out.name),
  );
  return clauses.flatMap((clause) => {
    const { action, matchAddresses } = clause;
    if (matchAddresses.length === 0) return [{ ...anything, action, line: clause.line }];
    const entries = matchAddresses.flatMap(entriesOf);
    return action === 'permit' ? entries : entries.flatMap((entry) => (entry.action === 'permit' ? [{ ...entry, action }] : []));
  });
}

function exemption(item: NatStatement): string {
  const { kind, name } = item;
  const statement = describeStatement({ ...item, kind: 'route-map', name: 'NAT' });
  const list = 'ip access-list extended VPN with what is encrypted';
  return kind === 'list'
    ? `${list}; route-map NAT deny 10, match ip address VPN; route-map NAT permit 20, match ip address ${name}; ${statement}`
    : `${list}; route-map ${name} deny SEQ, match ip address VPN, in front of its permit entries`;
}

/**
 * The lesson of every first VPN behind NAT. What a group encrypts is the key server's to say and not known here; so this speaks up only when
 * nothing of the statement spares any traffic between private networks.
 */
function warnTranslatedVpn(config: Config, statement: NatStatement, out: InterfaceConfig, findings: Findings): void {
  const group = (config.cryptoMaps.get(out.cryptoMap ?? '') ?? []).find((entry) => entry.group !== null)?.group;
  if (out.nat !== 'outside' || out.shutdown || group == null) return;
  const taken = findUnspared(flatten(config, statement, out).slice(0, MostEntriesTried), betweenSites);
  if (!taken) return;
  const map = `crypto map ${out.cryptoMap} of ${out.name} (line ${sourceOf(out, 'cryptoMap').line})`;
  const message = `${describe(statement)} (by line ${taken.line}) would translate traffic between private networks before ${map} sees it: group ${group} would not protect it`;
  findings.warning(statement, '', message, exemption(statement));
}

/** The same for a static translation, which takes what its host says, to whomever. */
function warnTranslatedHost(config: Config, item: NatStatic, out: InterfaceConfig, findings: Findings): void {
  const group = (config.cryptoMaps.get(out.cryptoMap ?? '') ?? []).find((entry) => entry.group !== null)?.group;
  if (item.side !== 'inside' || out.nat !== 'outside' || out.shutdown || group == null) return;
  const isPrivate = privateNetworks.some(([network, wildcard]) => isInPrefix(item.local, network, ~wildcard >>> 0));
  if (!isPrivate) return; // such addresses are no VPN traffic that could be known
  const said = privateNetworks.map((destination) => ({
    ...permit([item.local, ~item.mask >>> 0], destination),
    protocol: item.protocol === null ? null : natProtocols[item.protocol],
    sourcePort: item.localPort === null ? null : { operator: 'eq' as const, ports: [item.localPort] as [number] },
  }));
  const taken =
    item.routeMap === null
      ? [{ ...anything, line: item.line }]
      : flatten(config, { kind: 'route-map', name: item.routeMap }, out).slice(0, MostEntriesTried);
  const found = findUnspared(taken, said);
  if (!found) return;
  const by = item.routeMap === null ? '' : ` (by line ${found.line})`;
  const map = `crypto map ${out.cryptoMap} of ${out.name} (line ${sourceOf(out, 'cryptoMap').line})`;
  const message = `${describeStatic(item)}${by} would translate what is said to private networks before ${map} sees it: group ${group} would not protect it`;
  findings.warning(item, '', message, hostExemption(item));
}

function hostExemption(item: NatStatic): string {
  const list = 'ip access-list extended VPN with what is encrypted';
  if (item.routeMap !== null) return `${list}; route-map ${item.routeMap} deny SEQ, match ip address VPN, in front of its permit entries`;
  const wanted = item.interface === null ? item : { ...item, interface: null, global: 0 };
  const statement = describeStatic({ ...wanted, routeMap: 'STATIC' }).replace(' 0.0.0.0 ', ' ADDRESS ');
  return `${list}; route-map STATIC deny 10, match ip address VPN; route-map STATIC permit 20; ${statement}`;
}
/** UDP, and the port of GDOI (RFC 6407 §2.2). */
const Udp = 17;
const GdoiPort = 848;

/** The router's own GDOI keeps its address; that of a key server behind it would not, and members know it by its own. */
function warnTranslatedGdoi(config: Config, statement: NatStatement, out: InterfaceConfig, findings: Findings): void {
  if (out.nat !== 'outside' || out.shutdown) return;
  const inside = [...config.interfaces.values()].filter(({ nat }) => nat === 'inside').flatMap(({ addresses }) => addresses);
  const own = new Set(inside.map(({ address }) => address));
  const servers = [...config.gdoiGroups.values()].flatMap(({ serverAddresses }) => serverAddresses);
  for (const server of new Set(servers)) {
    if (own.has(server) || !inside.some(({ address, mask }) => isInPrefix(server, address, mask))) continue;
    const sent = {
      ...permit([server, 0], [0, 0xffffffff]),
      protocol: Udp,
      sourcePort: { operator: 'eq' as const, ports: [GdoiPort] as [number] },
    };
    const clash = findOverlap(flatten(config, statement, out).slice(0, MostEntriesTried), [sent]);
    if (!clash) continue;
    const what = `GDOI of the key server ${formatIpv4(server)}`;
    findings.warning(
      statement,
      '',
      `${describe(statement)} (by line ${clash.a.line}) would translate ${what}: members know it by its own address`,
      `spare it: deny udp host ${formatIpv4(server)} eq 848 any, in front`,
    );
    return;
  }
}

function verifySides(config: Config, findings: Findings): void {
  const { statements, statics, outsideSources, destinations } = config.nat;
  const [first] = [...statements, ...statics, ...outsideSources, ...destinations];
  const interfaces = [...config.interfaces.values()];
  for (const side of ['inside', 'outside'] as const)
    if (first && !interfaces.some(({ nat }) => nat === side))
      findings.warning(first, '', `no interface is ip nat ${side}: nothing is translated`, `interface X, ip nat ${side}`);
}

export function verifyNat(config: Config, findings: Findings): void {
  verifySides(config, findings);
  verifyNatAddresses(config, findings);
  for (const statement of config.nat.statements) {
    verifyInterface(config, statement, findings);
    verifySource(config, statement, findings);
    for (const item of config.interfaces.values()) {
      warnTranslatedVpn(config, statement, item, findings);
      warnTranslatedGdoi(config, statement, item, findings);
    }
  }
  const { statements, statics, outsideSources } = config.nat;
  for (const item of statics) for (const out of config.interfaces.values()) warnTranslatedHost(config, item, out, findings);
  const used = new Set<string | null>([
    ...[...statements, ...outsideSources].filter(({ kind }) => kind === 'route-map').map(({ name }) => name),
    ...statics.map(({ routeMap }) => routeMap),
  ]);
  for (const name of verifyPolicies(config, findings)) used.add(name);
  for (const [name, entries] of config.routeMaps) {
    for (const entry of entries) verifyRouteMapEntry(config, entry, findings);
    if (!used.has(name))
      findings.warning(entries[0], '', `route-map ${name} is used by nothing`, 'ip nat inside source route-map, ip policy route-map');
  }
}
