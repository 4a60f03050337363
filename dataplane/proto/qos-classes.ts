// Which class of a policy a packet is of. A policy is compiled (control/compile/qos-tests.ts) into one chain of tests, each of which says where to go
// on, so `match-any`, `match-all`, `not`, class-maps in class-maps and first match over classes are all the same loop. Does not: read packets: the key
// says what the packet is, or what it was before it was encapsulated (`qos pre-classify`).

import { Ace, AceAction } from '../tables/layout.js';
import { QosTest, QosTestKind } from '../tables/layout-qos.js';
import { classify } from './classifier.js';

/** Words of a packet's key. */
export const enum QosKey {
  /** Signed. */
  Src = 0,
  Dst = 1,
  Protocol = 2,
  /** 0..65535, or Port of l4.ts. */
  SrcPort = 3,
  DstPort = 4,
  /** readFacts() of acl.ts. */
  Facts = 5,
  Tos = 6,
  /** Bytes of the datagram. */
  Length = 7,
  /** qos-group, 0 = none was set. */
  Group = 8,
  Words = 9,
}

/**
 * @param tests rows of QosTest @param lists the compiled list of each test of kind List @param aces, words as for classify()
 * @param start QosUse.Start, QosClass.ChildStart @returns row of the class
 */
export function classOf(tests: Int32Array, lists: Int32Array, aces: Int32Array, words: Int32Array, start: number, key: Int32Array): number {
  let at = start;
  while (at >= 0) {
    const row = at * QosTest.Words;
    const isTrue = tests[row + QosTest.Kind] === QosTestKind.List ? permits(aces, words, lists[at], key) : holds(tests, row, key);
    at = tests[row + (isTrue ? QosTest.True : QosTest.False)];
  }
  return ~at;
}

function permits(aces: Int32Array, words: Int32Array, list: number, key: Int32Array): boolean {
  const ace = classify(
    aces,
    words,
    list,
    key[QosKey.Protocol],
    key[QosKey.Src],
    key[QosKey.Dst],
    key[QosKey.SrcPort],
    key[QosKey.DstPort],
    key[QosKey.Facts],
  );
  return ace >= 0 && aces[ace * Ace.Words + Ace.Action] === AceAction.Permit;
}

function holds(tests: Int32Array, row: number, key: Int32Array): boolean {
  const a = tests[row + QosTest.A];
  const b = tests[row + QosTest.B];
  const kind = tests[row + QosTest.Kind];
  if (kind === QosTestKind.Dscp) {
    const dscp = key[QosKey.Tos] >>> 2;
    return (((dscp < 32 ? a : b) >>> (dscp & 31)) & 1) !== 0;
  }
  if (kind === QosTestKind.Length) return key[QosKey.Length] >= a && key[QosKey.Length] <= b;
  if (kind === QosTestKind.Group) return key[QosKey.Group] === a;
  return (a < 0 || key[QosKey.Protocol] === a) && (b < 0 || key[QosKey.SrcPort] === b || key[QosKey.DstPort] === b);
}
