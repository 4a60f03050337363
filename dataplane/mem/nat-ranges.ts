// The addresses that are none of an interface's own and that NAT answers for, as NatRange rows have them: ascending, so found by bisection.

import { NatRange } from '../tables/layout.js';
import { BankCount } from './shared.js';
import type { Tables } from './tables.js';

/** @returns word of the range that has the address, -1 = none */
export function findNatRange({ natRanges, counts }: Tables, address: number): number {
  const wanted = address >>> 0;
  let low = 0;
  let high = counts[BankCount.NatRanges] - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const at = middle * NatRange.Words;
    if (wanted < natRanges[at + NatRange.First] >>> 0) high = middle - 1;
    else if (wanted > natRanges[at + NatRange.Last] >>> 0) low = middle + 1;
    else return at;
  }
  return -1;
}
