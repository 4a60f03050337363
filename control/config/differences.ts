// What differs between two configurations, as `show archive config differences` writes it: lines that are only in the first with `-`,
// those only in the second with `+`, below the lines of the modes around them. Order within a mode counts, as it does on IOS.

import type { Config } from './model.js';
import { printConfig } from './print.js';
import { maskSecrets } from './secrets.js';

interface Line {
  /** With secrets: what is compared. */
  text: string;
  /** Without: what is told. */
  shown: string;
  children: Line[];
}

/** Longest pair of lists that is compared entry by entry: above it (a few thousand lines of one list) entries are looked up. */
const MaxProduct = 4_000_000;

const indentOf = (line: string) => line.length - line.trimStart().length;

function readBlocks(config: Config): Line[] {
  const texts = printConfig(config, { secrets: true }).split('\n');
  const shown = printConfig(config, { secrets: false }).split('\n');
  const roots: Line[] = [];
  const open: { indent: number; children: Line[] }[] = [{ indent: -1, children: roots }];
  for (const [index, text] of texts.entries()) {
    if (text.trim() === '' || text === '!' || text === 'end') continue;
    const indent = indentOf(text);
    while (open[open.length - 1].indent >= indent) open.pop();
    const masked = texts.length === shown.length ? shown[index] : maskSecrets(text);
    const line: Line = { text: text.trim(), shown: masked.trim(), children: [] };
    open[open.length - 1].children.push(line);
    open.push({ indent, children: line.children });
  }
  return roots;
}

/** Pairs of equal lines in order: the longest there are. @returns for each of `a` its place in `b`, or -1 */
function pairUp(a: readonly Line[], b: readonly Line[]): Int32Array {
  const place = new Int32Array(a.length).fill(-1);
  let head = 0;
  while (head < a.length && head < b.length && a[head].text === b[head].text) place[head] = head++;
  let [endA, endB] = [a.length, b.length];
  while (endA > head && endB > head && a[endA - 1].text === b[endB - 1].text) place[--endA] = --endB;
  const [rows, columns] = [endA - head, endB - head];
  if (rows * columns > MaxProduct) {
    const known = new Map(b.slice(head, endB).map(({ text }, index) => [text, head + index]));
    for (let i = head; i < endA; i++) place[i] = known.get(a[i].text) ?? -1;
    return place;
  }
  const width = columns + 1;
  const length = new Int32Array((rows + 1) * width);
  for (let i = rows - 1; i >= 0; i--) {
    for (let j = columns - 1; j >= 0; j--) {
      length[i * width + j] =
        a[head + i].text === b[head + j].text
          ? length[(i + 1) * width + j + 1] + 1
          : Math.max(length[(i + 1) * width + j], length[i * width + j + 1]);
    }
  }
  for (let i = 0, j = 0; i < rows && j < columns; ) {
    if (a[head + i].text === b[head + j].text) place[head + i++] = head + j++;
    else if (length[(i + 1) * width + j] >= length[i * width + j + 1]) i++;
    else j++;
  }
  return place;
}

function writeWhole(line: Line, sign: string, depth: number): string[] {
  return [`${' '.repeat(depth)}${sign}${line.shown}`, ...line.children.flatMap((child) => writeWhole(child, sign, depth + 1))];
}

function compare(a: readonly Line[], b: readonly Line[], depth: number): string[] {
  const place = pairUp(a, b);
  const taken = new Set(place);
  const lines: string[] = [];
  let next = 0;
  const addUpTo = (end: number): void => {
    for (; next < end; next++) if (!taken.has(next)) lines.push(...writeWhole(b[next], '+', depth));
  };
  for (const [index, line] of a.entries()) {
    const at = place[index];
    if (at < 0) {
      lines.push(...writeWhole(line, '-', depth));
      continue;
    }
    addUpTo(at);
    const below = compare(line.children, b[at].children, depth + 1);
    if (below.length > 0) lines.push(`${' '.repeat(depth)}${line.shown}`, ...below);
  }
  addUpTo(b.length);
  return lines;
}

/** @returns no line when both print the same. Secrets are compared and not told */
export function configDifferences(before: Config, after: Config): string[] {
  return compare(readBlocks(before), readBlocks(after), 0);
}
