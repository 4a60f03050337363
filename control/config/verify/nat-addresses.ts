// Pools and static translations: that what they refer to is there, that no address is promised twice, and that none of them takes the router's own.

import { AllOnes, formatIpv4, isInPrefix, prefixRange } from '../addresses.js';
import { describeStatic } from '../commands/nat-static.js';
import type { Config, NatPool, NatStatic } from '../model.js';
import type { Findings } from './findings.js';
import { ownAddresses } from './own-addresses.js';

/** What IKE and GDOI of the router itself need; it never enters the packet path. */
const controlPorts = [500, 848, 4500];

/** Is each host given an address of its own from the pool? */
function lends({ nat }: Config, { name }: NatPool): boolean {
  return nat.statements.some(({ pool, overload }) => pool === name && !overload) || nat.outsideSources.some(({ pool }) => pool === name);
}

function verifyPool(config: Config, pool: NatPool, findings: Findings): void {
  const { nat } = config;
  const { name, first, last, mask } = pool;
  const serves = nat.destinations.some((other) => other.pool === name);
  const isUsed = serves || [...nat.statements, ...nat.outsideSources].some((other) => other.pool === name);
  if (!isUsed) findings.warning(pool, '', `ip nat pool ${name} is used by nothing`, `ip nat inside source list ACL pool ${name}`);
  if (serves) {
    if (pool.type !== 'rotary')
      findings.error(pool, '', `ip nat pool ${name} has servers of ip nat inside destination: it must be rotary`, 'append type rotary');
    return;
  }
  for (const other of nat.pools.slice(0, nat.pools.indexOf(pool)))
    if (first <= other.last && other.first <= last)
      findings.error(pool, '', `ip nat pool ${name} has addresses of pool ${other.name} (line ${other.line})`, 'an address is of one pool');
  for (const own of ownAddresses(config)) {
    const isIn = own.address >= first && own.address <= last;
    if (isIn && lends(config, pool))
      findings.error(
        pool,
        '',
        `ip nat pool ${name} has ${formatIpv4(own.address)}, the address of ${own.item.name}`,
        'leave it out, or overload',
      );
    const network = prefixRange(own.address, own.mask);
    if (own.mask < 0xfffffffe)
      for (const [address, what] of [
        [network.first, 'network'],
        [network.last, 'broadcast'],
      ] as const)
        if (address >= first && address <= last)
          findings.error(
            pool,
            '',
            `ip nat pool ${name} has ${formatIpv4(address)}, the ${what} address of ${own.item.name}`,
            'leave it out',
          );
  }
  const bounds = prefixRange(first, mask);
  if (mask < 0xfffffffe && (first === bounds.first || last === bounds.last))
    findings.warning(
      pool,
      '',
      `ip nat pool ${name} has the ${first === bounds.first ? 'network' : 'broadcast'} address of its own mask`,
      'leave it out, unless the whole network is routed to this router',
    );
}

/** Do two promise the same address and port as one side sees them? */
function isPromisedTwice(a: NatStatic, b: NatStatic, end: 'local' | 'global'): boolean {
  if (a.side !== b.side) return false;
  const port = end === 'local' ? 'localPort' : 'globalPort';
  const samePort = a.protocol === null || b.protocol === null || (a.protocol === b.protocol && a[port] === b[port]);
  if (end === 'global' && (a.interface !== null || b.interface !== null)) return samePort && a.interface === b.interface;
  const mask = (a.mask & b.mask) >>> 0;
  return samePort && isInPrefix(a[end] ?? 0, b[end] ?? 0, mask);
}

function verifyStatic(config: Config, item: NatStatic, findings: Findings): void {
  const { nat, interfaces } = config;
  if (item.routeMap !== null && !config.routeMaps.has(item.routeMap)) findings.error(item, '', `there is no route-map ${item.routeMap}`);
  if (item.interface !== null) {
    const to = interfaces.get(item.interface);
    if (!to) findings.error(item, '', `there is no interface ${item.interface}`);
    else if (to.addresses.length === 0) findings.warning(item, '', `${to.name} has no ip address: there is nothing to translate to`);
  }
  for (const other of nat.statics.slice(0, nat.statics.indexOf(item))) verifyTwo(item, other, findings);
  const visible = item.side === 'inside' ? item.global : item.local;
  for (const { address, item: own } of ownAddresses(config)) {
    const isOwn = item.interface === own.name || (visible !== null && isInPrefix(address, visible, item.mask));
    if (isOwn && item.protocol === null)
      findings.error(
        item,
        '',
        `${formatIpv4(address)} is the address of ${own.name}: nobody could reach the router`,
        `ip nat inside source static tcp|udp LOCAL PORT interface ${own.name} PORT`,
      );
    if (isOwn && item.protocol === 'udp' && controlPorts.includes(item.globalPort ?? 0))
      findings.error(item, '', `UDP ${item.globalPort} of ${own.name} is the router's own: IKE and GDOI come to it`, 'another port');
  }
  verifyHost(config, item, findings);
  for (const pool of nat.pools) {
    const { last } = prefixRange(visible ?? 0, item.mask);
    const inPool = visible !== null && visible <= pool.last && last >= pool.first;
    if (inPool && !nat.destinations.some((other) => other.pool === pool.name))
      findings.error(item, '', `${formatIpv4(visible)} is in ip nat pool ${pool.name} (line ${pool.line})`, 'an address of its own');
  }
}

/** The router is no inside host of its own: what it sends itself keeps its address. */
function verifyHost(config: Config, item: NatStatic, findings: Findings): void {
  if (item.side !== 'inside' || item.mask !== AllOnes) return;
  const own = ownAddresses(config).find(({ address }) => address === item.local);
  if (!own) return;
  const message = `${formatIpv4(item.local)} is the router's own address (${own.item.name}): its answers are not translated`;
  findings.error(item, '', message, 'the router itself is reached by the address of its outside interface');
}

function verifyTwo(item: NatStatic, other: NatStatic, findings: Findings): void {
  const bothMapped = item.routeMap !== null && other.routeMap !== null;
  const isLessExact = (item.protocol === null) !== (other.protocol === null);
  if (isPromisedTwice(item, other, 'global') && !bothMapped && !(isLessExact && item.extendable))
    findings.error(
      item,
      '',
      `line ${other.line} has this ${item.side} global address already: ${describeStatic(other)}`,
      'each address, or port of one, is for one host',
    );
  if (isPromisedTwice(item, other, 'local') && !item.extendable && item.routeMap === null && item.mask === AllOnes && !isLessExact)
    findings.error(
      item,
      '',
      `line ${other.line} translates this ${item.side} local address already: ${describeStatic(other)}`,
      'append extendable',
    );
}

export function verifyNatAddresses(config: Config, findings: Findings): void {
  for (const pool of config.nat.pools) verifyPool(config, pool, findings);
  for (const item of config.nat.statics) verifyStatic(config, item, findings);
  const pools = new Set(config.nat.pools.map(({ name }) => name));
  for (const item of [...config.nat.statements, ...config.nat.outsideSources, ...config.nat.destinations])
    if (item.pool !== null && !pools.has(item.pool))
      findings.error(item, '', `there is no pool ${item.pool}`, `ip nat pool ${item.pool} FIRST LAST netmask M`);
  for (const item of config.nat.destinations)
    if (!config.accessLists.has(item.list)) findings.error(item, '', `there is no access list ${item.list}`);
  for (const item of config.nat.outsideSources) {
    const isThere = item.kind === 'list' ? config.accessLists.has(item.name) : config.routeMaps.has(item.name);
    if (!isThere) findings.error(item, '', `there is no ${item.kind === 'list' ? 'access list' : 'route-map'} ${item.name}`);
  }
}
