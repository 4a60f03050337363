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
    links: new Map(rows(links).map((row) => [String(row.ifname), parseLink(row)])),
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
  return (value as Json[]).filter((row) => Object.keys(row).length > 0);
}

function parseLink(row: Json): LinuxLink {
  const flags = row.flags as string[];
  return {
    name: String(row.ifname),
    index: Number(row.ifindex),
    up: flags.includes('UP'),
    carrier: flags.includes('LOWER_UP'),
    mtu: Number(row.mtu),
    mac: typeof row.address === 'string' ? row.address : '',
    ethernet: ['[1]', '1', 'ether'].includes(String(row.link_type)), // what ip -N prints depends on its version
  };
}

function parseAddresses(row: Json): LinuxAddress[] {
  return ((row.addr_info as Json[] | undefined) ?? [])
    .filter((info) => info.family === 'inet')
    .map((info) => ({
      device: String(row.ifname),
      address: parseAddress(String(info.local)),
      prefixLength: Number(info.prefixlen),
      secondary: info.secondary === true,
    }));
}

function parseRoute(row: Json): LinuxRoute {
  const hops = (row.nexthops as Json[] | undefined) ?? [row];
  const hop = hops.find(isAlive) ?? hops[0];
  return {
    table: row.table === undefined ? RouteTable.Main : Number(row.table),
    type: row.type === undefined ? RouteType.Unicast : Number(row.type),
    prefix: parsePrefix(String(row.dst)),
    device: typeof hop.dev === 'string' ? hop.dev : null,
    gateway: typeof hop.gateway === 'string' ? parseAddress(hop.gateway) : 0,
    source: typeof row.prefsrc === 'string' ? parseAddress(row.prefsrc) : 0,
    metric: row.metric === undefined ? 0 : Number(row.metric),
    scope: row.scope === undefined ? 0 : Number(row.scope),
    protocol: row.protocol === undefined ? 3 : Number(row.protocol), // ip leaves RTPROT_BOOT out
    alive: isAlive(hop),
  };
}

function isAlive(hop: Json): boolean {
  return !((hop.flags as string[] | undefined) ?? []).some((flag) => flag === 'dead');
}

function parseRule(row: Json): Rule {
  const goto = row.goto === undefined ? null : Number(row.goto);
  return {
    pref: Number(row.priority),
    iif: typeof row.iif === 'string' ? row.iif : null,
    from: selector(row.src, row.srclen),
    to: selector(row.dst, row.dstlen),
    ipProtocol: row.ipproto === undefined ? null : Number(String(row.ipproto).replace('ipproto-', '')),
    sourcePorts: range(row.sport, row.sport_start, row.sport_end),
    destinationPorts: range(row.dport, row.dport_start, row.dport_end),
    mark: row.fwmark === undefined ? null : Number(row.fwmark),
    action: goto !== null ? { goto } : row.table !== undefined ? { lookup: Number(row.table) } : { drop: Number(row.action) },
    protocol: row.protocol === undefined ? 0 : Number(row.protocol),
  };
}

function selector(address: unknown, length: unknown): Prefix | null {
  if (address === undefined || address === 'all') return null;
  const prefixLength = length === undefined ? 32 : Number(length);
  return { address: parseAddress(String(address)), prefixLength };
}

function range(one: unknown, low: unknown, high: unknown): [number, number] | null {
  if (one !== undefined) return [Number(one), Number(one)];
  return low === undefined ? null : [Number(low), Number(high)];
}
