// `ip nat inside source` statements -> clauses (NatClause of dataplane/tables/layout.ts), timeouts and limits.

import { Cap, NatClause, NatState } from '../../dataplane/tables/layout.js';
import type { TablesHead } from '../../dataplane/tables/message.js';
import { defaultNatTimeouts, type NatConfig, type NatStatement, type NatTimeout, type RouteMapEntry } from '../config/model.js';
import { CapacityError } from './allocation.js';
import { type AceRange, AnyPort, entryMatches, listRows, type RouteMapContext } from './route-map.js';

/** Where hits of a list are counted that NAT asks. */
export function natOrigin(list: string): string {
  return `nat ${list}`;
}

/** Which line made a clause. */
export interface NatOrigin {
  statement: NatStatement;
  /** Of its route-map. */
  entry: RouteMapEntry | null;
}

/** Clauses under construction: their words and, one for each, where they came from. */
export interface NatClauses {
  words: number[];
  origins: NatOrigin[];
}

function addClause(clauses: NatClauses, rule: number, origin: NatOrigin, acl: AceRange, outPort: number, globalPort: number): void {
  const row = new Array<number>(NatClause.Words).fill(0);
  row[NatClause.Rule] = rule;
  row[NatClause.Permit] = Number(origin.entry === null || origin.entry.action === 'permit');
  row[NatClause.AclFirst] = acl.first;
  row[NatClause.AclCount] = acl.count;
  row[NatClause.OutPort] = outPort;
  row[NatClause.GlobalPort] = globalPort;
  clauses.words.push(...row);
  clauses.origins.push(origin);
}

function addStatement(clauses: NatClauses, statement: NatStatement, rule: number, context: RouteMapContext): void {
  const { config } = context;
  if (!config.interfaces.has(statement.interface)) return;
  const globalPort = context.portOf(statement.interface);
  if (statement.kind === 'route-map') {
    for (const entry of config.routeMaps.get(statement.name) ?? [])
      for (const { acl, port } of entryMatches(entry, natOrigin, context))
        addClause(clauses, rule, { statement, entry }, acl, port, globalPort);
    return;
  }
  const rows = listRows(statement.name, natOrigin(statement.name), context);
  if (rows !== null) addClause(clauses, rule, { statement, entry: null }, rows, AnyPort, globalPort);
}

/** @returns {@link NatClause} rows in the order in which they are tried @throws CapacityError when the table does not hold them */
export function compileNatClauses(context: RouteMapContext): NatClauses {
  const clauses: NatClauses = { words: [], origins: [] };
  for (const [rule, statement] of context.config.nat.statements.entries()) addStatement(clauses, statement, rule, context);
  if (clauses.origins.length > Cap.NatClauses)
    throw new CapacityError(`more than ${Cap.NatClauses} lists and route-map entries of ip nat inside source`);
  return clauses;
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

export function natHead(nat: NatConfig): TablesHead['nat'] {
  const states = Array.from({ length: NatState.Count }, (_, state) => state as Exclude<NatState, NatState.Count>);
  return { timeouts: states.map((state) => natTimeoutSeconds(nat, state)), maxEntries: nat.maxEntries ?? 0 };
}
