// How many sessions each inside host has, kept only while `ip nat translation max-entries all-host|host` asks. Of one worker, which has all
// sessions of a host. A host that finds no room here is not limited: there are 65,536 places.

import { Cap, NatLimit, NatRow } from '../tables/layout.js';
import type { NatSessions } from './nat-sessions.js';
import { BankCount } from './shared.js';
import type { Tables } from './tables.js';

const enum Place {
  Host = 0,
  Count = 1,
  Next = 2,
  Words = 3,
}

const enum Shape {
  Heads = 4096,
  Places = 65536,
}

function headOf(host: number): number {
  const hash = Math.imul(host, 0x9e3779b1);
  return (hash ^ (hash >>> 15)) & (Shape.Heads - 1);
}

export class NatHosts {
  private readonly places = new Int32Array(Shape.Places * Place.Words);
  /** Place + 1. */
  private readonly heads = new Int32Array(Shape.Heads);
  private free = 0;
  private fresh = 0;
  private counts = false;

  constructor(
    private readonly tables: Tables,
    private readonly sessions: NatSessions,
  ) {}

  /** Tables have changed. Sessions that are there are counted when the first limit comes. */
  adopt(): void {
    const wanted = this.tables.counts[BankCount.NatLimits] > 0;
    if (wanted === this.counts) return;
    this.counts = wanted;
    this.heads.fill(0);
    this.free = 0;
    this.fresh = 0;
    if (!wanted) return;
    const { rows, used } = this.sessions;
    for (let at = 0; at < used * NatRow.Words; at += NatRow.Words)
      if (rows[at + NatRow.Protocol] !== 0 && rows[at + NatRow.Rule] >= 0) this.add(rows[at + NatRow.InsideAddress]);
  }

  /** May the host have one more? */
  hasRoom(host: number): boolean {
    if (!this.counts) return true;
    const place = this.find(host);
    return place < 0 || this.places[place * Place.Words + Place.Count] < this.limitOf(host);
  }

  add(host: number): void {
    if (!this.counts) return;
    const { places } = this;
    let place = this.find(host);
    if (place < 0) {
      place = this.take();
      if (place < 0) return;
      places[place * Place.Words + Place.Host] = host;
      places[place * Place.Words + Place.Count] = 0;
      places[place * Place.Words + Place.Next] = this.heads[headOf(host)];
      this.heads[headOf(host)] = place + 1;
    }
    places[place * Place.Words + Place.Count]++;
  }

  remove(host: number): void {
    if (!this.counts) return;
    const place = this.find(host);
    if (place < 0 || --this.places[place * Place.Words + Place.Count] > 0) return;
    const { places, heads } = this;
    const next = places[place * Place.Words + Place.Next];
    if (heads[headOf(host)] === place + 1) heads[headOf(host)] = next;
    else {
      let before = heads[headOf(host)] - 1;
      while (places[before * Place.Words + Place.Next] !== place + 1) before = places[before * Place.Words + Place.Next] - 1;
      places[before * Place.Words + Place.Next] = next;
    }
    places[place * Place.Words + Place.Next] = this.free;
    this.free = place + 1;
  }

  private take(): number {
    if (this.free > 0) {
      const place = this.free - 1;
      this.free = this.places[place * Place.Words + Place.Next];
      return place;
    }
    return this.fresh < Shape.Places ? this.fresh++ : -1;
  }

  private find(host: number): number {
    let place = this.heads[headOf(host)] - 1;
    while (place >= 0 && this.places[place * Place.Words + Place.Host] !== host) place = this.places[place * Place.Words + Place.Next] - 1;
    return place;
  }

  private limitOf(host: number): number {
    const { natLimits, counts } = this.tables;
    let limit = 0x7fffffff;
    for (let row = 0; row < Math.min(counts[BankCount.NatLimits], Cap.NatLimits); row++) {
      const at = row * NatLimit.Words;
      if (natLimits[at + NatLimit.Host] === host) return natLimits[at + NatLimit.Entries];
      if (natLimits[at + NatLimit.Host] === 0) limit = natLimits[at + NatLimit.Entries];
    }
    return limit;
  }
}
