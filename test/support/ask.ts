// `groupwire WORDS` to a running router, in this process. It is what the command does, but for starting node and the launcher, which test/cli shows:
// a test asks often, and a process of half a CPU second each time takes from the routers what they need.

import { parseArguments } from '../../cli/arguments.js';
import { runExecLine } from '../../cli/exec.js';
import { waitReady } from '../../cli/wait-ready.js';

/** @returns what the command prints. @throws Error with what it says when its status is not 0 */
export async function ask(instance: string, runDirectory: string, words: readonly string[]): Promise<string> {
  const command = parseArguments(['--instance', instance, '--runtime', runDirectory, ...words]);
  try {
    if (command.name === 'exec') return await runExecLine(command.line, `${command.runDirectory}/control.sock`);
    if (command.name === 'wait-ready') await waitReady(instance, `${command.runDirectory}/control.sock`, command.timeoutSeconds);
    else throw new Error(`'${command.name}' does not speak to a router`);
    return '';
  } catch (error) {
    throw new Error(`${instance}: groupwire ${words.join(' ').slice(0, 200)}: ${(error as Error).message}`);
  }
}
