// The startup configuration: the file that `run -c` names. Read at the start and by SIGHUP, replaced as a whole by `write`. What was good
// last is kept sealed, so that a file that an edit broke does not end a router that runs.

import { readFileSync, statSync } from 'node:fs';
import { checkConfig } from './config/check.js';
import type { Config, Problem } from './config/model.js';
import type { SystemLog } from './log.js';
import type { StateFiles } from './run-record.js';
import { writeDurably } from './store/sealed-store.js';

const LastGoodConfig = 'configuration';

export interface LoadedConfig {
  config: Config;
  execLines: { line: number; text: string }[];
}

function describeFailure(path: string, error: unknown): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  const why = code === 'EACCES' || code === 'EPERM' ? 'permission denied' : code === 'EROFS' ? 'read-only file system' : message;
  return new Error(`${path}: ${why}`);
}

export class ConfigFile {
  constructor(
    readonly path: string,
    private readonly log: SystemLog,
    private readonly store: StateFiles,
  ) {}

  /** Logs problems. @returns false when one is an error */
  tell(problems: readonly Problem[], where = this.path): boolean {
    for (const { line, severity, message, hint } of problems) {
      this.log.write('PARSER', severity === 'error' ? 3 : 4, 'CFGLOG', `${where}:${line}: ${message}${hint ? ` (${hint})` : ''}`);
    }
    return !problems.some(({ severity }) => severity === 'error');
  }

  /** @returns null when it has errors: they are logged. @throws the system's error @param conflicts of it with what runs */
  load(conflicts: (config: Config) => Problem[] = () => []): LoadedConfig | null {
    const text = readFileSync(this.path, 'utf8');
    const read = this.check(text);
    const loaded = read && this.tell(conflicts(read.config)) ? read : null;
    if (loaded) this.store.save(LastGoodConfig, new TextEncoder().encode(text));
    return loaded;
  }

  /**
   * At the start of control. @param running what was in force in this run before control ended, null at a fresh start
   * @returns null when nothing can be used
   */
  loadAtStart(running: string | null): LoadedConfig | null {
    const resumed = running === null ? null : this.check(running, 'running configuration');
    const loaded = resumed ?? this.load();
    if (loaded) return loaded;
    const saved = this.store.load(LastGoodConfig);
    if (!saved) return null;
    this.log.write('SYS', 2, 'CONFIG_FALLBACK', `${this.path} has errors: going on with the last good configuration`);
    return this.check(new TextDecoder().decode(saved));
  }

  /** @throws Error that says why not */
  read(): string {
    try {
      return readFileSync(this.path, 'utf8');
    } catch (error) {
      throw describeFailure(this.path, error);
    }
  }

  /** Atomic; the mode stays. @throws Error that says why not */
  write(text: string): void {
    const bytes = new TextEncoder().encode(text);
    try {
      const { mode } = statSync(this.path, { throwIfNoEntry: false }) ?? { mode: 0o600 };
      writeDurably(this.path, bytes, mode & 0o777, `${this.path}.new`);
    } catch (error) {
      throw describeFailure(this.path, error);
    }
    this.store.save(LastGoodConfig, bytes);
  }

  private check(text: string, where = this.path): LoadedConfig | null {
    const { config, problems, execLines } = checkConfig(text);
    return this.tell(problems, where) ? { config, execLines } : null;
  }
}
