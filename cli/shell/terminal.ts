// A shell on this process's own streams: a terminal in raw mode, or a pipe (`ssh host groupwire`), whose lines are carried out in order.

import { randomUUID } from 'node:crypto';
import { StringDecoder } from 'node:string_decoder';
import { fetchSnapshot } from '../../control/api/client.js';
import { postEdit } from '../../control/api/configure.js';
import { runExecLine } from '../exec.js';
import { Shell } from './shell.js';

const DefaultLength = 24;
const DefaultWidth = 80;

/** Ends when the shell does. @param socketPath of the router's control @throws ApiError when no router answers */
export async function runShell(socketPath: string): Promise<void> {
  const { stdin, stdout } = process;
  const session = randomUUID();
  const isTerminal = stdin.isTTY === true && stdout.isTTY === true;
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const shell = new Shell(
    {
      hostname: async () => (await fetchSnapshot(socketPath)).hostname,
      greeting: async () => {
        const { hostname, banner = '' } = await fetchSnapshot(socketPath);
        return { hostname, banner };
      },
      exec: (line, running) => runExecLine(line, socketPath, running),
      edit: (line) => postEdit(socketPath, { session, line }),
      // Node's raw mode leaves the terminal to put the CR before the LF (ONLCR).
      write: (text) => void stdout.write(text.replaceAll('\r\n', '\n')),
      end: () => end(),
    },
    // A terminal of size 0 (a pseudo-terminal that nobody has sized) is one that pages would only confuse.
    { isTerminal, length: stdout.rows || DefaultLength, width: stdout.columns || DefaultWidth },
  );
  await shell.start();
  const decoder = new StringDecoder('utf8');
  if (isTerminal) {
    stdin.setRawMode(true);
    stdout.on('resize', () => shell.resize(stdout.rows, stdout.columns));
  }
  stdin.on('data', (chunk: Buffer) => shell.input(decoder.write(chunk)));
  stdin.on('end', () => shell.endOfInput());
  stdin.on('error', () => shell.endOfInput());
  try {
    await ended;
  } finally {
    if (isTerminal) stdin.setRawMode(false);
    stdin.destroy();
    stdout.write('\n');
  }
}
