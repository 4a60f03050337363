// Command lines and show filters from arbitrary bytes: only the declared errors may come out.

import { parseArguments, UsageError } from '../../cli/arguments.js';
import { FilterError, filterLines } from '../../cli/show/filter.js';

const lines = ['interface eth0', ' ip address 1.1.1.1', '', 'end'];

/** @param bytes words parted by NUL, as the kernel hands them over */
export function fuzz(bytes: Uint8Array): void {
  const words = new TextDecoder().decode(bytes).split('\0');
  try {
    parseArguments(words);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    if (/\n/.test(error.message)) throw new Error(`more than one line: ${JSON.stringify(error.message)}`);
  }
  for (const filter of ['include', 'exclude', 'begin', 'section'] as const) {
    try {
      const shown = filterLines(lines, { filter, text: words[0] });
      if (shown.some((line) => !lines.includes(line))) throw new Error('a line that was not there');
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
    }
  }
}

export const seeds: readonly Uint8Array[] = [
  'run\0-c\0r1.cfg\0--instance\0r1',
  'show\0crypto gdoi\0|\0include\0(a+)+$',
  'wait-ready\0--timeout\x009',
].map((text) => new TextEncoder().encode(text));
