// The known command that is nearest to an unknown line: a word that is spelt nearly so, or the mode that has the command.

import { splitWords } from './lexer.js';
import { type MatchResult, matchLine } from './match.js';
import { modeCommands } from './modes.js';
import { maskSecrets } from './secrets.js';
import type { Edit, Frame, ModeName } from './session.js';
import type { Node } from './tree.js';

/** Letters to change, add, take away or exchange with their neighbour (optimal string alignment). @param most more than that is not told apart */
export function editDistance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let [before, above] = [[] as number[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      row[j] = Math.min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j], before[j - 2] + 1);
    }
    [before, above] = [above, row];
  }
  return Math.min(above[b.length], most + 1);
}

type AnyNode = Node<Edit<ModeName>>;

/** The keyword that a word was most likely meant to be: a third of its letters may be wrong. */
function nearestKeyword(text: string, nodes: readonly AnyNode[]): string | null {
  const most = Math.max(1, Math.floor(text.length / 3));
  let best: string | null = null;
  let distance = most + 1;
  for (const node of nodes) {
    if (node.hidden) continue;
    for (const word of node.words ?? []) {
      const here = editDistance(text.toLowerCase(), word, distance);
      if (here < distance) [best, distance] = [word, here];
    }
  }
  return best;
}

/** What may stand where the line ceases to be known, as far as its words are. */
function spelling(result: MatchResult<Edit<ModeName>>, words: readonly { text: string }[]): string | null {
  if (result.kind !== 'invalid') return null;
  const known = words.slice(0, result.matched).map((word) => word.text);
  const keyword = nearestKeyword(words[result.matched].text, result.expected);
  if (keyword !== null) return `nearest known command: ${maskSecrets([...known, keyword].join(' '))}`;
  const isNegated = known[0]?.toLowerCase() === 'no';
  if (known.length === (isNegated ? 1 : 0)) return null;
  const shown = result.expected.filter((node) => !node.hidden && node.words !== null).map((node) => node.words![0]);
  return shown.length === 0
    ? null
    : `known after ${maskSecrets(known.join(' '))}: ${shown.slice(0, 12).join(', ')}${shown.length > 12 ? ', ...' : ''}`;
}

/** @param frames the modes that are open, outermost first @param text an unknown line @returns a hint; null when nothing comes near */
export function nearestCommand(frames: readonly Frame[], text: string): string | null {
  const words = splitWords(text);
  const open = frames.map(({ mode }) => mode);
  const inner = open.map((mode) => matchLine(modeCommands[mode] as AnyNode[], words, text, true)).reverse();
  const spelt = inner.map((result) => ({ result, hint: spelling(result, words) })).filter(({ hint }) => hint !== null);
  const best = spelt.sort((a, b) => matchedOf(b.result) - matchedOf(a.result))[0];
  if (best && matchedOf(best.result) > 0) return best.hint;
  const elsewhere = (Object.keys(modeCommands) as ModeName[]).find(
    (mode) => !open.includes(mode) && matchLine(modeCommands[mode] as AnyNode[], words, text, true).kind === 'match',
  );
  return elsewhere === undefined ? (best?.hint ?? null) : `a command of ${elsewhere} mode`;
}

function matchedOf(result: MatchResult<Edit<ModeName>>): number {
  return result.kind === 'match' ? 0 : result.matched;
}
