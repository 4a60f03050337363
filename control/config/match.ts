// Matching one line against a command tree. Does abbreviations, `no` and options in any order; does not run anything.
// A word picks, in this order: the keyword it spells, the one keyword it abbreviates, the argument that takes it.

import type { Word } from './arguments.js';
import { type Action, Args, type Node } from './tree.js';

/** How a line does not fit. `matched` words did; `committed` says that the line is surely meant for this tree. */
export type Mismatch<C> = { matched: number; committed: boolean } & (
  | { kind: 'invalid'; word: Word; expected: Node<C>[] }
  | { kind: 'incomplete'; expected: Node<C>[] }
  | { kind: 'ambiguous'; word: Word; candidates: string[] }
  | { kind: 'refused'; message: string; hint: string | null }
);

export type MatchResult<C> = { kind: 'match'; action: Action<C>; args: Args } | Mismatch<C>;

type Step<C> = { node: Node<C>; used: number } | { candidates: string[] } | null;

function pickNode<C>(nodes: Node<C>[], words: readonly Word[], index: number, line: string, args: Args): Step<C> {
  const text = words[index].text.toLowerCase();
  let prefixed: Node<C>[] = [];
  for (const node of nodes) {
    if (node.words === null) continue;
    if (node.words.includes(text)) return { node, used: 1 };
    if (node.words.some((spelling) => spelling.startsWith(text))) prefixed.push(node);
  }
  // `crypto key`: what we refuse must not make an abbreviation of what we have ambiguous.
  if (prefixed.length > 1) {
    const offered = prefixed.filter((node) => node.refuse === null);
    if (offered.length > 0) prefixed = offered;
  }
  if (prefixed.length === 1) return { node: prefixed[0], used: 1 };
  if (prefixed.length > 1) return { candidates: prefixed.map((node) => node.words![0]) };
  for (const node of nodes) {
    const read = node.argument?.type.read(words, index, line);
    if (!read) continue;
    args.set(node.argument!.name, read.value);
    return { node, used: read.used };
  }
  return null;
}

/** The place in the tree that a line's words lead to. */
export interface Position<C> {
  kind: 'position';
  args: Args;
  committed: boolean;
  /** The node of the last word; null at the root. */
  last: Node<C> | null;
  /** What `no` does here, if the line is negated and may end here. */
  negation: Action<C> | null;
  negated: boolean;
  next: Node<C>[];
}

/**
 * Follows words from the root.
 * @param roots where the mode's commands begin @param words of the line, `no` included @param line the text they come from
 * @param allowNo false for exec commands
 */
export function walkLine<C>(roots: Node<C>[], words: readonly Word[], line: string, allowNo: boolean): Position<C> | Mismatch<C> {
  const negated = allowNo && words[0]?.text.toLowerCase() === 'no';
  const args = new Args();
  const used = new Set<Node<C>>();
  let nodes = roots;
  let committed = false;
  let negation: Action<C> | null = null;
  let last: Node<C> | null = null;
  let index = negated ? 1 : 0;
  while (index < words.length) {
    const step = pickNode(nodes, words, index, line, args);
    if (step === null) return { kind: 'invalid', matched: index, committed, word: words[index], expected: nodes };
    if ('candidates' in step) return { kind: 'ambiguous', matched: index, committed, word: words[index], candidates: step.candidates };
    // `no` of something that we never take: as unknown as the thing itself is absent.
    if (step.node.refuse && negated) return { kind: 'invalid', matched: index, committed: false, word: words[index], expected: nodes };
    last = step.node;
    index += step.used;
    committed ||= last.commit;
    if (last.refuse) return { kind: 'refused', matched: index, committed: true, ...last.refuse };
    if (last.set) args.set(last.set[0], last.set[1]);
    negation = last.no ?? negation;
    if (last.once) used.add(last);
    nodes = used.size > 0 ? last.next().filter((node) => !used.has(node)) : last.next();
  }
  return { kind: 'position', args, committed, last, negation, negated, next: nodes };
}

/** Follows a whole line to the action at its end. Parameters as `walkLine`. */
export function matchLine<C>(roots: Node<C>[], words: readonly Word[], line: string, allowNo: boolean): MatchResult<C> {
  const result = walkLine(roots, words, line, allowNo);
  if (result.kind !== 'position') return result;
  const action = result.negated ? result.negation : (result.last?.run ?? null);
  if (action) return { kind: 'match', action, args: result.args };
  return { kind: 'incomplete', matched: words.length, committed: result.committed, expected: result.next };
}
