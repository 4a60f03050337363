// `ip nat` -> clauses, static translations, pools (dataplane/tables/layout.ts), timeouts and limits.

import { Cap, NatClause, NatRuleBase, NatState, NatStatic as NatStaticRow, NatUse } from '../../dataplane/tables/layout.js';
import type { TablesHead } from '../../dataplane/tables/message.js';
import { maskToPrefixLength } from '../config/addresses.js';
import {
  type Config,
  defaultNatTimeouts,
  type NatConfig,
  type NatDestination,
  type NatOutsideSource,
  type NatSource,
  type NatStatement,
  type NatStatic,
  type NatTimeout,
  natPoolTypes,
  natProtocols,
  type RouteMapEntry,
} from '../config/model.js';
import { CapacityError } from './allocation.js';
import { natRanges } from './nat-ranges.js';
import { type AceRange, AnyPort, entryMatches, listRows, type RouteMapContext } from './route-map.js';

/** Where hits of a list are counted that NAT asks. */
export function natOrigin(list: string): string {
  return `nat ${list}`;
}

const NoPort = -1;

/** Which line made a clause. */
export interface NatOrigin {
  statement: NatStatement | NatOutsideSource | NatDestination | NatStatic;
  /** Its list or route-map. */
  source: NatSource;
  /** Of its route-map. */
  entry: RouteMapEntry | null;
}

/** What the clauses of a statement have in common. */
interface Target {
  use: NatUse;
  rule: number;
  globalPort: number;
  /** Row + 1, 0 = none. */
  pool: number;
  oneToOne: number;
  statement: NatOrigin['statement'];
}

/** A row and the line that made it. */
interface Clause {
  row: number[];
  origin: NatOrigin;
}

function clause(target: Target, origin: NatOrigin, acl: AceRange, outPort: number): Clause {
  const row = new Array<number>(NatClause.Words).fill(0);
  row[NatClause.Rule] = target.rule;
  row[NatClause.Permit] = Number(origin.entry === null || origin.entry.action === 'permit');
  row[NatClause.AclFirst] = acl.first;
  row[NatClause.AclCount] = acl.count;
  row[NatClause.OutPort] = outPort;
  row[NatClause.GlobalPort] = target.globalPort;
  row[NatClause.Pool] = target.pool;
  row[NatClause.Use] = target.use;
  row[NatClause.OneToOne] = target.oneToOne;
  return { row, origin };
}

function sourceClauses(source: NatSource, target: Target, context: RouteMapContext): Clause[] {
  if (source.kind === 'route-map')
    return (context.config.routeMaps.get(source.name) ?? []).flatMap((entry) =>
      entryMatches(entry, natOrigin, context).map(({ acl, port }) =>
        clause(target, { statement: target.statement, source, entry }, acl, port),
      ),
    );
  const rows = listRows(source.name, natOrigin(source.name), context);
  return rows === null ? [] : [clause(target, { statement: target.statement, source, entry: null }, rows, AnyPort)];
}

/** @returns row + 1, null when the statement names a pool that is not there */
function poolOf({ nat }: Config, name: string): number | null {
  const at = nat.pools.findIndex((pool) => pool.name === name);
  return at < 0 ? null : at + 1;
}

function statementClauses(statement: NatStatement, rule: number, context: RouteMapContext): Clause[] {
  const { config } = context;
  const target = { statement, use: NatUse.InsideSource, rule, globalPort: NoPort, pool: 0, oneToOne: 0 };
  if (statement.interface !== null) {
    if (!config.interfaces.has(statement.interface)) return [];
    return sourceClauses(statement, { ...target, globalPort: context.portOf(statement.interface) }, context);
  }
  const pool = poolOf(config, statement.pool ?? '');
  // IOS: a list makes simple entries, which are good for what comes from outside too; a route-map makes extended ones.
  const oneToOne = statement.overload ? 0 : statement.kind === 'list' ? 2 : 1;
  return pool === null ? [] : sourceClauses(statement, { ...target, pool, oneToOne }, context);
}

/** Statements that have nothing but a pool. */
function pooledClauses(
  statement: NatOutsideSource | NatDestination,
  source: NatSource,
  use: NatUse,
  rule: number,
  context: RouteMapContext,
): Clause[] {
  const pool = poolOf(context.config, statement.pool);
  return pool === null ? [] : sourceClauses(source, { statement, use, rule, globalPort: NoPort, pool, oneToOne: 1 }, context);
}

function staticRow(item: NatStatic, number: number, clauses: { first: number; count: number }, context: RouteMapContext): number[] | null {
  if (item.interface !== null && !context.config.interfaces.has(item.interface)) return null;
  const row = new Array<number>(NatStaticRow.Words).fill(0);
  row[NatStaticRow.Side] = item.side === 'inside' ? 0 : 1;
  row[NatStaticRow.Rule] = NatRuleBase.Static + number;
  row[NatStaticRow.Protocol] = item.protocol === null ? 0 : natProtocols[item.protocol];
  row[NatStaticRow.Local] = item.local | 0;
  row[NatStaticRow.Global] = (item.global ?? 0) | 0;
  row[NatStaticRow.Care] = item.mask | 0;
  row[NatStaticRow.LocalPort] = item.localPort ?? 0;
  row[NatStaticRow.GlobalPort] = item.globalPort ?? 0;
  row[NatStaticRow.AddressOf] = item.interface === null ? NoPort : context.portOf(item.interface);
  row[NatStaticRow.ClauseFirst] = clauses.first;
  row[NatStaticRow.ClauseCount] = clauses.count;
  return row;
}

export interface NatTables {
  /** Words of {@link NatClause} rows, in the order in which they are tried. */
  clauses: number[];
  /** One for each clause. */
  origins: NatOrigin[];
  statics: number[];
  pools: number[];
  ranges: number[];
  routes: TablesHead['nat']['routes'];
}

/** @throws CapacityError when a table does not hold it */
export function compileNat(context: RouteMapContext): NatTables {
  const { nat } = context.config;
  const clauses = [
    ...nat.statements.flatMap((item, at) => statementClauses(item, NatRuleBase.InsideSource + at, context)),
    ...nat.outsideSources.flatMap((item, at) => pooledClauses(item, item, NatUse.OutsideSource, NatRuleBase.OutsideSource + at, context)),
    ...nat.destinations.flatMap((item, at) =>
      pooledClauses(item, { kind: 'list', name: item.list }, NatUse.InsideDestination, NatRuleBase.InsideDestination + at, context),
    ),
  ];
  const statics = nat.statics.flatMap((item, number) => {
    const source = { kind: 'route-map', name: item.routeMap ?? '' } as const;
    const target = { statement: item, use: NatUse.Static, rule: NatRuleBase.Mask, globalPort: NoPort, pool: 0, oneToOne: 0 };
    const own = item.routeMap === null ? [] : sourceClauses(source, target, context);
    if (item.routeMap !== null && own.length === 0) return []; // it permits nothing
    const row = staticRow(item, number, { first: clauses.length, count: own.length }, context);
    if (row) clauses.push(...own);
    return row ? [row] : [];
  });
  if (clauses.length > Cap.NatClauses) throw new CapacityError(`more than ${Cap.NatClauses} lists and route-map entries of ip nat`);
  if (statics.length > Cap.NatStatics) throw new CapacityError(`more than ${Cap.NatStatics} static translations`);
  if (nat.pools.length > Cap.NatPools) throw new CapacityError(`more than ${Cap.NatPools} pools of ip nat`);
  const ranges = natRanges(context.config);
  if (ranges.length > Cap.NatRanges) throw new CapacityError(`more than ${Cap.NatRanges} ranges of addresses of ip nat`);
  return {
    clauses: clauses.flatMap(({ row }) => row),
    origins: clauses.map(({ origin }) => origin),
    statics: statics.flat(),
    pools: nat.pools.flatMap(({ first, last, mask, type }) => [first | 0, last | 0, natPoolTypes.indexOf(type), ~mask]),
    routes: nat.statics
      .filter(({ addRoute }) => addRoute)
      .map(({ local, mask, global }) => ({ prefix: local, prefixLength: maskToPrefixLength(mask) ?? 32, global: global ?? 0 })),
    ranges: ranges.flatMap(({ first, last, flags }) => [first | 0, last | 0, flags]),
  };
}

/** Which timeout a state has. */
const timeoutOf: Record<Exclude<NatState, NatState.Count>, NatTimeout> = {
  [NatState.Other]: 'timeout',
  [NatState.Udp]: 'udp-timeout',
  [NatState.Dns]: 'dns-timeout',
  [NatState.Icmp]: 'icmp-timeout',
  [NatState.TcpSyn]: 'syn-timeout',
  [NatState.TcpEstablished]: 'tcp-timeout',
  [NatState.TcpFinRst]: 'finrst-timeout',
};

/** @returns seconds, 0 = never */
export function natTimeoutSeconds({ timeouts }: NatConfig, state: Exclude<NatState, NatState.Count>): number {
  const seconds = timeouts[timeoutOf[state]] ?? defaultNatTimeouts[timeoutOf[state]];
  return seconds === 'never' ? 0 : seconds;
}

export function natHead(nat: NatConfig, { statics, pools, ranges, routes }: NatTables): TablesHead['nat'] {
  const states = Array.from({ length: NatState.Count }, (_, state) => state as Exclude<NatState, NatState.Count>);
  const timeouts = states.map((state) => natTimeoutSeconds(nat, state));
  const limits = [
    ...nat.hostLimits.flatMap(({ address, entries }) => [address | 0, entries]),
    ...(nat.hostEntries === undefined ? [] : [0, nat.hostEntries]),
  ];
  const portTimeouts = nat.portTimeouts.flatMap(({ protocol, port, seconds }) => [
    natProtocols[protocol],
    port,
    seconds === 'never' ? 0 : seconds,
  ]);
  return { timeouts, maxEntries: nat.maxEntries ?? 0, limits, portTimeouts, statics, pools, ranges, routes };
}
