// The NAT sessions of a worker that a packet can have to do with, copied from the rows that it shares with the main thread.

import type { Env } from '../env.js';
import type { NatSessions } from '../mem/nat-sessions.js';
import { BankCount } from '../mem/shared.js';
import type { Tables } from '../mem/tables.js';
import { Ip4, IpProto } from '../proto/ipv4.js';
import { NatClause, NatPool, NatRow, NatRuleBase, NatUse } from '../tables/layout.js';

/** Rows that new sessions of a trace may take. */
const Spare = 16;

/** Addresses that stand in a datagram, and in what it quotes if it is an ICMP error. @param datagram a whole IPv4 header at least */
export function addressesIn(datagram: Uint8Array): Set<number> {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  const found = new Set([view.getInt32(Ip4.Src), view.getInt32(Ip4.Dst)]);
  const quoted = ((datagram[0] & 15) << 2) + 8;
  if (datagram[Ip4.Protocol] === IpProto.Icmp && quoted + Ip4.HeaderLen <= datagram.length)
    for (const field of [Ip4.Src, Ip4.Dst]) found.add(view.getInt32(quoted + field));
  return found;
}

function names(rows: Int32Array, at: number, addresses: ReadonlySet<number>): boolean {
  return [NatRow.InsideAddress, NatRow.GlobalAddress, NatRow.OutsideAddress, NatRow.OutsideLocal].some((field) =>
    addresses.has(rows[at + field]),
  );
}

export interface Related {
  /** First words of the rows. */
  rows: number[];
  /** Copies of rows, one for each address that a host has for itself, whoever they name. */
  lent: Int32Array[];
  /** Sessions that the worker has in all. */
  total: number;
}

/** The live rows that name one of the addresses. @param rows of a worker, which goes on writing them */
export function findRelated(rows: Int32Array, addresses: ReadonlySet<number>): Related {
  const found: Related = { rows: [], lent: [], total: 0 };
  const globals = new Set<number>();
  const locals = new Set<number>();
  for (let at = 0; at < rows.length && rows[at + NatRow.Serial] !== 0; at += NatRow.Words) {
    if (rows[at + NatRow.Protocol] === 0) continue;
    found.total++;
    if (names(rows, at, addresses)) found.rows.push(at);
    const holds = rows[at + NatRow.Rule];
    if (holds < NatRuleBase.HoldsGlobal) continue; // -1 too
    const known = globals.size + locals.size;
    if ((holds & NatRuleBase.HoldsGlobal) !== 0) globals.add(rows[at + NatRow.GlobalAddress]);
    if ((holds & NatRuleBase.HoldsLocal) !== 0) locals.add(rows[at + NatRow.OutsideLocal]);
    if (globals.size + locals.size > known) found.lent.push(rows.slice(at, at + NatRow.Words));
  }
  return found;
}

/** Memory for so many copied rows and a few new ones: a power of two of rows. */
export function rowsFor(count: number): Int32Array {
  return new Int32Array(2 ** Math.ceil(Math.log2(count + Spare)) * NatRow.Words);
}

/** @param rows where they were found @param sessions empty */
export function copySessions(rows: Int32Array, found: Related, sessions: NatSessions): void {
  for (const at of found.rows) {
    const row = rows.slice(at, at + NatRow.Words);
    const insidePorts = row[NatRow.InsidePorts];
    const outsidePorts = row[NatRow.OutsidePorts];
    const copy = sessions.addFull(
      row[NatRow.Protocol],
      row[NatRow.InsideAddress],
      insidePorts >>> 16,
      row[NatRow.OutsideLocal],
      insidePorts & 0xffff,
      row[NatRow.GlobalAddress],
      outsidePorts >>> 16,
      row[NatRow.OutsideAddress],
      outsidePorts & 0xffff,
      row[NatRow.Rule],
      row[NatRow.Made],
    );
    if (copy < 0) return;
    sessions.rows[copy * NatRow.Words + NatRow.Used] = row[NatRow.Used];
    sessions.rows[copy * NatRow.Words + NatRow.State] = row[NatRow.State];
    sessions.rows[copy * NatRow.Words + NatRow.Limit] = row[NatRow.Limit];
  }
  sessions.length = found.total;
}

/** @returns 1 + the statement that gives hosts this address for themselves and lets what comes from outside reach them, 0 = none */
function openBy({ natClauses, natPools, counts }: Tables, address: number): number {
  for (let at = 0; at < counts[BankCount.NatClauses] * NatClause.Words; at += NatClause.Words) {
    if (natClauses[at + NatClause.Use] !== NatUse.InsideSource || natClauses[at + NatClause.OneToOne] !== 2) continue;
    const pool = (natClauses[at + NatClause.Pool] - 1) * NatPool.Words;
    const isIn = address >>> 0 >= natPools[pool + NatPool.First] >>> 0 && address >>> 0 <= natPools[pool + NatPool.Last] >>> 0;
    if (isIn) return natClauses[at + NatClause.Rule] + 1;
  }
  return 0;
}

/** Lends the addresses that hosts have for themselves once more: by their sessions' rows, in place of the beginnings of those. */
export function lendAgain({ lent }: Related, { natBegin, tables }: Env): void {
  const { globals, locals } = natBegin;
  for (const row of lent) {
    const inside = row[NatRow.GlobalAddress];
    const outside = row[NatRow.OutsideLocal];
    const holds = row[NatRow.Rule];
    if ((holds & NatRuleBase.HoldsGlobal) !== 0 && globals.findAddress(inside) < 0)
      globals.add(row[NatRow.InsideAddress], inside, openBy(tables, inside));
    if ((holds & NatRuleBase.HoldsLocal) !== 0 && locals.findAddress(outside) < 0) locals.add(row[NatRow.OutsideAddress], outside, 1);
  }
}

/** The session that has counted a packet since it was copied or made. @param copied sessions before @returns null = none has */
export function usedSession(sessions: NatSessions, copied: number): { rule: number; made: boolean } | null {
  const { rows } = sessions;
  for (let at = 0; at < rows.length && rows[at + NatRow.Serial] !== 0; at += NatRow.Words) {
    if (rows[at + NatRow.PacketsOut] + rows[at + NatRow.PacketsIn] === 0) continue;
    rows[at + NatRow.PacketsOut] = rows[at + NatRow.PacketsIn] = 0;
    return { rule: rows[at + NatRow.Rule], made: at / NatRow.Words >= copied };
  }
  return null;
}
