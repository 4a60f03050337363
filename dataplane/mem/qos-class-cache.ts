// Which class the packets of a flow were of last, so that a policy with many classes costs a comparison and not a walk through its tests. A place is found by a
// hash and holds everything that tests can ask; it is forgotten when tables change, because lists may have.
//
//   word  0 use + 1   1 src   2 dst   3 sport   4 dport   5 protocol | ToS << 8 | group << 16   6 facts   7 length, 0 = nobody asks   8 class

import { QosKey } from '../proto/qos-classes.js';

const enum Shape {
  /** A power of two: 64 KB. */
  Places = 1024,
  /** A cache line. */
  Words = 16,
}

const enum Word {
  Use = 0,
  Src = 1,
  Dst = 2,
  SrcPort = 3,
  DstPort = 4,
  Header = 5,
  Facts = 6,
  Length = 7,
  Class = 8,
}

export class ClassCache {
  private readonly words = new Int32Array(Shape.Places * Shape.Words);
  /** Some class asks for the length. */
  asksLength = false;

  forget(): void {
    this.words.fill(0);
  }

  /** @param hash of the flow @param key QosKey @param use where it is classified @returns first word of its place, negated and less one when what stands there is another */
  find(hash: number, key: Int32Array, use: number): number {
    const { words } = this;
    const at = (hash & (Shape.Places - 1)) * Shape.Words;
    const isIt =
      words[at + Word.Use] === use + 1 &&
      words[at + Word.Src] === key[QosKey.Src] &&
      words[at + Word.Dst] === key[QosKey.Dst] &&
      words[at + Word.SrcPort] === key[QosKey.SrcPort] &&
      words[at + Word.DstPort] === key[QosKey.DstPort] &&
      words[at + Word.Header] === headerOf(key) &&
      words[at + Word.Facts] === key[QosKey.Facts] &&
      (!this.asksLength || words[at + Word.Length] === key[QosKey.Length]);
    return isIt ? at : ~at;
  }

  classAt(at: number): number {
    return this.words[at + Word.Class];
  }

  /** @param at first word of the place */
  write(at: number, key: Int32Array, use: number, index: number): void {
    const { words } = this;
    words[at + Word.Use] = use + 1;
    words[at + Word.Src] = key[QosKey.Src];
    words[at + Word.Dst] = key[QosKey.Dst];
    words[at + Word.SrcPort] = key[QosKey.SrcPort];
    words[at + Word.DstPort] = key[QosKey.DstPort];
    words[at + Word.Header] = headerOf(key);
    words[at + Word.Facts] = key[QosKey.Facts];
    words[at + Word.Length] = key[QosKey.Length];
    words[at + Word.Class] = index;
  }
}

function headerOf(key: Int32Array): number {
  return key[QosKey.Protocol] | (key[QosKey.Tos] << 8) | (key[QosKey.Group] << 16);
}
