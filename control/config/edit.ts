// One line of an interactive edit, as IOS takes it: tried in the open mode, then outward; a line that nobody knows is an error here and
// not kept, because somebody sits there who can correct it.

import { InvalidInput } from './exec-tree.js';
import { readLines, splitWords } from './lexer.js';
import type { Mismatch } from './match.js';
import { type AnyMode, matchModes } from './parse.js';
import { hasSecret, maskSecrets } from './secrets.js';
import { ConfigError, type Session } from './session.js';

export interface LineAnswer {
  /** IOS's `% ...` line, null = taken. Never holds the line's secret. */
  error: string | null;
  /** 0-based column that the `^` marker points at; null = the error has no place. */
  column: number | null;
  /** What to tell of a line that was taken. */
  messages: string[];
  /** Configuration mode is left: by `end`, or by `exit` from its outermost mode. */
  ended: boolean;
  /** Exec commands that the line asks for (`crypto key generate rsa`). */
  execLines: string[];
  /** Lines that open the mode that took it, from global configuration. */
  within: string[];
}

function refuse(error: string, column: number | null): LineAnswer {
  return { error, column, messages: [], ended: false, execLines: [], within: [] };
}

function explain(mismatch: Mismatch<AnyMode>, text: string): LineAnswer {
  switch (mismatch.kind) {
    case 'refused':
      return refuse(`% ${mismatch.message}${mismatch.hint === null ? '' : ` (${mismatch.hint})`}`, null);
    case 'incomplete':
      return refuse('% Incomplete command.', null);
    case 'ambiguous':
      return refuse(`% Ambiguous command:  "${hasSecret(text) ? maskSecrets(text) : text}"`, null);
    case 'invalid':
      return refuse(InvalidInput, mismatch.word.column);
  }
}

/**
 * Carries one line out on the session's configuration. When it is refused the configuration may be changed in part: work on a copy.
 * @param text without line end; a banner with those in it
 */
export function editLine(session: Session, text: string): LineAnswer {
  const lines = readLines(text);
  if (lines.length === 0) return { ...refuse('', null), error: null };
  if (lines.length > 1) return refuse('% One line at a time', null);
  if (lines[0].defect !== null) return refuse(`% ${lines[0].defect}`, null);
  const words = splitWords(text);
  session.line++;
  session.text = text.trim();
  session.maskedText = maskSecrets(session.text);
  session.indent = 0;
  const result = matchModes(session.frames, words, text);
  if (result.kind !== 'match') return explain(result, text);
  session.frames.length = result.depth + 1;
  const within = session.frame.path;
  session.ended = false;
  const told = session.problems.length;
  const asked = session.execLines.length;
  try {
    result.action(result.args, { session, target: session.frame.target });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return refuse(`% ${error.message}${error.hint === null ? '' : ` (${error.hint})`}`, null);
  }
  return {
    error: null,
    column: null,
    messages: session.problems.slice(told).map(({ message }) => (message.startsWith('%') ? message : `% ${message}`)),
    ended: session.ended,
    execLines: session.execLines.slice(asked).map((line) => line.text),
    within,
  };
}
