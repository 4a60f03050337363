// One exec line: `show` is rendered here from a snapshot and packet-tracer from its trace, everything else runs in control.

import { fetchNatTranslations, fetchPacketTrace, fetchSnapshot, postExec } from '../control/api/client.js';
import { parseExec } from '../control/config/exec.js';
import { CliError } from './errors.js';
import { renderTrace } from './packet-tracer.js';
import { renderShow } from './show/index.js';

/** @returns the output, ending in a newline unless empty. @throws Error with IOS's `% ...` line */
export async function runExecLine(line: string, socketPath: string): Promise<string> {
  const parsed = parseExec(line);
  // One line on stderr: the marker stands inside the line instead of below it.
  if ('error' in parsed) throw new CliError(`${parsed.error} ${line.slice(0, parsed.column)}^${line.slice(parsed.column)}`.trimEnd());
  if (parsed.kind === 'show') {
    const translations = parsed.topic.startsWith('ip nat ') ? await fetchNatTranslations(socketPath) : null;
    return renderShow(parsed, parsed.pipe, await fetchSnapshot(socketPath), translations);
  }
  if (parsed.kind === 'packet-tracer') {
    const trace = await fetchPacketTrace(socketPath, line);
    return parsed.json ? `${JSON.stringify(trace, null, 2)}\n` : `${renderTrace(trace, parsed.detailed).join('\n')}\n`;
  }
  const output = await postExec(socketPath, line);
  return output === '' || output.endsWith('\n') ? output : `${output}\n`;
}
