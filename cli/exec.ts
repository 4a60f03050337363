// One exec line: `show` is rendered here from a snapshot and packet-tracer from its trace, everything else runs in control.

import { fetchNatTranslations, fetchPacketTrace, fetchSnapshot, postExec } from '../control/api/client.js';
import { type ExecCommand, type LifecycleTopic, parseExec } from '../control/config/exec.js';
import { readConfig } from './check.js';
import { CliError } from './errors.js';
import { renderTrace } from './packet-tracer.js';
import { askOnStreams } from './ping-dialogue.js';
import { type ProbeTerminal, runProbeLine } from './probe.js';
import { printView } from './show/filter.js';
import { renderShow } from './show/index.js';

type ShowCommand = Extract<ExecCommand, { kind: 'show' }>;

function isText(command: ShowCommand): command is ShowCommand & LifecycleTopic {
  return command.topic === 'startup-config' || command.topic === 'archive config differences';
}

/** Text that control answers, through the line's filter. */
async function showText({ topic, pipe }: ShowCommand & LifecycleTopic, socketPath: string): Promise<string> {
  const lines = (await postExec(socketPath, `show ${topic}`)).split('\n');
  return printView({ lines, json: { [topic === 'startup-config' ? 'startupConfig' : 'differences']: lines.slice(1) } }, pipe);
}

/**
 * @param terminal gets what ping and its like print while they run; without one it is part of the output
 * @returns the output, ending in a newline unless empty. @throws Error with IOS's `% ...` line
 */
export async function runExecLine(line: string, socketPath: string, terminal: ProbeTerminal | null = null): Promise<string> {
  const parsed = parseExec(line);
  // One line on stderr: the marker stands inside the line instead of below it.
  if ('error' in parsed) throw new CliError(`${parsed.error} ${line.slice(0, parsed.column)}^${line.slice(parsed.column)}`.trimEnd());
  if (parsed.kind === 'show') {
    if (isText(parsed)) return await showText(parsed, socketPath);
    const translations = parsed.topic.startsWith('ip nat ') ? await fetchNatTranslations(socketPath) : null;
    return renderShow(parsed, parsed.pipe, await fetchSnapshot(socketPath), translations);
  }
  if (parsed.kind === 'packet-tracer') {
    const trace = await fetchPacketTrace(socketPath, line);
    return parsed.json ? `${JSON.stringify(trace, null, 2)}\n` : `${renderTrace(trace, parsed.detailed).join('\n')}\n`;
  }
  if (parsed.kind === 'ping dialogue') throw new CliError('% Incomplete command. ping^');
  if (parsed.kind === 'ping' || parsed.kind === 'traceroute' || parsed.kind === 'mtu path') {
    const written: string[] = [];
    const collect = { write: (text: string) => void written.push(text), signal: new AbortController().signal };
    await runProbeLine(parsed, line, socketPath, terminal ?? collect);
    return written.join('');
  }
  const output = await runInControl(parsed, line, socketPath);
  return output === '' || output.endsWith('\n') ? output : `${output}\n`;
}

/** One exec line with this process's own streams: `ping` alone asks for the rest, and Ctrl-C ends what runs. @throws Error as runExecLine */
export async function runOnTerminal(line: string, socketPath: string): Promise<void> {
  const end = new AbortController();
  const parsed = parseExec(line);
  const isDialogue = !('error' in parsed) && parsed.kind === 'ping dialogue';
  const asked = isDialogue ? await askOnStreams(process.stdin, process.stdout) : line;
  const isProbe = !('error' in parsed) && ['ping', 'ping dialogue', 'traceroute', 'mtu path'].includes(parsed.kind);
  // The second Ctrl-C ends the command itself.
  if (isProbe) process.once('SIGINT', () => end.abort());
  process.stdout.write(await runExecLine(asked, socketPath, { write: (text) => process.stdout.write(text), signal: end.signal }));
}

/** A file is read here, with this user's rights. */
async function runInControl(command: ExecCommand, line: string, socketPath: string): Promise<string> {
  const file = command.kind === 'configure replace' || command.kind === 'reload check' ? command.file : null;
  return await postExec(socketPath, line, file === null ? null : readConfig(file));
}
