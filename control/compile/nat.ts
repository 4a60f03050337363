// `ip nat inside source` statements -> clauses (NatClause of dataplane/tables/layout.ts), timeouts and limits.

import { Cap, NatClause, NatState } from '../../dataplane/tables/layout.js';
import type { TablesHead } from '../../dataplane/tables/message.js';
import { defaultNatTimeouts, type NatConfig, type NatStatement, type NatTimeout } from '../config/model.js';
import { CapacityError } from './allocation.js';
import { type AceRange, AnyPort, entryMatches, listRows, type RouteMapContext } from './route-map.js';

/** Where hits of a list are counted that NAT asks. */
export function natOrigin(list: string): string {
  return `nat ${list}`;
}

function clause(rule: number, permit: boolean, acl: AceRange, outPort: number, globalPort: number): number[] {
  const row = new Array<number>(NatClause.Words).fill(0);
  row[NatClause.Rule] = rule;
  row[NatClause.Permit] = Number(permit);
  row[NatClause.AclFirst] = acl.first;
  row[NatClause.AclCount] = acl.count;
  row[NatClause.OutPort] = outPort;
  row[NatClause.GlobalPort] = globalPort;
  return row;
}

function statementClauses(statement: NatStatement, rule: number, context: RouteMapContext): number[] {
  const { config } = context;
  if (!config.interfaces.has(statement.interface)) return [];
  const globalPort = context.portOf(statement.interface);
  if (statement.kind === 'route-map')
    return (config.routeMaps.get(statement.name) ?? []).flatMap((entry) =>
      entryMatches(entry, natOrigin, context).flatMap(({ acl, port }) => clause(rule, entry.action === 'permit', acl, port, globalPort)),
    );
  const rows = listRows(statement.name, natOrigin(statement.name), context);
  return rows === null ? [] : clause(rule, true, rows, AnyPort, globalPort);
}

/** @returns words of {@link NatClause} rows, in the order in which they are tried @throws CapacityError when the table does not hold them */
export function compileNatClauses(context: RouteMapContext): number[] {
  const words = context.config.nat.statements.flatMap((statement, rule) => statementClauses(statement, rule, context));
  if (words.length > Cap.NatClauses * NatClause.Words)
    throw new CapacityError(`more than ${Cap.NatClauses} lists and route-map entries of ip nat inside source`);
  return words;
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
