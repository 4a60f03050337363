// `ping` without arguments: IOS's questions with their defaults, and the line that the answers make. Asks by a function, so that the shell can
// be the one who asks; a wrong answer is asked for again, as on IOS.

import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { parseIpv4 } from '../control/config/addresses.js';
import { pingLimits } from '../control/config/exec-probe.js';
import { CliError } from './errors.js';

/** Shows the prompt. @returns the line without its end; null = there is no more input, or Ctrl-C */
export type Ask = (prompt: string) => Promise<string | null>;

export interface Terminal {
  ask: Ask;
  /** What is wrong with an answer. */
  say(line: string): void;
}

/** The dialogue ended before its last question. */
export class DialogueEnded extends CliError {}

/** A wrong answer so often: whoever answers does not read. */
const MostTries = 5;

type Read<T> = (answer: string) => T | { wrong: string };

async function question<T>({ ask, say }: Terminal, prompt: string, read: Read<T>): Promise<T> {
  for (let i = 0; i < MostTries; i++) {
    const answer = await ask(prompt);
    if (answer === null) throw new DialogueEnded('% ping: ended by the operator');
    const value = read(answer.trim());
    if (typeof value !== 'object' || value === null || !('wrong' in value)) return value as T;
    say(value.wrong);
  }
  throw new DialogueEnded('% Bad input: too often');
}

function decimal({ low, high, usual }: { low: number; high: number; usual: number }): Read<number> {
  return (answer) => {
    if (answer === '') return usual;
    const value = /^\d{1,10}$/.test(answer) ? Number(answer) : -1;
    return value >= low && value <= high ? value : { wrong: `% A decimal number between ${low} and ${high}.` };
  };
}

/** `y`, `n` and how they go on. */
const yesNo: Read<boolean> = (answer) => {
  const word = answer.toLowerCase();
  if (word === '' || 'no'.startsWith(word)) return false;
  return 'yes'.startsWith(word) ? true : { wrong: "% Please answer 'yes' or 'no'." };
};

const protocol: Read<true> = (answer) =>
  answer === '' || answer.toLowerCase() === 'ip' ? true : { wrong: '% Unknown protocol - only ip' };

const target: Read<string> = (answer) => (parseIpv4(answer) === null ? { wrong: '% Bad IP address' } : answer);

/** What is no address is an interface's name; control says when there is none of it. */
const source: Read<string> = (answer) => (/^[\w./-]*( [\d/.]+)?$/.test(answer) ? answer : { wrong: '% Bad source address or interface' });

const pattern: Read<string> = (answer) =>
  answer === '' || /^(0x)?[0-9a-f]{1,4}$/i.test(answer) ? answer : { wrong: '% A hexadecimal number between 0x0 and 0xFFFF.' };

const headerOptions: Read<true> = (answer) =>
  answer === '' || 'none'.startsWith(answer.toLowerCase()) ? true : { wrong: '% Header options are not supported: none' };

async function extended(terminal: Terminal, size: number): Promise<string[]> {
  const from = await question(terminal, 'Source address or interface: ', source);
  const tos = await question(terminal, 'Type of service [0]: ', decimal(pingLimits.tos));
  const df = await question(terminal, 'Set DF bit in IP header? [no]: ', yesNo);
  const validate = await question(terminal, 'Validate reply data? [no]: ', yesNo);
  const data = await question(terminal, 'Data pattern [0xABCD]: ', pattern);
  await question(terminal, 'Loose, Strict, Record, Timestamp, Verbose[none]: ', headerOptions);
  const sweeps = await question(terminal, 'Sweep range of sizes [n]: ', yesNo);
  return [
    ...(sweeps ? await sweep(terminal) : [`size ${size}`]),
    ...(from === '' ? [] : [`source ${from}`]),
    ...(tos === 0 ? [] : [`tos ${tos}`]),
    ...(df ? ['df-bit'] : []),
    ...(validate ? ['validate'] : []),
    ...(data === '' ? [] : [`data ${data}`]),
  ];
}

async function sweep(terminal: Terminal): Promise<string[]> {
  const { size, interval } = pingLimits;
  const min = await question(terminal, 'Sweep min size [36]: ', decimal({ ...size, usual: size.low }));
  const max = await question(terminal, 'Sweep max size [18024]: ', decimal({ low: min, high: size.high, usual: size.high }));
  const step = await question(terminal, 'Sweep interval [1]: ', decimal(interval));
  return [`sweep ${min} ${max} ${step}`];
}

/** @returns the exec line, e.g. `ping 10.0.0.1 repeat 5 timeout 2 size 100`. @throws DialogueEnded */
export async function askPing(terminal: Terminal): Promise<string> {
  await question(terminal, 'Protocol [ip]: ', protocol);
  const to = await question(terminal, 'Target IP address: ', target);
  const repeat = await question(terminal, 'Repeat count [5]: ', decimal(pingLimits.repeat));
  const size = await question(terminal, 'Datagram size [100]: ', decimal(pingLimits.size));
  const timeout = await question(terminal, 'Timeout in seconds [2]: ', decimal(pingLimits.timeout));
  const isExtended = await question(terminal, 'Extended commands [n]: ', yesNo);
  const rest = isExtended ? await extended(terminal, size) : [`size ${size}`];
  return ['ping', to, `repeat ${repeat}`, `timeout ${timeout}`, ...rest].join(' ');
}

/** The dialogue over two streams. What comes from a file or a pipe is shown behind its prompt, as a terminal would. @throws DialogueEnded */
export async function askOnStreams(input: Readable & { isTTY?: boolean }, output: Writable): Promise<string> {
  const echoes = !input.isTTY;
  const lines = createInterface({ input, output: echoes ? undefined : output, terminal: !echoes });
  const waiting = lines[Symbol.asyncIterator]();
  lines.on('SIGINT', () => lines.close());
  try {
    return await askPing({
      ask: async (prompt) => {
        if (echoes) output.write(prompt);
        else {
          lines.setPrompt(prompt);
          lines.prompt();
        }
        const { done, value } = await waiting.next();
        if (echoes) output.write(`${done ? '' : value}\n`);
        return done ? null : value;
      },
      say: (line) => void output.write(`${line}\n`),
    });
  } finally {
    lines.close();
  }
}
