// What a shell needs of the world: a router to ask, a screen, and what kind of a screen it is.

import type { EditResponse } from '../../control/api/configure.js';
import type { ProbeTerminal } from '../probe.js';

export interface ShellMeans {
  hostname(): Promise<string>;
  /** What the shell begins with; `banner` is empty when there is none. */
  greeting(): Promise<{ hostname: string; banner: string }>;
  /** One exec line as the command line would run it. @param running gets what ping and its like print meanwhile @returns the rest of its output @throws Error with IOS's `% ...` line */
  exec(line: string, running: ProbeTerminal): Promise<string>;
  /** null = `configure terminal`. @throws Error */
  edit(line: string | null): Promise<EditResponse>;
  write(text: string): void;
  /** The shell is done. */
  end(): void;
}

export interface ShellOptions {
  /** Somebody sits there: echo, pages. Else lines are told as they are carried out. */
  isTerminal: boolean;
  /** Lines of the screen. */
  length: number;
  width: number;
}
