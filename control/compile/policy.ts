// Route-maps by which packets are routed -> PolicyEntry and PolicyClause rows (dataplane/tables/layout.ts), once for each interface that has the map.
//
// `continue` becomes the number of the row to go on with; what entries set adds up there, of equal kinds the last.

import { Cap, PolicyClause, PolicyEntry } from '../../dataplane/tables/layout.js';
import type { PolicyHop } from '../../dataplane/tables/message.js';
import type { RouteMapEntry, RouteMapSet } from '../config/model.js';
import { CapacityError } from './allocation.js';
import { AnyPacket, listRows, type RouteMapContext } from './route-map.js';

/** Where hits of a list are counted that policy routing asks. */
export function policyOrigin(list: string): string {
  return `policy ${list}`;
}

/** Which entry made a row. */
export interface PolicyEntryOrigin {
  entry: RouteMapEntry;
  /** null = `ip local policy`. */
  interface: string | null;
}

export interface Policies {
  entries: number[];
  clauses: number[];
  hops: PolicyHop[];
  origins: PolicyEntryOrigin[];
}

const None = -1;

/** Numbers of hops, first one lowest. */
function packHops(hops: readonly PolicyHop[], policies: Policies): [packed: number, count: number] {
  let packed = 0;
  for (const [place, hop] of hops.entries()) {
    let index = policies.hops.findIndex((other) => JSON.stringify(other) === JSON.stringify(hop));
    if (index < 0) index = policies.hops.push(hop) - 1;
    if (index >= Cap.PolicyHops) throw new CapacityError(`more than ${Cap.PolicyHops} next hops and interfaces of policy routing`);
    packed |= index << (place * 4);
  }
  return [packed, hops.length];
}

function interfaceHop(name: string, { portOf }: RouteMapContext): PolicyHop {
  return name === 'Null0' ? { kind: 'null' } : { kind: 'interface', port: portOf(name) };
}

/** Bits of the ToS octet that stay, and those that are set. The lowest two are ECN's (RFC 3168). */
export function tosBits({ precedence, tos, dscp }: RouteMapSet): [keep: number, set: number] {
  if (dscp !== undefined) return [0x03, dscp << 2];
  const keep = (precedence === undefined ? 0xe0 : 0) | (tos === undefined ? 0x1e : 0) | 0x01;
  return [keep, ((precedence ?? 0) << 5) | ((tos ?? 0) << 1)];
}

/** Rows of the lists of one entry; one that names none that is there matches nothing. @returns how many, 0 = every packet */
function addClauses(entry: RouteMapEntry, policies: Policies, context: RouteMapContext): number {
  const before = policies.clauses.length;
  for (const name of entry.matchAddresses) {
    const acl = listRows(name, policyOrigin(name), context) ?? { ...AnyPacket, count: 0 };
    policies.clauses.push(acl.first, acl.count);
  }
  return (policies.clauses.length - before) / PolicyClause.Words;
}

function addUse(name: string, port: number, item: string | null, policies: Policies, context: RouteMapContext): void {
  const map = context.config.routeMaps.get(name) ?? [];
  const first = policies.origins.length;
  const interfaces = (set: RouteMapSet): PolicyHop[] =>
    (set.interfaces ?? [])
      .filter((other) => other === 'Null0' || context.config.interfaces.has(other))
      .map((other) => interfaceHop(other, context));
  for (const [index, entry] of map.entries()) {
    const set = entry.set ?? {};
    const hop = (address: number): PolicyHop => ({ kind: 'next-hop', address });
    const row = new Array<number>(PolicyEntry.Words).fill(0);
    const [nextHops, interfaceHops, defaults] = [
      packHops((set.nextHops ?? []).map(hop), policies),
      packHops(interfaces(set), policies),
      packHops((set.defaultNextHops ?? []).map(hop), policies),
    ];
    const next = entry.continueTo === 'next' ? index + 1 : map.findIndex(({ sequence }) => sequence === entry.continueTo);
    row[PolicyEntry.Port] = port;
    row[PolicyEntry.Permit] = Number(entry.action === 'permit');
    row[PolicyEntry.Next] = entry.continueTo !== undefined && next > index && next < map.length ? first + next : None;
    row[PolicyEntry.LengthLow] = entry.matchLength?.[0] ?? 0;
    row[PolicyEntry.LengthHigh] = entry.matchLength?.[1] ?? 65535;
    row[PolicyEntry.FirstClause] = policies.clauses.length / PolicyClause.Words;
    row[PolicyEntry.ClauseCount] = addClauses(entry, policies, context);
    [row[PolicyEntry.NextHops], row[PolicyEntry.NextHopCount]] = nextHops;
    [row[PolicyEntry.Interfaces], row[PolicyEntry.InterfaceCount]] = interfaceHops;
    [row[PolicyEntry.Defaults], row[PolicyEntry.DefaultCount]] = defaults;
    [row[PolicyEntry.TosKeep], row[PolicyEntry.TosSet]] = tosBits(set);
    row[PolicyEntry.Df] = set.df ?? None;
    policies.entries.push(...row);
    policies.origins.push({ entry, interface: item });
  }
}

/** @throws CapacityError when the tables do not hold them */
export function compilePolicies(context: RouteMapContext): Policies {
  const { config, portOf } = context;
  const policies: Policies = { entries: [], clauses: [], hops: [], origins: [] };
  for (const { name, policy } of config.interfaces.values())
    if (policy !== undefined) addUse(policy, portOf(name), name, policies, context);
  if (config.localPolicy !== undefined) addUse(config.localPolicy, Cap.Ports, null, policies, context);
  if (policies.origins.length > Cap.PolicyEntries)
    throw new CapacityError(`more than ${Cap.PolicyEntries} route-map entries of policy routing`);
  if (policies.clauses.length > Cap.PolicyClauses * PolicyClause.Words)
    throw new CapacityError(`more than ${Cap.PolicyClauses} lists of policy routing`);
  return policies;
}
