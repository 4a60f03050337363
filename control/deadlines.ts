// Which of many things is due next: a binary heap of deadlines. With thousands of exchanges the next one is found without looking at the
// others. A deadline may move: an earlier one is queued again, a later one is noticed when the old one comes up. Pure: no clock, no timers.

import type { Ms } from './actions.js';

interface Entry<T> {
  at: Ms;
  /** Of equal times the one that was set first comes first. */
  order: number;
  item: T;
}

function before<T>(a: Entry<T>, b: Entry<T>): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

export class Deadlines<T> {
  /** entries[i] is before entries[2i+1] and entries[2i+2]. */
  private readonly entries: Entry<T>[] = [];
  /** The entry of an item that counts; others of it are left in the heap until they come up. */
  private readonly current = new Map<T, Entry<T>>();
  private order = 0;

  /** @returns how many items have a deadline */
  get size(): number {
    return this.current.size;
  }

  /** At the latest at `at`. A later time than before is not noted: the item comes up early and is queued again by whoever takes it. */
  set(item: T, at: Ms): void {
    const known = this.current.get(item);
    if (known && known.at <= at) return;
    const entry = { at, order: this.order++, item };
    this.current.set(item, entry);
    this.push(entry);
  }

  delete(item: T): void {
    this.current.delete(item);
  }

  /** The first deadline; null when there is none. */
  next(): Ms | null {
    this.dropStale();
    return this.entries.length > 0 ? this.entries[0].at : null;
  }

  /** Removes one item whose deadline has come and returns it, the earliest first; null when none is due. */
  take(now: Ms): T | null {
    this.dropStale();
    if (this.entries.length === 0 || this.entries[0].at > now) return null;
    const { item } = this.pop();
    this.current.delete(item);
    return item;
  }

  private dropStale(): void {
    while (this.entries.length > 0 && this.current.get(this.entries[0].item) !== this.entries[0]) this.pop();
  }

  private push(entry: Entry<T>): void {
    const { entries } = this;
    let at = entries.length;
    entries.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (before(entries[parent], entry)) break;
      entries[at] = entries[parent];
      at = parent;
    }
    entries[at] = entry;
  }

  private pop(): Entry<T> {
    const { entries } = this;
    const first = entries[0];
    const last = entries.pop() as Entry<T>;
    if (entries.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= entries.length) break;
      if (child + 1 < entries.length && before(entries[child + 1], entries[child])) child++;
      if (before(last, entries[child])) break;
      entries[at] = entries[child];
      at = child;
    }
    entries[at] = last;
    return first;
  }
}
