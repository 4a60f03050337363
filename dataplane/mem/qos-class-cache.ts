// Which class the packets of a flow were of last, so that a policy with many classes costs a comparison and not a walk through its tests. Two places are
// found by a hash, and a place holds everything that tests can ask: a few hundred flows at once find theirs. Forgotten when tables change, because lists may have.
//
//   word  0 use + 1   1 src   2 dst   3 sport   4 dport   5 protocol | ToS << 8 | group << 16   6 facts   7 length, 0 = nobody asks   8 class

import { QosKey } from '../proto/qos-classes.js';

const enum Shape {
  /** A power of two: 128 KB in all. */
  Pairs = 1024,
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
  private readonly words = new Int32Array(Shape.Pairs * 2 * Shape.Words);
  /** Some class asks for the length. */
  asksLength = false;

  forget(): void {
    this.words.fill(0);
  }

  /** @param hash of the flow @param key QosKey @param use where it is classified @returns the class, -1 = not known */
  find(hash: number, key: Int32Array, use: number): number {
    const { words } = this;
    const at = (hash & (Shape.Pairs - 1)) * 2 * Shape.Words;
    if (this.isAt(at, key, use)) return words[at + Word.Class];
    return this.isAt(at + Shape.Words, key, use) ? words[at + Shape.Words + Word.Class] : -1;
  }

  private isAt(at: number, key: Int32Array, use: number): boolean {
    const { words } = this;
    return (
      words[at + Word.Use] === use + 1 &&
      words[at + Word.SrcPort] === key[QosKey.SrcPort] &&
      words[at + Word.Src] === key[QosKey.Src] &&
      words[at + Word.Dst] === key[QosKey.Dst] &&
      words[at + Word.DstPort] === key[QosKey.DstPort] &&
      words[at + Word.Header] === headerOf(key) &&
      words[at + Word.Facts] === key[QosKey.Facts] &&
      (!this.asksLength || words[at + Word.Length] === key[QosKey.Length])
    );
  }

  /** Notes the class of what find() did not know; the older one of the pair goes. */
  write(hash: number, key: Int32Array, use: number, index: number): void {
    const { words } = this;
    const at = (hash & (Shape.Pairs - 1)) * 2 * Shape.Words;
    words.copyWithin(at + Shape.Words, at, at + Shape.Words);
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
