// Addresses of NAT that are none of an interface, on the networks where hosts ask for them by ARP: the kernel answers as a proxy
// (`ip neigh add proxy`), because its way to them leads into the port's TUN. Pure plans, and the dump of what is there. What is not on a connected
// network comes by a route of the router before us and needs nothing. And the routes of `add-route`.

import { NatClause, NatPool, NatPoolType, NatRange, NatRangeFlag, NatUse } from '../tables/layout.js';
import type { InterfaceRow, StaticRouteRow, TablesHead } from '../tables/message.js';
import { covers, formatAddress, maskOf, parseAddress } from './addresses.js';
import { type LinuxState, OurProtocol } from './linux-state.js';
import { isSamePrefix, nextHopTo } from './routes.js';
import type { PortDevices } from './rules.js';
import { describeErrors, queryIp, runBatch } from './run-command.js';
import { setProxy } from './sysctl.js';
import type { UndoLedger } from './undo-ledger.js';

/** Entries of the kernel at the most: each is a command. */
const MaxAliases = 1024;

/** `ADDRESS dev DEVICE` of each that is ours. Throws Error when ip cannot be run. */
export function readAliases(): string[] {
  const [dump] = queryIp(['neigh show proxy']);
  return parseAliases(dump);
}

/** @param dump JSON value of `ip -N -4 -j neigh show proxy` */
export function parseAliases(dump: unknown): string[] {
  if (!Array.isArray(dump)) throw new Error('ip -j: not a list');
  return (dump as unknown[]).flatMap((row) => {
    const { dst, dev, protocol } = (row ?? {}) as { dst?: unknown; dev?: unknown; protocol?: unknown };
    if (Number(protocol) !== OurProtocol || typeof dst !== 'string' || typeof dev !== 'string') return [];
    return [`${formatAddress(parseAddress(dst))} dev ${dev}`];
  });
}

/**
 * @param ranges words of NatRange @param errors gets a line when there are too many @returns what should be there: inside global addresses on the
 * networks of outside ports, outside local ones on those of inside ports
 */
export function planAliases(
  ranges: readonly number[],
  rows: readonly InterfaceRow[],
  devices: readonly PortDevices[],
  state: LinuxState,
  errors: string[],
): string[] {
  const wanted: string[] = [];
  let left = 0;
  for (const { port, device } of devices) {
    const side = rows.find((row) => row.port === port)?.nat;
    if (!side) continue;
    const own = new Set(state.addresses.filter((item) => item.device === device).map(({ address }) => address));
    const networks = state.addresses.filter((item) => item.device === device && item.prefixLength < 32);
    for (let at = 0; at < ranges.length; at += NatRange.Words) {
      const flags = ranges[at + NatRange.Flags];
      if ((flags & NatRangeFlag.Arp) === 0 || ((flags & NatRangeFlag.Global) !== 0) !== (side === 'outside')) continue;
      for (const { address, prefixLength } of networks) {
        const network = { address: (address & maskOf(prefixLength)) >>> 0, prefixLength };
        const last = Math.min(ranges[at + NatRange.Last] >>> 0, (network.address | ~maskOf(prefixLength)) >>> 0);
        for (let one = Math.max(ranges[at + NatRange.First] >>> 0, network.address); one <= last; one++) {
          if (own.has(one) || !covers(network, one)) continue;
          if (wanted.length < MaxAliases) wanted.push(`${formatAddress(one)} dev ${device}`);
          else left++;
        }
      }
    }
  }
  if (left > 0) errors.push(`ip nat: ARP is answered for ${MaxAliases} addresses, not for ${left} more: route those to this router`);
  return [...new Set(wanted)];
}

/** @param actual as readAliases() @returns commands */
export function diffAliases(actual: readonly string[], wanted: readonly string[]): string[] {
  const have = new Set(actual);
  const want = new Set(wanted);
  return [
    ...[...want].filter((alias) => !have.has(alias)).map((alias) => `neigh add proxy ${alias} protocol ${OurProtocol}`),
    ...[...have].filter((alias) => !want.has(alias)).map((alias) => `neigh del proxy ${alias}`),
  ];
}

/** Brings the kernel's proxy entries there; what an earlier process left goes in the first round. */
export function applyAliases(
  ledger: UndoLedger,
  { nat, interfaces }: TablesHead,
  devices: readonly PortDevices[],
  state: LinuxState,
  errors: string[],
): void {
  const wanted = planAliases(nat.ranges, interfaces, devices, state, errors);
  for (const { device } of devices) if (wanted.some((alias) => alias.endsWith(` dev ${device}`))) setProxy(ledger, device);
  errors.push(...describeErrors(runBatch(diffAliases(readAliases(), wanted))));
}

/** Routes to outside local addresses, by way of whoever leads to the global ones. @param errors gets a line for each that nothing leads to */
export function planNatRoutes(routes: TablesHead['nat']['routes'], state: LinuxState, errors: string[]): StaticRouteRow[] {
  return routes.flatMap(({ prefix, prefixLength, global }) => {
    const nextHop = nextHopTo(global, state, (route) => isSamePrefix(route.prefix, { address: prefix, prefixLength }));
    if (nextHop !== null) return [{ prefix, prefixLength, nextHop, interface: null, distance: 1 }];
    errors.push(`ip nat outside source static ${formatAddress(global)} add-route: no route leads to it`);
    return [];
  });
}

/**
 * Statements whose sessions several workers cannot share out (dataplane/README.md, "NAT"). @param clauses rows of NatClause @param pools words of NatPool
 * @returns a line for each kind
 */
export function describeSoloNat(clauses: Int32Array, pools: readonly number[], workers: number): string[] {
  if (workers === 1) return [];
  const found = new Set<string>();
  for (let at = 0; at < clauses.length; at += NatClause.Words) {
    const pool = clauses[at + NatClause.Pool] - 1;
    const matchesHost = pool >= 0 && pools[pool * NatPool.Words + NatPool.Type] === NatPoolType.MatchHost;
    if (clauses[at + NatClause.Use] === NatUse.InsideDestination) found.add('ip nat inside destination');
    else if (clauses[at + NatClause.Use] === NatUse.OutsideSource) found.add('ip nat outside source with a pool');
    else if (matchesHost && clauses[at + NatClause.OneToOne] !== 0) found.add('ip nat pool of type match-host');
  }
  return [...found].map((what) => `${what} needs --workers 1: with ${workers} some answers do not find their session`);
}
