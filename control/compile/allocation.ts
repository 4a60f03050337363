// Numbers that must stay put while tables come and go: port ids, group indexes, SA slots. Seeded from the dataplane's snapshot
// after a restart of control, so that a running SA keeps its slot, its replay windows and its counters.

import { createHash } from 'node:crypto';
import { Cap } from '../../dataplane/tables/layout.js';
import type { SnapshotHead } from '../../dataplane/tables/message.js';
import type { Tek } from '../gdoi/group-policy.js';

export class CapacityError extends Error {}

/** Hands out the lowest free index for a key and remembers it. */
class IndexPool {
  private readonly byKey = new Map<string, number>();

  constructor(
    private readonly capacity: number,
    private readonly what: string,
  ) {}

  take(key: string): number {
    const known = this.byKey.get(key);
    if (known !== undefined) return known;
    const used = new Set(this.byKey.values());
    for (let index = 0; index < this.capacity; index++) {
      if (!used.has(index)) {
        this.byKey.set(key, index);
        return index;
      }
    }
    throw new CapacityError(`more than ${this.capacity} ${this.what}`);
  }

  seed(key: string, index: number): void {
    this.byKey.set(key, index);
  }

  /** Frees every index whose key is not in `keys`. */
  keep(keys: ReadonlySet<string>): void {
    for (const key of this.byKey.keys()) if (!keys.has(key)) this.byKey.delete(key);
  }

  entries(): IterableIterator<[string, number]> {
    return this.byKey.entries();
  }
}

export class Allocation {
  readonly ports = new IndexPool(Cap.Ports, 'interfaces');
  readonly groups = new IndexPool(16, 'groups');
  /** Key: the SA's serial. */
  readonly sas = new IndexPool(Cap.Sas, 'SAs');

  /** Takes over what a running dataplane already uses. */
  seed(snapshot: SnapshotHead): void {
    for (const { port, name } of snapshot.interfaces) this.ports.seed(name, port);
    for (const { slot, serial } of snapshot.sas) this.sas.seed(String(serial), slot);
  }
}

/**
 * Serial of an SA: a digest of SPI and keys, so that the same SA has the same serial after control restarts, and a reused SPI with
 * other keys has another. @returns 1 .. 2^31 - 1
 */
export function serialOf(tek: Tek): number {
  const digest = createHash('sha256').update(String(tek.spi)).update(tek.encryptionKey).update(tek.salt).update(tek.integrityKey).digest();
  return digest.readUInt32BE(0) & 0x7fffffff || 1;
}
