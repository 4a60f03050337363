// Access lists over ACE rows (tables/layout.ts): first match wins. A packet without ports that should have some (a later
// fragment) meets a row with port criteria as on IOS: a permit row matches on addresses and protocol alone, a deny row does
// not match. So what a permit encrypts is encrypted in all its fragments. A protocol that has no ports never matches such a row.

import { Ace, AceAction } from '../tables/layout.js';
import { Port } from './l4.js';

/** @param at word of the row; the rest as in {@link matchAcl} */
export function matchesAce(
  aces: Int32Array,
  at: number,
  protocol: number,
  src: number,
  dst: number,
  sport: number,
  dport: number,
): boolean {
  if (((src ^ aces[at + Ace.Src]) & aces[at + Ace.SrcCare]) !== 0) return false;
  if (((dst ^ aces[at + Ace.Dst]) & aces[at + Ace.DstCare]) !== 0) return false;
  const wanted = aces[at + Ace.Protocol];
  if (wanted !== -1 && wanted !== protocol) return false;
  const srcLow = aces[at + Ace.SrcPortLow];
  const srcHigh = aces[at + Ace.SrcPortHigh];
  const dstLow = aces[at + Ace.DstPortLow];
  const dstHigh = aces[at + Ace.DstPortHigh];
  if (sport >= 0) return sport >= srcLow && sport <= srcHigh && dport >= dstLow && dport <= dstHigh;
  if (srcLow === 0 && srcHigh === 65535 && dstLow === 0 && dstHigh === 65535) return true;
  return sport !== Port.None && aces[at + Ace.Action] === AceAction.Permit;
}

/**
 * Row by row: what classifier.ts is measured against, and its way with short lists.
 * @param aces rows @param first index of the list's first row @param count rows of the list
 * @param src signed 32-bit @param dst signed 32-bit @param sport 0..65535 or {@link Port} @param dport likewise
 * @returns index of the row that matched, or -1 (the implicit deny at the end)
 */
export function matchAcl(
  aces: Int32Array,
  first: number,
  count: number,
  protocol: number,
  src: number,
  dst: number,
  sport: number,
  dport: number,
): number {
  const end = (first + count) * Ace.Words;
  for (let at = first * Ace.Words; at < end; at += Ace.Words) {
    if (matchesAce(aces, at, protocol, src, dst, sport, dport)) return at / Ace.Words;
  }
  return -1;
}
