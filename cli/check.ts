// `groupwire check FILE`: every problem of a configuration file, and nothing touched. Also what `run` does first.

import { readFileSync, statSync } from 'node:fs';
import { checkConfig } from '../control/config/check.js';
import type { Problem } from '../control/config/model.js';
import { CliError } from './errors.js';
import { checkIpv6 } from './host-ipv6.js';

/** Configurations are kilobytes; a million ACEs are some 60 MB. */
const MaxConfigBytes = 128 << 20;

/** `FILE:LINE: error: message`, the offending line (masked), a hint. */
export function formatProblem(file: string, problem: Problem): string {
  const lines = [`${file}:${problem.line}: ${problem.severity}: ${problem.message}`];
  if (problem.text.trim() !== '') lines.push(`    ${problem.text.trim()}`);
  if (problem.hint !== null) lines.push(`    hint: ${problem.hint}`);
  return lines.join('\n');
}

/** The file's problems, those of this host with it, and what cannot be told here. @throws CliError when the file cannot be read */
export function checkFile(file: string): { problems: Problem[]; notes: string[] } {
  const { config, problems } = checkConfig(readConfig(file));
  const host = checkIpv6(config);
  return { problems: [...problems, ...host.problems], notes: host.notes };
}

/** The text of a configuration file. @throws CliError when it cannot be read */
export function readConfig(file: string): string {
  try {
    const stat = statSync(file);
    if (!stat.isFile()) throw new CliError(`${file}: not a file`);
    if (stat.size > MaxConfigBytes) throw new CliError(`${file}: larger than ${MaxConfigBytes >> 20} MiB`);
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof CliError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new CliError(`${file}: ${code === 'ENOENT' ? 'no such file' : code === 'EACCES' ? 'permission denied' : message}`);
  }
}
