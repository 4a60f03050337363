// The configuration's life around the edits of config-editor.ts: start-up and startup configuration, write, configure replace with its
// way back, reload check. No timers: tick() is told the time. What must outlive a restart of control alone is kept sealed, under the run
// it belongs to: a fresh start of the router begins with the startup configuration.

import { checkConfig } from './config/check.js';
import { diffConfig } from './config/diff.js';
import { configDifferences } from './config/differences.js';
import type { ExecCommand, ExecError } from './config/exec.js';
import type { Config, Problem } from './config/model.js';
import { type ParseResult, parseConfig, UnknownCommand } from './config/parse.js';
import { printConfig } from './config/print.js';
import { maskSecrets } from './config/secrets.js';
import type { ConfigEditor } from './config-editor.js';
import { done, type ExecAnswer, refused } from './exec.js';
import type { SystemLog } from './log.js';
import { plannedDrops } from './reload-plan.js';
import { readRecord, type StateFiles, writeRecord } from './run-record.js';

export interface LifecycleMeans {
  log: SystemLog;
  store: StateFiles;
  /** Names this run of the router. */
  run: string;
  current(): Config;
  conflicts(config: Config): Problem[];
  apply(config: Config): string[];
  /** Those of a configuration's exec lines that ask for a key which is not there. */
  withoutKey(lines: ParseResult['execLines'], config: Config): ParseResult['execLines'];
  /** The startup configuration. @throws Error that says why not */
  readStartup(): string;
  writeStartup(text: string): void;
}

const Rollback = 'configure-rollback';
const Running = 'running-configuration';
const MinuteMs = 60_000;
/** An answer is read by somebody. */
const MaxRemarks = 20;

function describe(problem: Problem): string {
  const where = problem.line > 0 ? `line ${problem.line}: ` : '';
  return `%   ${where}${problem.message.replace(/^% */, '')}${problem.hint === null ? '' : ` (${problem.hint})`}`;
}

export class Lifecycle {
  private rollback: { text: string; due: number } | null = null;

  constructor(
    private readonly means: LifecycleMeans,
    private readonly editor: ConfigEditor,
  ) {
    const saved = readRecord(means.store, Rollback, means.run);
    if (saved) this.rollback = { due: saved.due ?? 0, text: saved.text };
  }

  /** What was in force in this run when control ended, if lines had changed it; null at a fresh start. */
  static runningOf(store: StateFiles, run: string): string | null {
    return readRecord(store, Running, run)?.text ?? null;
  }

  /** Something other than the startup file is in force now. */
  remember(config: Config): void {
    writeRecord(this.means.store, Running, { run: this.means.run, text: printConfig(config, { secrets: true }) });
  }

  /** What is in force is the startup file's: a restart of control reads that. */
  forgetRunning(): void {
    this.means.store.remove(Running);
  }

  /** When tick() has something to do; null = nothing. */
  nextTick(): number | null {
    return this.rollback?.due ?? null;
  }

  tick(now: number): void {
    if (this.rollback === null || this.rollback.due > now) return;
    this.goBack('not confirmed in time');
  }

  /** @param text the file's, for commands that name one. @returns null for a command that is none of the configuration's life */
  run(command: ExecCommand | ExecError, text: string | null, now: number): ExecAnswer | null {
    if ('error' in command) return null;
    switch (command.kind) {
      case 'show':
        if (command.topic === 'startup-config') return this.showStartup();
        return command.topic === 'archive config differences' ? this.showDifferences() : null;
      case 'write':
        return this.write();
      case 'configure confirm':
        return this.confirm();
      case 'configure revert':
        return this.revert();
      case 'configure replace':
        return this.withConfig(command.file, text, (config) => this.replace(config, command.minutes, now));
      case 'reload check':
        return this.withConfig(command.file, text, (config) => this.plan(config));
      default:
        return null;
    }
  }

  private confirm(): ExecAnswer {
    if (this.rollback === null) return refused('% Nothing waits for a confirmation');
    this.endRollback();
    return done();
  }

  private revert(): ExecAnswer {
    const hadDraft = this.editor.forget();
    if (this.rollback !== null) {
      this.goBack('reverted by the operator');
      return done('Rolled back to the configuration before');
    }
    return hadDraft ? done('Lines that waited are forgotten') : refused('% Nothing to go back to');
  }

  /** `show startup-config`: as the running one is shown when it parses, else its lines with their secrets masked. */
  private showStartup(): ExecAnswer {
    return this.attempt(() => {
      const text = this.means.readStartup();
      const { config, problems } = parseConfig(text);
      const isWhole = !problems.some(({ severity }) => severity === 'error');
      const shown = isWhole ? printConfig(config, { secrets: false }) : text.split('\n').map(maskSecrets).join('\n');
      return done(`Using ${Buffer.byteLength(text)} bytes`, ...shown.trimEnd().split('\n'));
    });
  }

  /** `show archive config differences`. */
  private showDifferences(): ExecAnswer {
    return this.attempt(() => {
      const lines = configDifferences(parseConfig(this.means.readStartup()).config, this.means.current());
      return done('!Contextual Config Diffs:', ...(lines.length === 0 ? ['!No changes were found'] : lines));
    });
  }

  private write(): ExecAnswer {
    return this.attempt(() => {
      this.means.writeStartup(printConfig(this.means.current(), { secrets: true }));
      this.forgetRunning();
      return done('Building configuration...', '[OK]', ...this.editor.waiting());
    });
  }

  private attempt(run: () => ExecAnswer): ExecAnswer {
    try {
      return run();
    } catch (error) {
      return refused(`% ${(error as Error).message}`);
    }
  }

  private withConfig(file: string | null, text: string | null, run: (config: Config) => ExecAnswer): ExecAnswer {
    if (file !== null && text === null) {
      return refused(`% The text of the file is missing: ${file} is read by the groupwire command, which sends it along (POST /exec-file)`);
    }
    return this.attempt(() => {
      const { config, problems, execLines } = checkConfig(text === null || file === null ? this.means.readStartup() : text);
      const errors = [...problems, ...this.means.conflicts(config)].filter(({ severity }) => severity === 'error');
      if (errors.length > 0) return refused('% The configuration has errors: nothing is changed', ...errors.map(describe));
      const { output, error } = run(config);
      return { output: [output, ...this.remarks(config, problems, execLines)].join('\n'), error };
    });
  }

  /** What a configuration that can be put in force leaves to say. */
  private remarks(config: Config, problems: Problem[], execLines: ParseResult['execLines']): string[] {
    const unknown = problems.filter(({ message }) => message.startsWith(UnknownCommand));
    const keys = this.means.withoutKey(execLines, config);
    return [
      ...unknown.slice(0, MaxRemarks).map((problem) => `${describe(problem)}: ${problem.text}`),
      ...(unknown.length > MaxRemarks ? [`%   and ${unknown.length - MaxRemarks} unknown lines more: groupwire check lists them`] : []),
      ...keys.map(({ line, text }) => `%   line ${line}: no key is made here, and there is none yet: enter ${text}`),
    ];
  }

  private replace(config: Config, minutes: number | null, now: number): ExecAnswer {
    const lines = configDifferences(this.means.current(), config);
    if (minutes !== null) {
      const before = this.rollback?.text ?? printConfig(this.means.current(), { secrets: true });
      this.keepWayBack(before, now + minutes * MinuteMs);
    }
    this.editor.forget();
    const changed = this.means.apply(config);
    this.remember(config);
    this.means.log.write('SYS', 5, 'CONFIG_REPLACE', changed.length > 0 ? `replaced: ${changed.join(', ')} changed` : 'nothing changed');
    const soon = minutes === null ? [] : [`Rolled back in ${minutes} minute${minutes === 1 ? '' : 's'} unless: configure confirm`];
    return done(`Total number of lines changed: ${lines.filter((line) => /^ *[-+]/.test(line)).length}`, ...soon);
  }

  private plan(config: Config): ExecAnswer {
    const before = this.means.current();
    const families = [...diffConfig(before, config)];
    if (families.length === 0) return done('Nothing would change.');
    const drops = plannedDrops(before, config);
    return done(
      `Would change: ${families.join(', ')}`,
      ...configDifferences(before, config),
      drops.length === 0 ? 'Nothing would be dropped.' : 'Would be dropped:',
      ...drops.map((line) => `  ${line}`),
    );
  }

  private keepWayBack(text: string, due: number): void {
    this.rollback = { text, due };
    writeRecord(this.means.store, Rollback, { run: this.means.run, text, due });
  }

  private endRollback(): void {
    this.rollback = null;
    this.means.store.remove(Rollback);
  }

  private goBack(why: string): void {
    const { text } = this.rollback!;
    this.endRollback();
    const { config } = parseConfig(text);
    this.editor.forget();
    const changed = this.means.apply(config);
    this.remember(config);
    this.means.log.write('SYS', 4, 'CONFIG_ROLLBACK', `${why}: rolled back, ${changed.join(', ') || 'nothing'} changed`);
  }
}
