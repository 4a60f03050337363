// Hand-over between workers in a trace: who would get the packet is noted, no ring is touched.

import { HandOver } from '../mem/hand-over.js';
import type { RingReader } from '../mem/ring.js';

export class ForeseenHandOver extends HandOver {
  /** There is nobody to take from. */
  override readonly readers: RingReader[] = [];
  /** Worker that the packet was given to, -1 = it stays. */
  givenTo = -1;
  /** What is told of each packet that is given away. */
  noted: (id: number) => void = () => undefined;

  override give(id: number, to: number): boolean {
    this.givenTo = to;
    this.noted(id);
    return true;
  }

  override announce(): void {}
}
