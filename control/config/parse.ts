// Text -> Config. Indentation does not nest: a line is tried in the mode that is open and then in those around it, as on IOS. It is
// looked at for one thing only: lines indented deeper than a line we could not take belong to that line and not to the mode before it.

import { readDecimal } from './arguments.js';
import { emptyConfig } from './empty.js';
import { readLines, type SourceLine, splitWords } from './lexer.js';
import { type MatchResult, type Mismatch, matchLine } from './match.js';
import type { Config, Problem } from './model.js';
import { modeCommands } from './modes.js';
import { nearestCommand } from './nearest.js';
import { hasSecret, shownLine } from './secrets.js';
import { ConfigError, type Edit, type Frame, type ModeName, Session } from './session.js';
import type { Node } from './tree.js';

export interface ParseResult {
  config: Config;
  /** In the order of the text. */
  problems: Problem[];
  /** Exec commands that the text asks for, with secrets, if any. */
  execLines: { line: number; text: string }[];
}

/** A line that was not taken: what is indented below it is not tried. Steps of an unknown block, outermost first. */
interface Rejected {
  indent: number;
  /** null after an error, whose block is skipped. */
  unknown: { indent: number; path: string[] }[] | null;
}

/** How the message on a line begins that no command matches. */
export const UnknownCommand = 'unknown command';

/** So many unknown lines get the nearest known command with them: above it the file is none of ours. */
const MaxHints = 200;

export type AnyMode = Edit<ModeName>;

/** What `?` would offer, for the hint of a problem. */
function describeExpected(nodes: Node<AnyMode>[]): string | null {
  const shown = nodes.filter((node) => !node.hidden).map((node) => node.words?.[0] ?? node.argument?.type.label ?? '');
  if (shown.length === 0) return 'nothing may follow';
  return `expected: ${shown.slice(0, 12).join(', ')}${shown.length > 12 ? ', ...' : ''}`;
}

function startsWithNumber(text: string): boolean {
  return readDecimal(splitWords(text)[0]?.text ?? '') !== null;
}

/** Which of the modes' mismatches explains best: the surest, then the one that understood most. */
function weightOf({ committed, kind, matched }: Mismatch<AnyMode>): number {
  return (committed ? 2_000_000 : kind === 'ambiguous' ? 1_000_000 : 0) + matched;
}

/**
 * The mode in force takes the line first, then those around it. When none does, the one that understood most of it explains; a line that
 * is ambiguous in one of them is an error and not unknown.
 * @param frames the modes that are open, outermost first @param words of `text`
 */
export function matchModes(
  frames: readonly Frame[],
  words: ReturnType<typeof splitWords>,
  text: string,
): MatchResult<AnyMode> & { depth: number } {
  let best: (Mismatch<AnyMode> & { depth: number }) | null = null;
  for (let depth = frames.length - 1; depth >= 0; depth--) {
    const nodes = modeCommands[frames[depth].mode] as Node<AnyMode>[];
    const result = matchLine(nodes, words, text, true);
    if (result.kind === 'match') return { ...result, depth };
    if (best === null || weightOf(result) > weightOf(best)) best = { ...result, depth };
  }
  return best!;
}

/** Reads the lines of one text into a session, as a whole: an unknown line is kept. An interactive edit is edit.ts's. */
export class ConfigReader {
  readonly session: Session;
  private rejected: Rejected | null = null;

  constructor(config: Config) {
    this.session = new Session(config);
  }

  read(source: SourceLine): void {
    const { session } = this;
    session.line = source.line;
    session.text = source.text;
    session.maskedText = shownLine(source.text);
    session.indent = source.indent;
    if (source.defect !== null) {
      session.report('error', source.defect);
      return;
    }
    if (this.rejected && source.indent > this.rejected.indent) {
      this.keepBelow(this.rejected, source);
      return;
    }
    this.rejected = null;
    const result = matchModes(session.frames, splitWords(source.text), session.text);
    if (result.kind === 'match') {
      session.frames.length = result.depth + 1;
      try {
        result.action(result.args, { session, target: session.frame.target });
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        this.refuse(error.message, error.hint);
      }
    } else if (result.committed || result.kind === 'ambiguous' || result.kind === 'refused') {
      session.frames.length = result.depth + 1;
      this.refuse(...this.explain(result));
    } else this.keepUnknown(source);
  }

  private explain(mismatch: Mismatch<AnyMode>): [message: string, hint: string | null] {
    if (mismatch.kind === 'refused') return [mismatch.message, mismatch.hint];
    if (mismatch.kind === 'incomplete') return ['% Incomplete command.', describeExpected(mismatch.expected)];
    // A misplaced word of a line with a key may be part of the key.
    const quoted = hasSecret(this.session.text) ? '' : ` ("${shownLine(mismatch.word.text)}")`;
    if (mismatch.kind === 'ambiguous') return [`% Ambiguous command:${quoted}`, `it could be ${mismatch.candidates.join(', ')}`];
    return [`% Invalid input detected at column ${mismatch.word.column + 1}${quoted}`, describeExpected(mismatch.expected)];
  }

  private refuse(message: string, hint: string | null): void {
    this.session.report('error', message, hint);
    this.rejected = { indent: this.session.indent, unknown: null };
  }

  /** An unknown line stands in the modes that it is indented below. */
  private keepUnknown(source: SourceLine): void {
    const { session } = this;
    const around = session.frames.filter((frame: Frame) => frame.indent < source.indent);
    const { mode, path } = around[around.length - 1] ?? session.frames[0];
    // Without its first word an entry cannot be told from an unknown command, so in a list nothing is unknown.
    if (mode.endsWith('-nacl') || (session.frame.mode.endsWith('-nacl') && startsWithNumber(source.text))) {
      this.refuse('% Invalid input detected at column 1', 'an access list entry that is left out would change what the list means');
      return;
    }
    session.keepLine(path);
    const hint = session.config.unknownLines.length > MaxHints ? null : nearestCommand(session.frames, source.text);
    session.warn(`${UnknownCommand}: kept, but without effect`, hint);
    this.rejected = { indent: source.indent, unknown: [{ indent: source.indent, path: [...path, source.text] }] };
  }

  private keepBelow(rejected: Rejected, source: SourceLine): void {
    if (rejected.unknown === null) return;
    const steps = rejected.unknown;
    while (steps.length > 1 && steps[steps.length - 1].indent >= source.indent) steps.pop();
    const { path } = steps[steps.length - 1];
    this.session.keepLine(path);
    this.session.warn(`${UnknownCommand}: kept, but without effect, as "${shownLine(path[path.length - 1])}" above it`);
    steps.push({ indent: source.indent, path: [...path, source.text] });
  }
}

/**
 * Reads a whole configuration. Never throws for any text: whatever is wrong is in `problems`, errors for what keeps the
 * configuration from being applied, warnings for the rest.
 */
export function parseConfig(text: string): ParseResult {
  const reader = new ConfigReader(emptyConfig());
  for (const line of readLines(text)) reader.read(line);
  const { config, problems, execLines } = reader.session;
  return { config, problems, execLines };
}
