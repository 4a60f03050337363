// The part of a `tables` message that policy routing needs: hops, entries, clauses, and that each refers to what is there (validate-tables.ts).

import { Ace, Cap, PolicyClause, PolicyEntry } from '../tables/layout.js';
import type { PolicyHop, TablesHead, TablesRows } from '../tables/message.js';
import { readInteger, readList, readRecord, refuse } from './shape.js';

export function readPolicyHops(value: unknown): PolicyHop[] {
  return readList(value, 'policyHops', Cap.PolicyHops, (element, what): PolicyHop => {
    const { kind, address, port } = readRecord(element, what);
    if (kind === 'next-hop') return { kind, address: readInteger(address, `${what}.address`, 1, 0xfffffffe) };
    if (kind === 'interface') return { kind, port: readInteger(port, `${what}.port`, 0, Cap.Ports - 1) };
    return kind === 'null' ? { kind } : refuse(`${what}.kind: no kind of hop`);
  });
}

/** @throws ShapeError */
export function checkPolicies({ interfaces, policyHops }: TablesHead, { policyEntries, policyClauses, aces }: TablesRows): void {
  const ports = new Set(interfaces.map(({ port }) => port));
  for (const hop of policyHops)
    if (hop.kind === 'interface' && !ports.has(hop.port)) refuse(`policyHops: no interface has port ${hop.port}`);
  const total = aces.length / Ace.Words;
  for (let at = 0; at < policyClauses.length; at += PolicyClause.Words) {
    const first = readInteger(policyClauses[at + PolicyClause.AclFirst], 'policy clause first ace', 0, total);
    readInteger(policyClauses[at + PolicyClause.AclCount], 'policy clause aces', 0, total - first);
  }
  const clauses = policyClauses.length / PolicyClause.Words;
  const entries = policyEntries.length / PolicyEntry.Words;
  const seen = new Set<number>();
  for (let entry = 0; entry < entries; entry++) {
    const row = policyEntries.subarray(entry * PolicyEntry.Words, (entry + 1) * PolicyEntry.Words);
    const port = row[PolicyEntry.Port];
    if (port !== Cap.Ports && !ports.has(port)) refuse(`policy entry: no interface has port ${port}`);
    const isFirst = entry === 0 || policyEntries[(entry - 1) * PolicyEntry.Words + PolicyEntry.Port] !== port;
    if (isFirst && seen.has(port)) refuse(`policy entries of port ${port} are apart`);
    seen.add(port);
    checkEntry(row, entry, policyEntries, policyHops.length);
    const first = readInteger(row[PolicyEntry.FirstClause], 'policy entry first clause', 0, clauses);
    readInteger(row[PolicyEntry.ClauseCount], 'policy entry clauses', 0, clauses - first);
  }
}

/** @param entry its number @param all rows of every entry */
function checkEntry(row: Int32Array, entry: number, all: Int32Array, hops: number): void {
  readInteger(row[PolicyEntry.Permit], 'policy entry permit', 0, 1);
  readInteger(row[PolicyEntry.TosKeep], 'policy entry ToS mask', 0, 255);
  readInteger(row[PolicyEntry.TosSet], 'policy entry ToS', 0, 255);
  readInteger(row[PolicyEntry.Df], 'policy entry DF', -1, 1);
  const next = row[PolicyEntry.Next];
  // Only forward, and only within the map: so every walk ends.
  if (next !== -1) {
    readInteger(next, 'policy entry to continue with', entry + 1, all.length / PolicyEntry.Words - 1);
    if (all[next * PolicyEntry.Words + PolicyEntry.Port] !== row[PolicyEntry.Port]) refuse('policy entry continues with another port’s');
  }
  for (const [list, count] of [
    [PolicyEntry.NextHops, PolicyEntry.NextHopCount],
    [PolicyEntry.Interfaces, PolicyEntry.InterfaceCount],
    [PolicyEntry.Defaults, PolicyEntry.DefaultCount],
  ]) {
    const places = readInteger(row[count], 'policy entry hops', 0, 8);
    for (let i = 0; i < places; i++) readInteger((row[list] >>> (i * 4)) & 15, 'policy entry hop', 0, hops - 1);
  }
}
