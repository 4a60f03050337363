// What `?` prints and what Tab completes, in a mode of the shell.

import { filters } from '../../control/config/exec.js';
import { completeLine, type HelpMode, helpFor, isShellExec } from '../../control/config/help.js';

const filterHelp: Record<(typeof filters)[number], string> = {
  begin: 'Begin with the line that matches',
  count: 'Count number of lines which match regexp',
  exclude: 'Exclude lines that match',
  include: 'Include lines that match',
  json: 'The same as JSON',
  section: 'Filter a section of output',
};

const Unrecognized = '% Unrecognized command';

/** `do show ...` in configuration mode is an exec line. @returns where it begins, or null */
export function doLine(mode: HelpMode, text: string): string | null {
  if (isShellExec(mode)) return null;
  return /^\s*do(?:\s+|$)(.*)$/is.exec(text)?.[1] ?? null;
}

function table(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(0, ...rows.map(([token]) => token.length));
  return rows.map(([token, help]) => `  ${token.padEnd(width)}  ${help}`.trimEnd());
}

export interface HelpAnswer {
  lines: string[];
  /** Column of the `^`, null = no error. */
  column: number | null;
}

/** @param partial what stands in front of the cursor */
export function describeHelp(mode: HelpMode, partial: string): HelpAnswer {
  const behindDo = doLine(mode, partial);
  if (behindDo !== null && /^\s*do\s/i.test(partial)) {
    const { lines, column } = describeHelp('privileged', behindDo);
    return { lines, column: column === null ? null : column + partial.length - behindDo.length };
  }
  const bar = isShellExec(mode) ? partial.indexOf('|') : -1;
  if (bar >= 0) {
    const typed = partial.slice(bar + 1).trimStart();
    if (/\s/.test(typed)) return { lines: ['  LINE  Regular Expression'], column: null };
    const names = filters.filter((name) => name.startsWith(typed.toLowerCase()));
    return { lines: names.length === 0 ? [Unrecognized] : table(names.map((name) => [name, filterHelp[name]])), column: null };
  }
  const help = helpFor(mode, partial);
  if ('error' in help) return { lines: [help.error], column: help.column };
  const rows = help.entries.map(({ token, help: text }) => [token, text] as const);
  if (!isShellExec(mode) && 'do'.startsWith(partial.trim().toLowerCase()) && !/\S\s/.test(partial)) {
    rows.push(['do', 'To run exec commands in config mode']);
    rows.sort(([a], [b]) => (a < b ? -1 : 1));
  }
  // A word that has begun is answered with the words alone, as IOS does.
  const isWord = partial.length > 0 && !/\s$/.test(partial);
  const words = rows.filter(([token]) => token !== '<cr>');
  if (isWord && words.length > 0) return { lines: [words.map(([token]) => token).join('  ')], column: null };
  if (rows.length === 0) return { lines: [Unrecognized], column: null };
  return { lines: table(rows), column: null };
}

/** The line with its last word completed, or as it is. */
export function completePartial(mode: HelpMode, partial: string): string {
  const behindDo = doLine(mode, partial);
  if (behindDo !== null && /^\s*do\s/i.test(partial)) {
    return partial.slice(0, partial.length - behindDo.length) + completeLine('privileged', behindDo);
  }
  return completeLine(mode, partial);
}
