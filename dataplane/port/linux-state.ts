// What the kernel of this network namespace holds now: netdevs, IPv4 addresses, routes of all tables, rules. One dump with `ip -j`,
// turned into typed rows. Does not: IPv6, VRFs, nexthop objects, routes by ToS.

import { type Prefix, parseAddress, parsePrefix } from './addresses.js';
import type { Rule } from './rules.js';
import { queryIp } from './run-command.js';

/** rtm_protocol and FRA_PROTOCOL of everything we add: how we know our own after a kill -9. A number, so no name has to be installed. */
export const OurProtocol = 84;

/** linux/rtnetlink.h */
export const enum RouteType {
  Unicast = 1,
  Local = 2,
  Broadcast = 3,
  Blackhole = 6,
  Unreachable = 7,
  Prohibit = 8,
  Throw = 9,
}
export const enum RouteTable {
  Main = 254,
  Local = 255,
}

export interface LinuxLink {
  name: string;
  index: number;
  up: boolean;
  carrier: boolean;
  mtu: number;
  mac: string;
  /** ARPHRD_ETHER: it has MAC addresses and neighbours. */
  ethernet: boolean;
}
export interface LinuxAddress {
  device: string;
  address: number;
  prefixLength: number;
  secondary: boolean;
}
export interface LinuxRoute {
  table: number;
  type: RouteType;
  prefix: Prefix;
  /** Of the first next hop that is alive; null without one. */
  device: string | null;
  /** 0 = directly connected. */
  gateway: number;
  /** 0 = none. */
  source: number;
  metric: number;
  /** RT_SCOPE_*: 0 global, 253 link. */
  scope: number;
  protocol: number;
  alive: boolean;
}
export interface LinuxState {
  links: Map<string, LinuxLink>;
  addresses: LinuxAddress[];
  routes: LinuxRoute[];
  rules: Rule[];
}

/** Throws Error when ip cannot be run or says what we do not understand. */
export function readLinux(): LinuxState {
  const [links, addresses, routes, rules] = queryIp(['link show', 'addr show', 'route show table all', 'rule show']);
  return parseLinux(links, addresses, routes, rules);
}

type Json = Record<string, unknown>;

/** @param links, addresses, routes, rules JSON values of `ip -N -4 -j` */
export function parseLinux(links: unknown, addresses: unknown, routes: unknown, rules: unknown): LinuxState {
  return {
    links: new Map(rows(links).map((row) => [textOf(row.ifname, 'ifname'), parseLink(row)])),
    addresses: rows(addresses).flatMap(parseAddresses),
    routes: rows(routes)
      .filter((row) => row.tos === undefined)
      .map(parseRoute),
    rules: rows(rules).map(parseRule),
  };
}

/** ip prints `{}` for what its filter left out. */
function rows(value: unknown): Json[] {
  if (!Array.isArray(value)) throw new Error('ip -j: not a list');
  return (value as unknown[]).filter((row): row is Json => typeof row === 'object' && row !== null && Object.keys(row).length > 0);
}

/** NaN for what is neither a number nor its text. */
function numberOf(value: unknown): number {
  return typeof value === 'number' || typeof value === 'string' ? Number(value) : Number.NaN;
}

/** @throws Error on what is no whole number from 0 to 2^32 - 1 */
function whole(value: unknown, what: string): number {
  const number = numberOf(value);
  if (!Number.isInteger(number) || number < 0 || number > 0xffffffff) throw new Error(`ip -j: ${what} is no number`);
  return number;
}

/** @throws Error on what is neither text nor a number; a name or an address is one of them, and String() of an object may do anything */
export function textOf(value: unknown, what: string): string {
  if (typeof value !== 'string' && typeof value !== 'number') throw new Error(`ip -j: ${what} is no text`);
  return String(value);
}

function hasFlag(flags: unknown, flag: string): boolean {
  return Array.isArray(flags) && flags.includes(flag);
}

function parseLink(row: Json): LinuxLink {
  return {
    name: textOf(row.ifname, 'ifname'),
    index: whole(row.ifindex, 'ifindex'),
    up: hasFlag(row.flags, 'UP'),
    carrier: hasFlag(row.flags, 'LOWER_UP'),
    mtu: whole(row.mtu, 'mtu'),
    mac: typeof row.address === 'string' ? row.address : '',
    ethernet: ['[1]', '1', 'ether'].includes(textOf(row.link_type ?? '', 'link_type')), // what ip -N prints depends on its version
  };
}

function parseAddresses(row: Json): LinuxAddress[] {
  return rows(row.addr_info ?? [])
    .filter((info) => info.family === 'inet')
    .map((info) => ({
      device: textOf(row.ifname, 'ifname'),
      address: parseAddress(textOf(info.local, 'local')),
      prefixLength: prefixLengthOf(info.prefixlen),
      secondary: info.secondary === true,
    }));
}

function prefixLengthOf(value: unknown): number {
  const length = whole(value, 'prefixlen');
  if (length > 32) throw new Error(`ip -j: prefix of ${length} bits`);
  return length;
}

function parseRoute(row: Json): LinuxRoute {
  const hops = row.nexthops === undefined ? [row] : rows(row.nexthops);
  const hop = hops.find(isAlive) ?? hops[0] ?? {};
  return {
    table: row.table === undefined ? RouteTable.Main : whole(row.table, 'table'),
    type: row.type === undefined ? RouteType.Unicast : whole(row.type, 'type'),
    prefix: parsePrefix(textOf(row.dst, 'dst')),
    device: typeof hop.dev === 'string' ? hop.dev : null,
    gateway: typeof hop.gateway === 'string' ? parseAddress(hop.gateway) : 0,
    source: typeof row.prefsrc === 'string' ? parseAddress(row.prefsrc) : 0,
    metric: row.metric === undefined ? 0 : whole(row.metric, 'metric'),
    scope: row.scope === undefined ? 0 : whole(row.scope, 'scope'),
    protocol: row.protocol === undefined ? 3 : whole(row.protocol, 'protocol'), // ip leaves RTPROT_BOOT out
    alive: isAlive(hop),
  };
}

function isAlive(hop: Json): boolean {
  return !hasFlag(hop.flags, 'dead');
}

function parseRule(row: Json): Rule {
  const goto = row.goto === undefined ? null : numberOf(row.goto);
  return {
    pref: numberOf(row.priority),
    iif: typeof row.iif === 'string' ? row.iif : null,
    from: selector(row.src, row.srclen),
    to: selector(row.dst, row.dstlen),
    ipProtocol: row.ipproto === undefined ? null : numberOf(textOf(row.ipproto, 'ipproto').replace('ipproto-', '')),
    sourcePorts: range(row.sport, row.sport_start, row.sport_end),
    destinationPorts: range(row.dport, row.dport_start, row.dport_end),
    mark: row.fwmark === undefined ? null : numberOf(row.fwmark),
    action: goto !== null ? { goto } : row.table !== undefined ? { lookup: numberOf(row.table) } : { drop: numberOf(row.action) },
    protocol: row.protocol === undefined ? 0 : numberOf(row.protocol),
  };
}

function selector(address: unknown, length: unknown): Prefix | null {
  if (address === undefined || address === 'all') return null;
  const prefixLength = length === undefined ? 32 : prefixLengthOf(length);
  return { address: parseAddress(textOf(address, 'address')), prefixLength };
}

function range(one: unknown, low: unknown, high: unknown): [number, number] | null {
  if (one !== undefined) return [numberOf(one), numberOf(one)];
  return low === undefined ? null : [numberOf(low), numberOf(high)];
}
