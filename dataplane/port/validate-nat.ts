// The NAT part of a `tables` message: as validate-tables.ts, which calls it.

import {
  Cap,
  NatClause,
  NatLimit,
  NatPool,
  NatPoolType,
  NatPortTimeout,
  NatRange,
  NatRuleBase,
  NatState,
  NatStatic,
  NatUse,
} from '../tables/layout.js';
import type { TablesHead } from '../tables/message.js';
import { checkAclRange, readInteger, readList, readRecord, refuse, within } from './shape.js';
import type { Tables } from './validate-tables.js';

const MaxSeconds = 0x7fffffff;
const MaxAddress = 0xffffffff;

export function readNat(value: unknown): TablesHead['nat'] {
  const nat = readRecord(value, 'nat');
  const timeouts = readList(nat.timeouts, 'nat.timeouts', NatState.Count, (seconds, what) => readInteger(seconds, what, 0, MaxSeconds));
  if (timeouts.length !== NatState.Count) refuse(`nat.timeouts: ${NatState.Count} numbers are needed`);
  return {
    timeouts,
    maxEntries: readInteger(nat.maxEntries, 'nat.maxEntries', 0, MaxSeconds),
    statics: readWords(nat.statics, 'nat.statics', NatStatic.Words, Cap.NatStatics),
    pools: readWords(nat.pools, 'nat.pools', NatPool.Words, Cap.NatPools),
    ranges: readWords(nat.ranges, 'nat.ranges', NatRange.Words, Cap.NatRanges),
    limits: readWords(nat.limits, 'nat.limits', NatLimit.Words, Cap.NatLimits),
    portTimeouts: readWords(nat.portTimeouts, 'nat.portTimeouts', NatPortTimeout.Words, Cap.NatPortTimeouts),
    routes: readList(nat.routes, 'nat.routes', Cap.NatStatics, (element, where) => {
      const { prefix, prefixLength, global } = readRecord(element, where);
      return {
        prefix: readInteger(prefix, `${where}.prefix`, 0, MaxAddress),
        prefixLength: readInteger(prefixLength, `${where}.prefixLength`, 1, 32),
        global: readInteger(global, `${where}.global`, 0, MaxAddress),
      };
    }),
  };
}

/** Rows as a list of words, signed. */
function readWords(value: unknown, what: string, width: number, rows: number): number[] {
  const words = readList(value, what, width * rows, (word, where) => readInteger(word, where, -0x80000000, 0x7fffffff));
  if (words.length % width !== 0) refuse(`${what}: ${words.length} words are no whole number of rows`);
  return words;
}

/** @throws ShapeError with the first thing that is wrong */
export function checkNat(tables: Tables): void {
  checkNatClauses(tables);
  checkNatStatics(tables);
  checkNatPools(tables.head.nat);
  const { portTimeouts } = tables.head.nat;
  for (let at = 0; at < portTimeouts.length; at += NatPortTimeout.Words) {
    within('NAT port timeout protocol', portTimeouts[at + NatPortTimeout.Protocol], 0, 255);
    within('NAT port timeout port', portTimeouts[at + NatPortTimeout.Port], 0, 65535);
    within('NAT port timeout', portTimeouts[at + NatPortTimeout.Seconds], 0, MaxSeconds);
  }
}

function checkNatClauses({ head, rows }: Tables): void {
  const ports = new Set(head.interfaces.map(({ port }) => port));
  const pools = head.nat.pools.length / NatPool.Words;
  const clauses = rows.natClauses;
  for (let at = 0; at < clauses.length; at += NatClause.Words) {
    const before = at - NatClause.Words;
    within('NAT clause use order', clauses[at + NatClause.Use], at === 0 ? 0 : clauses[before + NatClause.Use], NatUse.Static);
    within('NAT clause rule order', clauses[at + NatClause.Rule], at === 0 ? 0 : clauses[before + NatClause.Rule], NatRuleBase.Mask);
    within('NAT clause permit', clauses[at + NatClause.Permit], 0, 1);
    within('NAT clause one to one', clauses[at + NatClause.OneToOne], 0, 2);
    within('NAT clause pool', clauses[at + NatClause.Pool], 0, pools);
    if (clauses[at + NatClause.AclCount] !== -1)
      checkAclRange('NAT clause', clauses[at + NatClause.AclFirst], clauses[at + NatClause.AclCount], rows.aces);
    if (clauses[at + NatClause.OutPort] !== -1 && !ports.has(clauses[at + NatClause.OutPort]))
      refuse(`NAT clause: no interface has port ${clauses[at + NatClause.OutPort]}`);
    const needsPool = clauses[at + NatClause.Use] === NatUse.OutsideSource || clauses[at + NatClause.Use] === NatUse.InsideDestination;
    if (clauses[at + NatClause.Pool] === 0 && needsPool) refuse('NAT clause: without a pool');
    const needsPort = clauses[at + NatClause.Pool] === 0 && clauses[at + NatClause.Use] === NatUse.InsideSource;
    if (needsPort && !ports.has(clauses[at + NatClause.GlobalPort]))
      refuse(`NAT clause: no interface has port ${clauses[at + NatClause.GlobalPort]}`);
  }
}

function checkNatStatics({ head, rows }: Tables): void {
  const ports = new Set(head.interfaces.map(({ port }) => port));
  const clauses = rows.natClauses.length / NatClause.Words;
  const { statics } = head.nat;
  for (let at = 0; at < statics.length; at += NatStatic.Words) {
    within('NAT static side', statics[at + NatStatic.Side], 0, 1);
    within('NAT static rule', statics[at + NatStatic.Rule], 0, NatRuleBase.Mask);
    within('NAT static protocol', statics[at + NatStatic.Protocol], 0, 255);
    within('NAT static port', statics[at + NatStatic.LocalPort], 0, 65535);
    within('NAT static port', statics[at + NatStatic.GlobalPort], 0, 65535);
    const port = statics[at + NatStatic.AddressOf];
    if (port !== -1 && !ports.has(port)) refuse(`NAT static: no interface has port ${port}`);
    const first = statics[at + NatStatic.ClauseFirst];
    within('NAT static first clause', first, 0, clauses);
    within('NAT static clauses', statics[at + NatStatic.ClauseCount], 0, clauses - first);
  }
}

function checkNatPools({ pools, ranges }: TablesHead['nat']): void {
  for (let at = 0; at < pools.length; at += NatPool.Words) {
    within('NAT pool end', pools[at + NatPool.Last] >>> 0, pools[at + NatPool.First] >>> 0, MaxAddress);
    within('NAT pool type', pools[at + NatPool.Type], 0, NatPoolType.MatchHost);
  }
  for (let at = 0; at < ranges.length; at += NatRange.Words) {
    const least = at === 0 ? 0 : (ranges[at - NatRange.Words + NatRange.Last] >>> 0) + 1;
    within('NAT range order', ranges[at + NatRange.First] >>> 0, least, MaxAddress);
    within('NAT range end', ranges[at + NatRange.Last] >>> 0, ranges[at + NatRange.First] >>> 0, MaxAddress);
    within('NAT range flags', ranges[at + NatRange.Flags], 0, 3);
  }
}
