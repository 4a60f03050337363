// An exec line -> a typed command, with abbreviations and errors as IOS words them. Carries nothing out.

import type { ExecCommand, ExecNode, ExecSink, Pipe } from './exec-node.js';
import { execCommands, InvalidInput } from './exec-tree.js';
import { MaxLineLength, splitWords } from './lexer.js';
import { matchLine } from './match.js';
import { ConfigError } from './session.js';

export type { LifecycleTopic } from './exec-lifecycle.js';
export type { ExecCommand, Pipe, ShowTopic } from './exec-node.js';
export type { TraceCommand } from './exec-trace.js';
export type { GdoiFeature } from './gdoi-features.js';

export interface ExecError {
  /** `% Invalid input detected at '^' marker.`, `% Incomplete command.` or `% Ambiguous command:  "..."`. */
  error: string;
  /** 0-based column in the line that the marker points at. */
  column: number;
}

export const filters = ['begin', 'count', 'exclude', 'include', 'json', 'section'] as const;

/** What stands behind the bar. @param from column of the text behind it */
function parsePipe(line: string, from: number): Pipe | ExecError {
  const words = splitWords(line.slice(from));
  if (words.length === 0) return { error: '% Incomplete command.', column: line.length };
  const name = words[0].text.toLowerCase();
  const filter = filters.find((candidate) => candidate.startsWith(name));
  const invalid = { error: InvalidInput, column: from + words[0].column };
  if (!filter) return invalid;
  if (filter === 'json') return words.length === 1 ? { filter } : { ...invalid, column: from + words[1].column };
  if (words.length === 1) return { error: '% Incomplete command.', column: line.length };
  return { filter, text: line.slice(from + words[1].column) };
}

/**
 * Parses one exec line, e.g. `sh cry gdoi ks mem | inc 10.0`.
 * @param commands what there is: of one-shot commands (exec-tree.ts) or of a shell's mode (exec-shell.ts)
 * @returns the command, or the error in IOS words with the column it is at; for an empty line an incomplete command
 */
export function parseExec(line: string, commands: ExecNode[] = execCommands): ExecCommand | ExecError {
  if (line.length > MaxLineLength) return { error: InvalidInput, column: MaxLineLength };
  const text = line.trimEnd();
  const bar = text.indexOf('|');
  const head = bar < 0 ? text : text.slice(0, bar);
  const words = splitWords(head);
  if (words.length === 0) return { error: '% Incomplete command.', column: 0 };
  const sink: ExecSink = { command: null };
  const result = matchLine(commands, words, head, false);
  if (result.kind === 'ambiguous') return { error: `% Ambiguous command:  "${text.trim()}"`, column: result.word.column };
  if (result.kind === 'invalid') return { error: InvalidInput, column: result.word.column };
  if (result.kind === 'incomplete') return { error: '% Incomplete command.', column: text.length };
  if (result.kind === 'refused') return { error: `% ${result.message}`, column: words[words.length - 1].column };
  try {
    result.action(result.args, sink);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { error: `% ${error.message}`, column: 0 };
  }
  const command = sink.command;
  if (command === null) return { error: InvalidInput, column: 0 };
  if (bar < 0) return command;
  if (command.kind !== 'show' && command.kind !== 'mtu path') return { error: InvalidInput, column: bar };
  const pipe = parsePipe(text, bar + 1);
  return 'error' in pipe ? pipe : { ...command, pipe };
}
