// The exchanges of one engine by key, and which of them is due next. Whatever is looked up may change its deadline, so it is queued anew
// before the next question; nobody has to say so, and nothing is asked of the thousands that were not touched.

import type { Ms } from '../actions.js';
import { Deadlines } from '../deadlines.js';

export class ExchangeTable<T> {
  private readonly exchanges = new Map<string, T>();
  private readonly touched = new Set<T>();
  private readonly deadlines = new Deadlines<T>();

  /** @param dueTime when tick() has something to do for an exchange */
  constructor(private readonly dueTime: (exchange: T) => Ms) {}

  get(key: string): T | undefined {
    const exchange = this.exchanges.get(key);
    if (exchange !== undefined) this.touched.add(exchange);
    return exchange;
  }

  set(key: string, exchange: T): void {
    this.delete(key);
    this.exchanges.set(key, exchange);
    this.touched.add(exchange);
  }

  delete(key: string): void {
    const exchange = this.exchanges.get(key);
    if (exchange === undefined) return;
    this.exchanges.delete(key);
    this.touched.delete(exchange);
    this.deadlines.delete(exchange);
  }

  /** In order of arrival. */
  values(): MapIterator<T> {
    return this.exchanges.values();
  }

  /** The earliest deadline, or earlier: an exchange whose deadline moved away is noticed when the old one comes. null = none */
  nextDue(): Ms | null {
    this.queueTouched();
    return this.deadlines.next();
  }

  /** Those that are due, the earliest first, each once. They stay in the table. */
  takeDue(now: Ms): T[] {
    this.queueTouched();
    const due: T[] = [];
    for (let exchange = this.deadlines.take(now); exchange !== null; exchange = this.deadlines.take(now)) {
      this.touched.add(exchange);
      if (this.dueTime(exchange) <= now) due.push(exchange);
    }
    return due;
  }

  private queueTouched(): void {
    for (const exchange of this.touched) this.deadlines.set(exchange, this.dueTime(exchange));
    this.touched.clear();
  }
}
