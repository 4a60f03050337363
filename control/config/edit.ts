// One line of an interactive edit, as IOS takes it: tried in the open mode, then outward; a line that nobody knows is an error here and
// not kept, because somebody sits there who can correct it.

import { InvalidInput } from './exec-tree.js';
import { splitWords } from './lexer.js';
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
}

function refuse(error: string, column: number | null): LineAnswer {
  return { error, column, messages: [], ended: false, execLines: [] };
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
 * @param text without line end
 */
export function editLine(session: Session, text: string): LineAnswer {
  const words = splitWords(text);
  if (words.length === 0 || words[0].text.startsWith('!')) return { ...refuse('', null), error: null };
  session.line++;
  session.text = text.trim();
  session.maskedText = maskSecrets(session.text);
  session.indent = 0;
  const result = matchModes(session.frames, words, text);
  if (result.kind !== 'match') return explain(result, text);
  session.frames.length = result.depth + 1;
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
  };
}
