// Which global address and port a new NAT session gets by a clause: the interface's, one of a pool that many share, or one of a pool that a host then has for
// itself. Does not: look whether anything is to be translated, or keep sessions.

import { Drop } from '../counters/declare.js';
import { IpProto } from '../proto/ipv4.js';
import { natHasPorts } from '../proto/nat.js';
import { NatClause, NatPool } from '../tables/layout.js';
import type { NatAddresses } from './nat-addresses.js';
import { NatPools } from './nat-pools.js';
import { findGlobalPort } from './nat-ports.js';
import type { NatRules } from './nat-rules.js';
import type { NatSessions } from './nat-sessions.js';
import { PortRow } from './shared.js';
import type { Tables } from './tables.js';

const enum Limit {
  /** Ports that a new session tries: where nearly all are taken, a search through all would hold up everybody else. */
  PortTries = 4096,
  /** Addresses of a pool: the host's own, and others when that is full, for which fewer ports are tried. */
  PoolTries = 16,
  FurtherPortTries = 256,
}

export class NatChoice {
  /** What was chosen last; `lent`: row of the address that the host now has for itself, -1 = it has none. */
  address = 0;
  port = 0;
  lent = -1;
  private readonly pools: NatPools;

  /** @param globals addresses that inside hosts have for themselves */
  constructor(
    private readonly tables: Tables,
    private readonly rules: NatRules,
    private readonly sessions: NatSessions,
    private readonly globals: NatAddresses,
    private readonly workers: number,
    private readonly workerIndex: number,
  ) {
    this.pools = new NatPools(tables, workers, workerIndex);
  }

  /** The next server of a rotary. @param pool its number */
  nextServer(pool: number): number {
    return this.pools.nextServer(pool);
  }

  /** The global address and port of an inside host by a clause. @returns 0 or the reason to drop */
  choose(clause: number, protocol: number, host: number, near: number, outside: number, outsidePort: number): number {
    const { natClauses, natPools, ports } = this.tables;
    const pool = natClauses[clause + NatClause.Pool] - 1;
    if (pool < 0) {
      const global = ports[natClauses[clause + NatClause.GlobalPort] * PortRow.Words + PortRow.Address];
      return global !== 0 && this.choosePort(protocol, global, near, outside, outsidePort, Limit.PortTries) ? 0 : Drop.NatNoPort;
    }
    const oneToOne = natClauses[clause + NatClause.OneToOne];
    if (oneToOne !== 0) {
      this.port = near;
      return this.lend(this.globals, pool, host, oneToOne === 2 ? natClauses[clause + NatClause.Rule] + 1 : 0);
    }
    const first = natPools[pool * NatPool.Words + NatPool.First];
    const count = this.pools.sizeOf(pool);
    // RFC 4787 REQ-2: a host keeps to one address, as long as that has ports.
    const begin = (Math.imul(host, 0x9e3779b1) >>> 8) % count;
    for (let i = 0; i < Math.min(count, Limit.PoolTries); i++) {
      const global = (first + ((begin + i) % count)) | 0;
      if (this.choosePort(protocol, global, near, outside, outsidePort, i === 0 ? Limit.PortTries : Limit.FurtherPortTries)) return 0;
    }
    return Drop.NatNoPort;
  }

  private choosePort(protocol: number, global: number, near: number, outside: number, outsidePort: number, tries: number): boolean {
    const { sessions } = this;
    this.address = global;
    this.port = near;
    if (!natHasPorts(protocol) && protocol !== IpProto.Icmp)
      return sessions.findOutside(protocol, global, (near << 16) | outsidePort, outside) < 0;
    const { workers, workerIndex, rules } = this;
    this.port = findGlobalPort(sessions, protocol, global, near, outside, outsidePort, workers, workerIndex, tries, rules);
    return this.port !== 0;
  }

  /** The address of a host that has one for itself: what it has, else a free one of this worker's share of the pool. @returns as choose() */
  lend(table: NatAddresses, pool: number, host: number, openBy: number): number {
    const { natPools } = this.tables;
    const at = pool * NatPool.Words;
    let row = table.findHost(host, natPools[at + NatPool.First], natPools[at + NatPool.Last]);
    if (row < 0) {
      const address = this.pools.findFree(table, pool, host);
      row = address === 0 ? -1 : table.add(host, address, openBy);
      if (row < 0) return Drop.NatNoAddress;
    }
    this.address = table.addressOf(row);
    this.lent = row;
    return 0;
  }
}
