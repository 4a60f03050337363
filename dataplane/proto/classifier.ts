// First match in a long access list at the price of a short one. A list is compiled (classifier-build.ts) into a few decision trees; a node
// takes some bits of one field and has a child for each of their values; a leaf names the few rows that are left, in order, and
// these are compared as matchAcl does. Every row is in one tree, under each value it could match; trees stand in order of their first rows,
// so that a match ends the search early. All of it is one array of words, of both banks (mem/shared.ts):
//
//   list   first row | rows | 1: no trees, walk | 1: asks for facts | MaxTrees + 1 pairs (first row of the tree, its root), and as many for packets without ports
//   word   >= 0: field (3 bits) | shift (5) | bits - 1 (3) | word of child 0 (20)        < 0: ~(word of a leaf)
//   leaf   row | row | ... | LastRow
//
// Measured: pairs of sites 22 ns for 1,000 rows as for 4,096, a list of a firewall 15 ns for 10 rows and 30 for 1,000; walking 1,000 takes microseconds. Not
// taken: tuple space search, which is one hash for each combination of prefix lengths, and a firewall has dozens.

import { Ace } from '../tables/layout.js';
import { matchAcl, matchesAce } from './acl.js';

export const enum AclList {
  First = 0,
  Count = 1,
  Walk = 2,
  /** Some row asks for more than addresses and ports: without it nobody has to read the packet's facts (acl.ts). */
  AsksFacts = 3,
  WithPorts = 4,
  WithoutPorts = 14,
  Words = 24,
}
export const MaxTrees = 4;

/** What a node looks at. */
export const enum AclField {
  Src = 0,
  Dst = 1,
  Protocol = 2,
  SrcPort = 3,
  DstPort = 4,
}

/** A node's word. */
export const enum AclNode {
  FieldShift = 28,
  ShiftShift = 23,
  BitsShift = 20,
  ChildMask = 0xfffff,
}

/** Ends a leaf and a list of trees: larger than any row. */
export const LastRow = 0x7fffffff;

/** The packet by {@link AclField}: a store and a load cost less than a branch that is not foreseen. */
const key = new Int32Array(5);

/**
 * What matchAcl would say. @param aces the worker's rows @param words of both banks @param list a value of the columns entryLists, saLists
 * @param src signed 32-bit @param dst signed 32-bit @param sport 0..65535 or Port @param dport likewise
 * @param facts readFacts() of acl.ts; any number when the list does not ask for them
 * @returns index of the row that matched, or -1 (the implicit deny at the end)
 */
export function classify(
  aces: Int32Array,
  words: Int32Array,
  list: number,
  protocol: number,
  src: number,
  dst: number,
  sport: number,
  dport: number,
  facts: number,
): number {
  if (words[list + AclList.Walk] !== 0) {
    return matchAcl(aces, words[list + AclList.First], words[list + AclList.Count], protocol, src, dst, sport, dport, facts);
  }
  key[AclField.Src] = src;
  key[AclField.Dst] = dst;
  key[AclField.Protocol] = protocol;
  key[AclField.SrcPort] = sport;
  key[AclField.DstPort] = dport;
  let best = LastRow;
  for (let tree = list + (sport >= 0 ? AclList.WithPorts : AclList.WithoutPorts); words[tree] < best; tree += 2) {
    let node = words[tree + 1];
    while (node >= 0) {
      const value = key[node >>> AclNode.FieldShift] >>> ((node >>> AclNode.ShiftShift) & 31);
      node = words[(node & AclNode.ChildMask) + (value & ((2 << ((node >>> AclNode.BitsShift) & 7)) - 1))];
    }
    for (let at = ~node; words[at] < best; at++) {
      const row = words[at];
      if (matchesAce(aces, row * Ace.Words, protocol, src, dst, sport, dport, facts)) best = row;
    }
  }
  return best === LastRow ? -1 : best;
}
