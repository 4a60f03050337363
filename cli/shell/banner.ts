// A banner that is typed over several lines: what comes after its first line, up to the delimiter.

import { MaxBanner } from '../../control/config/commands/banner.js';
import { openBanner } from '../../control/config/lexer.js';
import type { Ask } from '../ping-dialogue.js';

/** @returns the delimiter that a configuration line waits for, null when it is whole or no banner */
export function awaitedDelimiter(line: string): string | null {
  const opened = openBanner(line.trim());
  return opened === null || line.trim().includes(opened.delimiter, opened.after) ? null : opened.delimiter;
}

/** @param opening the first line @returns the whole banner, with line ends. @throws Error when it is given up, or is too long */
export async function askForBanner(opening: string, delimiter: string, ask: Ask): Promise<string> {
  let text = opening;
  while (text.length <= opening.length + MaxBanner) {
    const line = await ask('');
    if (line === null) throw new Error('% banner: ended by the operator');
    text += `\n${line}`;
    if (line.includes(delimiter)) return text;
  }
  throw new Error(`% The banner has more than ${MaxBanner} characters`);
}
