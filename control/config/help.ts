// `?` and completion, from the same trees that parse.

import { privilegedCommands, userCommands } from './exec-shell.js';
import { execCommands, InvalidInput } from './exec-tree.js';
import { splitWords } from './lexer.js';
import { walkLine } from './match.js';
import { modeCommands } from './modes.js';
import type { ModeName } from './session.js';
import type { Node } from './tree.js';

export interface HelpEntry {
  /** A keyword, `<cr>`, or what an argument looks like (`A.B.C.D`). */
  token: string;
  help: string;
  kind: 'keyword' | 'argument' | 'end';
}

const execModes = { exec: execCommands, user: userCommands, privileged: privilegedCommands };
export type HelpMode = keyof typeof execModes | ModeName;

/** Modes of a shell that are not configuration. */
export type ShellExecMode = 'user' | 'privileged';
export function isShellExec(mode: HelpMode): mode is ShellExecMode {
  return mode === 'user' || mode === 'privileged';
}

export type Help = { entries: HelpEntry[] } | { error: string; column: number };

/** True when some command below can be negated. Looks a few levels down, at each node once: many lead to the same, options are circular. */
function canNegate<C>(node: Node<C>, levels = 6, seen = new Set<Node<C>>()): boolean {
  if (node.no !== null) return true;
  if (levels === 0 || seen.has(node)) return false;
  seen.add(node);
  return node.next().some((below) => canNegate(below, levels - 1, seen));
}

function listNodes<C>(nodes: Node<C>[], partial: string, negated: boolean): HelpEntry[] {
  const entries: HelpEntry[] = [];
  for (const node of nodes) {
    if (node.hidden || (negated && !canNegate(node))) continue;
    const spelling = node.words === null ? node.argument?.type.label : node.words.find((word) => word.startsWith(partial.toLowerCase()));
    if (spelling === undefined || (node.words === null && partial !== '')) continue;
    entries.push({ token: spelling, help: node.help, kind: node.words === null ? 'argument' : 'keyword' });
  }
  return entries.sort((a, b) => (a.kind === b.kind ? (a.token < b.token ? -1 : 1) : a.kind === 'keyword' ? -1 : 1));
}

/**
 * What may come next. `show cr` lists the words that begin with `cr`; `show crypto ` (with a space) what may follow.
 * @param mode `exec` (one-shot), a shell's `user` or `privileged`, or a configuration mode by its prompt name
 */
export function helpFor(mode: HelpMode, partial: string): Help {
  const isExec = mode === 'exec' || isShellExec(mode);
  const roots = (isExec ? execModes[mode] : modeCommands[mode]) as Node<unknown>[];
  const words = splitWords(partial);
  const unfinished =
    partial.length > 0 && words.length > 0 && words[words.length - 1].column + words[words.length - 1].text.length === partial.length;
  const last = unfinished ? words.pop()!.text : '';
  const negated = !isExec && words[0]?.text.toLowerCase() === 'no';
  const position = walkLine(roots, words, partial, !isExec);
  if (position.kind === 'ambiguous') return { error: `% Ambiguous command:  "${partial.trim()}"`, column: position.word.column };
  if (position.kind === 'refused') return { error: `% ${position.message}`, column: words[words.length - 1].column };
  if (position.kind !== 'position') return { error: InvalidInput, column: position.kind === 'invalid' ? position.word.column : 0 };
  const entries = listNodes(position.next, last, negated);
  if (!isExec && words.length === 0 && 'no'.startsWith(last.toLowerCase())) {
    entries.push({ token: 'no', help: 'Negate a command or set its defaults', kind: 'keyword' });
  }
  if (last === '' && (negated ? position.negation : position.last?.run)) entries.push({ token: '<cr>', help: '', kind: 'end' });
  return { entries };
}

/** The line with its last word completed, when only one keyword can be meant; else the line as it is. */
export function completeLine(mode: HelpMode, partial: string): string {
  const help = helpFor(mode, partial);
  if (!('entries' in help)) return partial;
  const keywords = help.entries.filter((entry) => entry.kind === 'keyword');
  const words = splitWords(partial);
  const last = words[words.length - 1];
  if (keywords.length !== 1 || !last || last.column + last.text.length !== partial.length) return partial;
  return `${partial.slice(0, last.column)}${keywords[0].token} `;
}
