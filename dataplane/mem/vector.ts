// A vector: the ids of the packets that wait for one stage. It holds as many as there are slots, so a push cannot overflow:
// an id is in one vector at a time.

import { SlotShape } from './slots.js';

export class Vector {
  readonly ids = new Int32Array(SlotShape.Count);
  length = 0;

  push(id: number): void {
    this.ids[this.length++] = id;
  }

  clear(): void {
    this.length = 0;
  }
}
