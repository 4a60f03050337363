// Who is reached on which Ethernet port: the bank's neighbour rows as an open-addressing map, filled at adoption and only read while
// packets pass. What is not in it goes by the port's TUN, and the kernel's address resolution then brings the row.

import { type Bank, BankCount, MaxNeighbours, NeighbourRow } from './shared.js';

const enum Shape {
  /** Twice the rows, so that a miss is found soon. */
  Places = 8192,
}

function placeOf(port: number, address: number): number {
  const hash = Math.imul(address ^ (port << 24), 0x9e3779b1);
  return (hash ^ (hash >>> 15)) & (Shape.Places - 1);
}

export class Neighbours {
  readonly rows = new Int32Array(MaxNeighbours * NeighbourRow.Words);
  /** First word of a row, -1 = free. */
  private readonly places = new Int32Array(Shape.Places).fill(-1);
  private count = 0;

  copyFrom(bank: Bank): void {
    const words = bank.counts[BankCount.Neighbours] * NeighbourRow.Words;
    if (words > 0 || this.count > 0) this.places.fill(-1);
    this.count = bank.counts[BankCount.Neighbours];
    this.rows.set(bank.neighbours.subarray(0, words));
    for (let row = 0; row < words; row += NeighbourRow.Words) {
      let place = placeOf(this.rows[row + NeighbourRow.Port], this.rows[row + NeighbourRow.Address]);
      while (this.places[place] >= 0) place = (place + 1) & (Shape.Places - 1);
      this.places[place] = row;
    }
  }

  /** @param address signed @returns first word of the row, -1 = not known */
  find(port: number, address: number): number {
    for (let place = placeOf(port, address); ; place = (place + 1) & (Shape.Places - 1)) {
      const row = this.places[place];
      if (row < 0 || (this.rows[row + NeighbourRow.Address] === address && this.rows[row + NeighbourRow.Port] === port)) return row;
    }
  }
}
