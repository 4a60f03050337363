// `ip nat inside source` statements -> clauses (NatClause of dataplane/tables/layout.ts), timeouts and limits.

import { Cap, NatClause, NatState } from '../../dataplane/tables/layout.js';
import type { TablesHead } from '../../dataplane/tables/message.js';
import {
  type Config,
  defaultNatTimeouts,
  type NatConfig,
  type NatStatement,
  type NatTimeout,
  type RouteMapEntry,
} from '../config/model.js';
import { traceEntries } from './access-lists.js';
import { CapacityError } from './allocation.js';
import type { TracedEntry } from './crypto-entries.js';

/** Where hits of a list are counted that NAT asks. */
export function natOrigin(list: string): string {
  return `nat ${list}`;
}

/** What the rows refer to. */
export interface NatContext {
  config: Config;
  /** Port of a configured interface. */
  portOf(name: string): number;
  addAces(entries: readonly TracedEntry[]): { first: number; count: number };
}

const AnyPacket = { first: 0, count: -1 };
const AnyPort = -1;

/** Rows of a list; null for one that is not there, which matches nothing. */
function listRows(name: string, { config, addAces }: NatContext): { first: number; count: number } | null {
  const list = config.accessLists.get(name);
  return list ? addAces(traceEntries(config, natOrigin(name), list)) : null;
}

/** One clause for each list and interface that an entry names: one of them is enough. */
function entryClauses(entry: RouteMapEntry, rule: number, globalPort: number, context: NatContext): number[] {
  const known = entry.matchInterfaces.filter((name) => context.config.interfaces.has(name));
  const ports = entry.matchInterfaces.length === 0 ? [AnyPort] : known.map((name) => context.portOf(name));
  const lists = entry.matchAddresses.length === 0 ? [AnyPacket] : entry.matchAddresses.map((name) => listRows(name, context));
  return lists.flatMap((rows) =>
    rows === null ? [] : ports.flatMap((port) => clause(rule, entry.action === 'permit', rows, port, globalPort)),
  );
}

function clause(rule: number, permit: boolean, acl: { first: number; count: number }, outPort: number, globalPort: number): number[] {
  const row = new Array<number>(NatClause.Words).fill(0);
  row[NatClause.Rule] = rule;
  row[NatClause.Permit] = Number(permit);
  row[NatClause.AclFirst] = acl.first;
  row[NatClause.AclCount] = acl.count;
  row[NatClause.OutPort] = outPort;
  row[NatClause.GlobalPort] = globalPort;
  return row;
}

function statementClauses(statement: NatStatement, rule: number, context: NatContext): number[] {
  const { config } = context;
  if (!config.interfaces.has(statement.interface)) return [];
  const globalPort = context.portOf(statement.interface);
  if (statement.kind === 'route-map')
    return (config.routeMaps.get(statement.name) ?? []).flatMap((entry) => entryClauses(entry, rule, globalPort, context));
  const rows = listRows(statement.name, context);
  return rows === null ? [] : clause(rule, true, rows, AnyPort, globalPort);
}

/** @returns words of {@link NatClause} rows, in the order in which they are tried @throws CapacityError when the table does not hold them */
export function compileNatClauses(context: NatContext): number[] {
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
