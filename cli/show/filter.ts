// What stands behind the `|` of a show command: `json`, or include / exclude / begin / section with a regular expression. Patterns run in
// the operator's own process, never in control; V8's linear engine takes over from one that backtracks too much.

import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');

export class FilterError extends Error {
  override name = 'FilterError';
}

export type Filter = { kind: 'json' } | { kind: 'include' | 'exclude' | 'begin' | 'section'; pattern: RegExp };

const kinds = ['json', 'include', 'exclude', 'begin', 'section'] as const;
const MaxPattern = 256;

/** Cuts a line at its first `|`; the pattern behind it may hold more of them (alternation), as on IOS. */
export function splitPipe(line: string): { command: string; filter: Filter | null } {
  const at = line.indexOf('|');
  if (at < 0) return { command: line.trim(), filter: null };
  return { command: line.slice(0, at).trim(), filter: parseFilter(line.slice(at + 1).trim()) };
}

/** @param text behind the pipe. @throws FilterError */
export function parseFilter(text: string): Filter {
  const [word, ...rest] = text.split(/\s+/);
  const matching = kinds.filter((kind) => word !== '' && kind.startsWith(word.toLowerCase()));
  if (matching.length !== 1) throw new FilterError(`'| ${word}': use json, include, exclude, begin or section`);
  const [kind] = matching;
  const pattern = text.slice(word.length).trim();
  if (kind === 'json') {
    if (rest.length > 0) throw new FilterError('nothing may follow | json');
    return { kind };
  }
  if (pattern === '') throw new FilterError(`| ${kind}: a pattern is missing`);
  return { kind, pattern: compilePattern(pattern) };
}

function compilePattern(pattern: string): RegExp {
  if (pattern.length > MaxPattern) throw new FilterError(`pattern is longer than ${MaxPattern} characters`);
  // Backreferences are what the linear engine cannot do.
  if (/\\[1-9k]/.test(pattern)) throw new FilterError('backreferences are not supported in a pattern');
  try {
    return new RegExp(pattern);
  } catch {
    throw new FilterError(`'${pattern}' is not a regular expression`);
  }
}

const indentOf = (line: string) => line.length - line.trimStart().length;

/** @returns the lines that the filter lets through; json is the caller's business */
export function filterLines(lines: readonly string[], filter: Filter | null): string[] {
  if (filter === null || filter.kind === 'json') return [...lines];
  const matches = (line: string) => filter.pattern.test(line);
  switch (filter.kind) {
    case 'include':
      return lines.filter(matches);
    case 'exclude':
      return lines.filter((line) => !matches(line));
    case 'begin': {
      const first = lines.findIndex(matches);
      return first < 0 ? [] : lines.slice(first);
    }
    case 'section':
      return selectSections(lines, matches);
  }
}

/** A line that matches, and what is indented below it. */
function selectSections(lines: readonly string[], matches: (line: string) => boolean): string[] {
  const selected: string[] = [];
  let depth = -1;
  for (const line of lines) {
    if (depth >= 0 && line.trim() !== '' && indentOf(line) <= depth) depth = -1;
    if (depth < 0 && matches(line)) depth = indentOf(line);
    if (depth >= 0 && line.trim() !== '') selected.push(line);
  }
  return selected;
}
