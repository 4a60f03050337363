// Numbers that must stay put while tables come and go: port ids, group indexes, SA slots. Seeded from the dataplane's snapshot
// after a restart of control, so that a running SA keeps its slot, its replay windows and its counters.

import { createHash } from 'node:crypto';
import { Cap } from '../../dataplane/tables/layout.js';
import type { SnapshotHead } from '../../dataplane/tables/message.js';
import type { SaMaterial } from './rows.js';

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

/**
 * Numbers of hit counters. An entry keeps its own as long as it is in a list, wherever its rows go; one that is gone does not give its number to the
 * next one at once, so that whoever looks at counters late does not see another's.
 */
export class HitCounters {
  private byKey = new Map<string, number>();
  private kept = new Map<string, number>();
  private readonly used = new Set<number>();
  private next = 0;
  /** What `clear access-list counters` has taken off, by number. */
  private readonly cleared = new Map<number, number>();

  /** Before the entries of one compilation. */
  begin(): void {
    this.kept = new Map();
  }

  take(key: string): number {
    const known = this.kept.get(key) ?? this.byKey.get(key) ?? this.takeFree();
    this.kept.set(key, known);
    return known;
  }

  /** Behind them: what was not taken again is free. @param keep false: the compilation failed, the tables before stay in force */
  end(keep: boolean): void {
    const [current, other] = keep ? [this.kept, this.byKey] : [this.byKey, this.kept];
    const live = new Set(current.values());
    for (const number of other.values()) if (!live.has(number)) this.used.delete(number);
    this.byKey = current;
  }

  /** Counts from now on. @param hits as the dataplane has them */
  clear(numbers: Iterable<number>, hits: readonly number[]): void {
    for (const number of numbers) this.cleared.set(number, hits[number] ?? 0);
  }

  /** @returns what there is to show. A counter below what was taken off has begun anew */
  shown(hits: readonly number[]): number[] {
    return hits.map((count, number) => {
      const less = this.cleared.get(number) ?? 0;
      return count >= less ? count - less : count;
    });
  }

  /** Of a dataplane that was started. */
  forgetCleared(): void {
    this.cleared.clear();
  }

  private takeFree(): number {
    for (let tried = 0; tried < Cap.AceCounters; tried++) {
      const number = this.next;
      this.next = (this.next + 1) % Cap.AceCounters;
      if (this.used.has(number)) continue;
      this.used.add(number);
      this.cleared.delete(number);
      return number;
    }
    throw new CapacityError(`more than ${Cap.AceCounters} access list entries`);
  }
}

export class Allocation {
  readonly hits = new HitCounters();
  readonly ports = new IndexPool(Cap.Ports, 'interfaces');
  readonly groups = new IndexPool(16, 'groups');
  /** Flows between gateways. */
  readonly flows = new IndexPool(4096, 'flows');
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
export function serialOf(sa: Omit<SaMaterial, 'encryption' | 'authentication'>): number {
  const digest = createHash('sha256').update(String(sa.spi)).update(sa.encryptionKey).update(sa.salt).update(sa.integrityKey).digest();
  return digest.readUInt32BE(0) & 0x7fffffff || 1;
}
