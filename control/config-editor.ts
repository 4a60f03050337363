// Interactive editing of the running configuration: each line works on a copy, which is verified as a whole and put in force at once. A
// line that is refused changes nothing. What IOS takes although it is not complete yet (a crypto map entry without its group) waits in a
// draft until a later line completes it, so that what is in force always verifies. Meanwhile other lines do not wait with it: one that
// verifies without the draft, and touches nothing that the draft touches, is in force at once.

import { configDifferences } from './config/differences.js';
import { editLine, type LineAnswer } from './config/edit.js';
import type { Config, Problem } from './config/model.js';
import { type Frame, type ModeName, Session } from './config/session.js';
import { changedThings } from './config/things.js';

export interface EditorMeans {
  /** What is in force. */
  current(): Config;
  /** Why a configuration cannot be put in force: verification, and conflicts with what runs. */
  problems(config: Config): Problem[];
  apply(config: Config): void;
  /** Carries an exec line of the configuration out. @returns what to tell */
  exec(line: string): string;
}

export interface EditAnswer extends Omit<LineAnswer, 'execLines' | 'within'> {
  /** The mode after the line, by the name in its prompt. */
  mode: ModeName;
}

interface Editing {
  /** The configuration that the frames are part of. */
  config: Config;
  frames: Frame[];
  usedAt: number;
}

/** Interactive shells at once; the one idle longest makes room. */
const MaxSessions = 64;
/** Lines that wait are listed as far as this. */
const MaxListed = 20;

export class ConfigEditor {
  /** Lines that wait for others, on top of what was in force when they came. */
  private draft: { config: Config; base: Config } | null = null;
  private readonly sessions = new Map<string, Editing>();
  /** Lines of an edit are below all lines of a file. */
  private line = 1_000_000_000;

  constructor(private readonly means: EditorMeans) {}

  /** `configure terminal`. @returns what waits from earlier */
  open(id: string, now: number): EditAnswer {
    if (this.sessions.size >= MaxSessions) {
      const [oldest] = [...this.sessions].sort(([, a], [, b]) => a.usedAt - b.usedAt)[0];
      this.sessions.delete(oldest);
    }
    const config = this.work();
    this.sessions.set(id, { config, frames: new Session(config).frames, usedAt: now });
    return { error: null, column: null, messages: this.waiting(), ended: false, mode: 'config' };
  }

  /** Why lines wait, empty when none does. */
  waiting(): string[] {
    const config = this.work();
    if (config === this.means.current()) return [];
    const errors = this.errorsOf(config);
    const lines = configDifferences(this.means.current(), config);
    return [
      '% Not in force yet, because the configuration is not complete (configure revert now forgets it):',
      ...errors.map(({ message, hint }) => `%   ${message.replace(/^% */, '')}${hint === null ? '' : ` (${hint})`}`),
      '% What waits:',
      ...lines.slice(0, MaxListed).map((line) => `%   ${line}`),
      ...(lines.length > MaxListed ? [`%   and ${lines.length - MaxListed} lines more`] : []),
    ];
  }

  /** Forgets lines that wait. @returns false when none did */
  forget(): boolean {
    const had = this.work() !== this.means.current();
    this.draft = null;
    return had;
  }

  /** @param id a session that is not known (any more) begins in global configuration */
  edit(id: string, text: string, now: number): EditAnswer {
    if (!this.sessions.has(id)) this.open(id, now);
    const editing = this.reenter(this.sessions.get(id)!);
    const copy = structuredClone({ config: editing.config, frames: editing.frames });
    const session = new Session(copy.config);
    session.frames.splice(0, 1, ...copy.frames);
    session.line = this.line;
    const { execLines, within, ...answer } = editLine(session, text);
    if (answer.error !== null) {
      this.sessions.set(id, { ...editing, usedAt: now });
      return { ...answer, mode: editing.frames[editing.frames.length - 1].mode };
    }
    this.line = session.line;
    for (const line of execLines) answer.messages.push(this.means.exec(line));
    this.sessions.set(id, { config: copy.config, frames: session.frames, usedAt: now });
    if (this.errorsOf(copy.config).length > 0) {
      this.applyAlone(editing.config, [...within, text]);
      this.draft = { config: copy.config, base: this.means.current() };
    } else {
      this.draft = null;
      this.means.apply(copy.config);
    }
    if (answer.ended) {
      this.sessions.delete(id);
      answer.messages.push(...this.waiting());
    }
    return { ...answer, mode: session.frame.mode };
  }

  /** Puts a line in force while others wait, if it has nothing to do with them. @param config with those that wait @param lines it, behind those that open its mode */
  private applyAlone(config: Config, lines: readonly string[]): void {
    const current = this.means.current();
    if (config === current) return;
    const alone = structuredClone(current);
    const session = new Session(alone);
    for (const line of lines) if (editLine(session, line).error !== null) return;
    const changed = changedThings(current, alone);
    const waiting = changedThings(current, config);
    if (changed.size === 0 || [...changed].some((thing) => waiting.has(thing))) return;
    if (this.errorsOf(alone).length === 0) this.means.apply(alone);
  }

  private errorsOf(config: Config): Problem[] {
    return this.means.problems(config).filter(({ severity }) => severity === 'error');
  }

  /** What the next line is added to. A draft ends when something else was put in force. */
  private work(): Config {
    return this.draft?.base === this.means.current() ? this.draft.config : this.means.current();
  }

  /** Another session or a reload changed the configuration: the modes are opened again in it, as far as they are there. */
  private reenter(editing: Editing): Editing {
    const config = this.work();
    if (editing.config === config) return editing;
    const copy = structuredClone(config);
    const session = new Session(copy);
    for (const line of editing.frames[editing.frames.length - 1].path) if (editLine(session, line).error !== null) break;
    return { config: copy, frames: session.frames, usedAt: editing.usedAt };
  }
}
