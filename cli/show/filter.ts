// What stands behind the `|` of a show command: include / exclude / begin / section with a regular expression, as on IOS. Patterns run in
// the operator's own process, never in control; V8's linear engine takes over from one that backtracks too much.

import { setFlagsFromString } from 'node:v8';
import type { Pipe } from '../../control/config/exec.js';
import type { View } from './view.js';

setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');

export class FilterError extends Error {
  override name = 'FilterError';
}

const MaxPattern = 256;

function compilePattern(pattern: string): RegExp {
  if (pattern.length > MaxPattern) throw new FilterError(`% pattern is longer than ${MaxPattern} characters`);
  // Backreferences are what the linear engine cannot do.
  if (/\\[1-9k]/.test(pattern)) throw new FilterError('% backreferences are not supported in a pattern');
  try {
    return new RegExp(pattern);
  } catch {
    throw new FilterError(`% '${pattern}' is not a regular expression`);
  }
}

const indentOf = (line: string) => line.length - line.trimStart().length;

/** @returns the lines that the filter lets through; `json` is the caller's business. @throws FilterError on a wrong pattern */
export function filterLines(lines: readonly string[], pipe: Pipe | null): string[] {
  if (pipe === null || pipe.filter === 'json') return [...lines];
  const pattern = compilePattern(pipe.text);
  const matches = (line: string) => pattern.test(line);
  switch (pipe.filter) {
    case 'include':
      return lines.filter(matches);
    case 'exclude':
      return lines.filter((line) => !matches(line));
    case 'begin': {
      const first = lines.findIndex(matches);
      return first < 0 ? [] : lines.slice(first);
    }
    case 'count':
      return [`Number of lines which match regexp = ${lines.filter(matches).length}`];
    case 'section':
      return selectSections(lines, matches);
  }
}

/** What is printed of a view: through the filter, ending in a newline unless empty. @throws FilterError on a wrong pattern */
export function printView({ lines, json }: View, pipe: Pipe | null): string {
  if (pipe?.filter === 'json') return `${JSON.stringify(json, null, 2)}\n`;
  const shown = filterLines(lines, pipe);
  return shown.length === 0 ? '' : `${shown.join('\n')}\n`;
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
