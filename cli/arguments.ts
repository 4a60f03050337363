// The command line: which command, its options, the exec words behind it. Throws UsageError with one line; prints nothing.

import { isIPv4 } from 'node:net';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

/** A wrong call, said in one line: what it quotes of the call loses its control characters. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message.replace(/\p{Cc}+/gu, ' '));
  }
}

export interface Target {
  instance: string;
  runDirectory: string;
}

export interface RunOptions extends Target {
  configFile: string;
  stateDirectory: string;
  /** `address:port`, or `off`. */
  metrics: string;
  keyLogDirectory: string | null;
  native: boolean;
  /** Forwarding threads of the dataplane. */
  workers: number;
  /** Root has made, or is told to make, what must change on this machine: without its rights nothing is changed. */
  prepared: boolean;
  /** Of a dataplane that another service runs; null: it is a child of ours. */
  dataplaneSocket: string | null;
}

export type CliCommand =
  | ({ name: 'run' } & RunOptions)
  | ({ name: 'wait-ready'; timeoutSeconds: number } & Target)
  | ({ name: 'exec'; line: string } & Target)
  /** `isChosen`: the instance was named; else the only one that runs is meant. */
  | ({ name: 'shell'; isChosen: boolean } & Target)
  | { name: 'check'; file: string }
  /** For command shells: what may stand at the end of an exec line. */
  | { name: 'complete'; line: string }
  | { name: 'pki'; words: string[] }
  | { name: 'version' }
  | { name: 'help' };

const optionTypes = {
  config: { type: 'string', short: 'c' },
  instance: { type: 'string' },
  state: { type: 'string' },
  runtime: { type: 'string' },
  metrics: { type: 'string' },
  'key-log': { type: 'string' },
  timeout: { type: 'string' },
  'no-native': { type: 'boolean' },
  workers: { type: 'string' },
  dataplane: { type: 'string' },
  prepared: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
} as const;
type OptionName = keyof typeof optionTypes;

const target: OptionName[] = ['instance', 'runtime'];
const allowed: Record<string, OptionName[]> = {
  run: [...target, 'config', 'state', 'metrics', 'key-log', 'no-native', 'workers', 'dataplane', 'prepared'],
  'wait-ready': [...target, 'timeout'],
  show: target,
  'packet-tracer': target,
  ping: target,
  traceroute: target,
  mtu: target,
  export: target,
  exec: target,
  shell: target,
  check: [],
  complete: [],
  version: [],
  help: [],
};

/** Whose words are an exec line. */
const execNames = new Set(['show', 'packet-tracer', 'ping', 'traceroute', 'mtu', 'export', 'exec']);

function takesValue(argument: string): boolean {
  const option = argument.startsWith('--')
    ? optionTypes[argument.slice(2) as OptionName]
    : Object.values(optionTypes).find((o) => 'short' in o && `-${o.short}` === argument);
  return option?.type === 'string';
}

/** Index of the first word that is no option and no option's value, or the length. */
function findCommand(args: readonly string[]): number {
  let at = 0;
  while (at < args.length && args[at].startsWith('-')) at += takesValue(args[at]) ? 2 : 1;
  return Math.min(at, args.length);
}

/** Exec words may begin with `-` (a pattern behind `| include`), so only our own options in front of the pipe are taken out. */
function splitExecWords(words: readonly string[]): { options: string[]; words: string[] } {
  const pipe = words.findIndex((word) => word.includes('|'));
  const end = pipe < 0 ? words.length : pipe;
  const options: string[] = [];
  const rest: string[] = [];
  for (let i = 0; i < end; i++) {
    if (/^--(instance|runtime)$/.test(words[i])) options.push(words[i], ...words.slice(i + 1, ++i + 1));
    else if (/^--(instance|runtime)=/.test(words[i])) options.push(words[i]);
    else rest.push(words[i]);
  }
  return { options, words: [...rest, ...words.slice(end)] };
}

/** @param args without node and script @param isTerminal somebody sits there, so that no command means a shell. @throws UsageError */
export function parseArguments(args: readonly string[], isTerminal = false): CliCommand {
  if (args[0] === 'pki') return { name: 'pki', words: args.slice(1) };
  const at = findCommand(args);
  const name = args[at] ?? (args.includes('--version') ? 'version' : args.some((a) => a === '--help' || a === '-h') ? 'help' : undefined);
  if (name === undefined && isTerminal) return parseArguments([...args, 'shell']);
  if (name === undefined) throw new UsageError('no command given (try: groupwire help)');
  if (!Object.hasOwn(allowed, name)) throw new UsageError(`unknown command '${name}' (try: groupwire help)`);
  const isExec = execNames.has(name);
  const behind = args.slice(at + 1);
  const exec = isExec ? splitExecWords(behind) : { options: behind, words: [] };
  const { values, positionals } = parseOptions([...args.slice(0, at), ...exec.options]);
  if (values.help) return { name: 'help' };
  for (const option of Object.keys(values) as OptionName[]) {
    if (!allowed[name].includes(option) && args[at] !== undefined) throw new UsageError(`--${option} does not belong to '${name}'`);
  }
  if (name === 'check') {
    if (positionals.length !== 1) throw new UsageError('usage: groupwire check FILE');
    return { name, file: positionals[0] };
  }
  if (name === 'complete') {
    if (positionals.length !== 1) throw new UsageError('usage: groupwire complete "BEGINNING OF AN EXEC LINE"');
    return { name, line: positionals[0] };
  }
  if (positionals.length > 0) throw new UsageError(`unexpected argument '${positionals[0]}'`);
  switch (name) {
    case 'run':
      return { name, ...parseTarget(values), ...parseRun(values, parseTarget(values).instance) };
    case 'shell':
      return { name, ...parseTarget(values), isChosen: Boolean(values.instance ?? values.runtime ?? process.env.GROUPWIRE_INSTANCE) };
    case 'wait-ready':
      return { name, ...parseTarget(values), timeoutSeconds: parseNumber('timeout', values.timeout, 30, 0, 86_400) };
    case 'show':
    case 'packet-tracer':
    case 'ping':
    case 'traceroute':
    case 'mtu':
    case 'export':
    case 'exec': {
      const line = [...(name === 'exec' ? [] : name === 'mtu' ? ['show mtu path'] : [name]), ...exec.words].join(' ').trim();
      if (line === '') throw new UsageError('usage: groupwire --instance NAME exec "EXEC LINE"');
      return { name: 'exec', ...parseTarget(values), line };
    }
    default:
      return { name: name as 'version' | 'help' };
  }
}

type Values = { [Name in OptionName]?: (typeof optionTypes)[Name]['type'] extends 'boolean' ? boolean : string };

function parseOptions(args: string[]): { values: Values; positionals: string[] } {
  try {
    return parseArgs({ args, options: optionTypes, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError((error as Error).message.split('. ')[0].replace(/\s+/g, ' '));
  }
}

/** Long enough for a name, short enough for a socket path (sun_path holds 108 bytes). */
const MaxSocketPath = 107;

function parseTarget(values: Values): Target {
  const instance = values.instance ?? (process.env.GROUPWIRE_INSTANCE || 'default');
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(instance))
    throw new UsageError('--instance: a name of letters, digits, dot, dash and underscore');
  const runDirectory = resolve(values.runtime ?? `/run/groupwire/${instance}`);
  if (Buffer.byteLength(`${runDirectory}/dataplane.sock`) > MaxSocketPath)
    throw new UsageError(`--runtime: path too long for a Unix socket: ${runDirectory}`);
  return { instance, runDirectory };
}

function parseRun(values: Values, instance: string): Omit<RunOptions, keyof Target> {
  if (values.config === undefined) throw new UsageError('run: -c FILE is missing');
  return {
    configFile: resolve(values.config),
    stateDirectory: resolve(values.state ?? `/var/lib/groupwire/${instance}`),
    metrics: parseMetrics(values.metrics ?? '127.0.0.1:9848'),
    keyLogDirectory: values['key-log'] === undefined ? null : resolve(values['key-log']),
    native: !values['no-native'],
    workers: parseWorkers(values.workers ?? '1'),
    prepared: values.prepared === true,
    dataplaneSocket: parseDataplane(values),
  };
}

/** Options of a dataplane that is not ours to start would be ignored. */
function parseDataplane(values: Values): string | null {
  if (values.dataplane === undefined) return null;
  for (const option of ['workers', 'no-native', 'prepared'] as const) {
    if (values[option] !== undefined) throw new UsageError(`--${option} is for the service that runs the dataplane (--dataplane)`);
  }
  return resolve(values.dataplane);
}

/** The worker's number takes 4 bits of an IV (dataplane/proto/sender-iv.ts). */
const MaxWorkers = 16;

function parseWorkers(text: string): number {
  if (text === 'auto') return Math.min(availableParallelism(), MaxWorkers);
  if (!/^\d{1,2}$/.test(text) || Number(text) < 1 || Number(text) > MaxWorkers)
    throw new UsageError(`--workers: a number from 1 to ${MaxWorkers} or auto, not '${text}'`);
  return Number(text);
}

function parseMetrics(text: string): string {
  if (text === 'off') return text;
  const [, address, port] = /^([0-9.]+):(\d{1,5})$/.exec(text) ?? [];
  if (address === undefined || !isIPv4(address) || Number(port) < 1 || Number(port) > 65_535) {
    throw new UsageError(`--metrics: ADDRESS:PORT or off, not '${text}'`);
  }
  return text;
}

function parseNumber(option: string, text: string | undefined, fallback: number, low: number, high: number): number {
  if (text === undefined) return fallback;
  if (!/^\d{1,6}$/.test(text) || Number(text) < low || Number(text) > high)
    throw new UsageError(`--${option}: a number from ${low} to ${high}, not '${text}'`);
  return Number(text);
}
