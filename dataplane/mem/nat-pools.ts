// Which address of a pool comes next (`ip nat pool`). Of one worker. Does not: remember who has which (nat-addresses.ts).

import { Cap, NatPool, NatPoolType } from '../tables/layout.js';
import type { NatAddresses } from './nat-addresses.js';
import type { Tables } from './tables.js';

/** Addresses that are looked at for one that nobody has. */
const AddressTries = 2048;

export class NatPools {
  /** By pool: where the next search begins. */
  private readonly rovers = new Int32Array(Cap.NatPools);

  constructor(
    private readonly tables: Tables,
    private readonly workers: number,
    private readonly workerIndex: number,
  ) {}

  sizeOf(pool: number): number {
    const { natPools } = this.tables;
    const at = pool * NatPool.Words;
    return (natPools[at + NatPool.Last] >>> 0) - (natPools[at + NatPool.First] >>> 0) + 1;
  }

  /** An address of this worker's share that nobody has. @returns 0 = none */
  findFree(table: NatAddresses, pool: number, host: number): number {
    const { natPools } = this.tables;
    const at = pool * NatPool.Words;
    const first = natPools[at + NatPool.First];
    const count = this.sizeOf(pool);
    if (natPools[at + NatPool.Type] === NatPoolType.MatchHost) {
      const bits = natPools[at + NatPool.HostBits];
      const address = (first & ~bits) | (host & bits);
      const isIn = address >>> 0 >= first >>> 0 && address >>> 0 <= natPools[at + NatPool.Last] >>> 0;
      return isIn && table.findAddress(address) < 0 ? address : 0;
    }
    const { workers, workerIndex, rovers } = this;
    const places = Math.floor((count - 1 - workerIndex) / workers) + 1;
    for (let i = 0; i < Math.min(places, AddressTries); i++) {
      if (rovers[pool] >= places) rovers[pool] = 0;
      const address = (first + workerIndex + rovers[pool]++ * workers) | 0;
      if (table.findAddress(address) < 0) return address;
    }
    return 0;
  }

  /** Round robin. */
  nextServer(pool: number): number {
    const { natPools } = this.tables;
    const { rovers } = this;
    if (rovers[pool] >= this.sizeOf(pool)) rovers[pool] = 0;
    return (natPools[pool * NatPool.Words + NatPool.First] + rovers[pool]++) | 0;
  }
}
