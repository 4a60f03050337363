// The lines of a session. A line with a secret is told masked and not recalled: it would go back without its secret.

import { hasSecret, maskSecrets } from '../../control/config/secrets.js';

/** As many as IOS keeps. */
const MaxLines = 20;

export class History {
  private readonly lines: string[] = [];

  add(line: string): void {
    const text = line.trim();
    if (text === '' || text === this.lines[this.lines.length - 1]) return;
    this.lines.push(hasSecret(text) ? `! ${maskSecrets(text)}` : text);
    if (this.lines.length > MaxLines) this.lines.shift();
  }

  /** `show history`. */
  list(): string[] {
    return this.lines.map((line) => `  ${line.replace(/^! /, '')}`);
  }

  /** @param nth 1 = the last that can be entered again */
  recall(nth: number): string | null {
    const lines = this.lines.filter((line) => !line.startsWith('! '));
    return lines[lines.length - nth] ?? null;
  }
}
