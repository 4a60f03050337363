// One exec line: `show` is rendered here from a snapshot, everything else runs in control. Filters behind `|` work on both.

import { fetchSnapshot, postExec } from '../control/api/client.js';
import type { Snapshot } from '../control/api/snapshot.js';
import { parseExec } from '../control/config/exec.js';
import { CliError } from './errors.js';
import { filterLines, splitPipe } from './show/filter.js';
import { findView } from './show/index.js';

/** @returns the output, ending in a newline unless empty. @throws Error with IOS's `% ...` line */
export async function runExecLine(line: string, socketPath: string): Promise<string> {
  const { command, filter } = splitPipe(line);
  const parsed = parseExec(command);
  if (parsed.kind === 'error') throw new CliError(parsed.message);
  if (parsed.kind !== 'show') {
    if (filter?.kind === 'json') throw new CliError('| json belongs to show commands');
    const output = await postExec(socketPath, command);
    return joinLines(filterLines(output.replace(/\n$/, '').split('\n'), filter));
  }
  return renderShow(parsed.words, parsed.argument, filter, await fetchSnapshot(socketPath));
}

/** @param words the command behind `show`, in full */
export function renderShow(
  words: string,
  argument: string | null,
  filter: ReturnType<typeof splitPipe>['filter'],
  snapshot: Snapshot,
): string {
  const view = findView(words, argument);
  if (filter?.kind === 'json') return `${JSON.stringify(view.json(snapshot), null, 2)}\n`;
  return joinLines(filterLines(view.text(snapshot), filter));
}

function joinLines(lines: string[]): string {
  return lines.length === 0 || (lines.length === 1 && lines[0] === '') ? '' : `${lines.join('\n')}\n`;
}
