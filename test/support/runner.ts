// Runs test files, several at once, and writes their TAP for the reporter, a file's whole when it ends. Tests are plain programs that write TAP:
// `tap run` would load its process-info hooks into every node process below a test too, which made a router's start three times as dear.
//
//   scripts/test: lines `KIND SECONDS FILE[,FILE...] [VARIANT]` on standard input; files with commas share a process (several.ts). KIND says what a file needs of the machine:
//     lab         routers in namespaces, which wait for each other most of the time
//     computing   CPU; it gives way to labs (nice), because packets that wait for a CPU are lost
//     greedy      all of the machine: runs when nothing else does

import { type ChildProcess, spawn } from 'node:child_process';
import { availableParallelism, setPriority } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

export type Kind = 'lab' | 'computing' | 'greedy';
const kinds: readonly string[] = ['lab', 'computing', 'greedy'] satisfies Kind[];

export interface Job {
  kind: Kind;
  seconds: number;
  /** One, or several with commas between them. */
  file: string;
  /** As test/support/variant.ts reads it, `twin` before it for the addon's twin; empty = as the configurations say. */
  variant: string;
}

/** How much of each kind runs at once, and of all. */
export interface Limits {
  lab: number;
  computing: number;
  all: number;
}

/** @throws Error with the line that is none */
export function readPlan(plan: string): Job[] {
  return plan
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [kind, seconds, file, ...variant] = line.split(' ');
      if (!kinds.includes(kind) || !(Number(seconds) > 0) || !file) throw new Error(`no job: ${line}`);
      return { kind: kind as Kind, seconds: Number(seconds), file, variant: variant.join(' ') };
    });
}

/** Labs are idle for much of their time, so more of them than CPUs; one file that computes fills the gaps. @param jobs JOBS of the environment */
export function limitsFor(cpus: number, jobs?: number): Limits {
  return jobs === undefined ? { lab: cpus + 1, computing: cpus, all: cpus + 2 } : { lab: jobs, computing: jobs, all: jobs };
}

/** The first of the waiting jobs that may run beside the running ones. @returns its index, -1 for none */
export function nextJob(waiting: readonly Job[], running: readonly Job[], limits: Limits): number {
  if (running.length >= limits.all || running.some(({ kind }) => kind === 'greedy')) return -1;
  const free = (kind: Kind) => {
    if (kind === 'greedy') return running.length === 0 && waiting.every((job) => job.kind === 'greedy');
    return running.filter((job) => job.kind === kind).length < limits[kind];
  };
  return waiting.findIndex(({ kind }) => free(kind));
}

export interface Ending {
  output: string;
  milliseconds: number;
  code: number | null;
  signal: string | null;
  timedOut: boolean;
}

/** One file's TAP as a subtest of a stream of its own; of several files it is such a stream already. */
export function framed({ file, variant, seconds }: Job, { output, milliseconds, code, signal, timedOut }: Ending): string {
  const lines = output.split('\n').filter((line) => line !== '' && !line.startsWith('TAP version'));
  const planned = /^1\.\.\d/m.test(output); // without, it ended before it had begun
  const why = timedOut
    ? `timeout: ${seconds * 1000}`
    : signal !== null
      ? `signal: ${signal}`
      : code !== 0 || !planned
        ? `exitCode: ${code}`
        : '';
  const diagnostic = why === '' ? '' : `  ---\n  ${why}\n  ...\n`;
  const head = `# variant: ${variant}\nTAP version 14\n`;
  if (file.includes(',')) {
    const isTold = code === 1 && lines.some((line) => line.startsWith('not ok'));
    const ending = why === '' || isTold ? '' : `TAP version 14\nnot ok 1 - ${file}\n${diagnostic}1..1\n`;
    return `${head}${lines.join('\n')}\n${ending}`;
  }
  const line = `${why === '' ? 'ok' : 'not ok'} 1 - ${file} # time=${milliseconds.toFixed(0)}ms`;
  return `${head}# Subtest: ${file}\n${lines.map((line) => `    ${line}\n`).join('')}${line}\n${diagnostic}1..1\n`;
}

/** To say what it was waiting for after its own time-out, and to remove its namespaces. */
const GraceMs = 20_000;

function environmentOf({ variant, seconds }: Job): Record<string, string | undefined> {
  const words = variant.split(' ');
  const chosen = variant === '' ? {} : { GROUPWIRE_VARIANT: words.filter((word) => word !== 'twin').join(' ') };
  const twin = words[0] === 'twin' ? { GROUPWIRE_NATIVE: '0' } : {};
  const { PRELOAD } = process.env;
  return { ...process.env, TAP_TIMEOUT: String(seconds), ...chosen, ...twin, ...(PRELOAD ? { LD_PRELOAD: PRELOAD } : {}) };
}

function argumentsOf(file: string): string[] {
  const files = file.split(',');
  return files.length > 1 ? [join(import.meta.dirname, 'several.js'), ...files] : files;
}

/** Lines of one file go out together, so that files that run side by side do not mix. */
function runFile(job: Job, children: Set<ChildProcess>): Promise<Ending> {
  return new Promise((resolve) => {
    const start = performance.now();
    const child = spawn(process.execPath, argumentsOf(job.file), { stdio: ['ignore', 'pipe', 'inherit'], env: environmentOf(job) });
    children.add(child);
    if (job.kind === 'computing' && child.pid !== undefined) setPriority(child.pid, 5);
    let timedOut = false;
    const timers = (
      [
        ['SIGTERM', GraceMs / 2],
        ['SIGKILL', GraceMs],
      ] as const
    ).map(([signal, grace]) =>
      setTimeout(
        () => {
          timedOut = true;
          child.kill(signal);
        },
        job.seconds * 1000 + grace,
      ),
    );
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
    const end = (code: number | null, signal: string | null) => {
      for (const timer of timers) clearTimeout(timer);
      children.delete(child);
      resolve({ output, milliseconds: performance.now() - start, code, signal, timedOut });
    };
    child.once('error', () => end(127, null));
    // What it left behind may hold its output open: give that a moment, no more.
    child.once('exit', (code, signal) => {
      const late = setTimeout(() => end(code, signal), 5000);
      child.once('close', () => {
        clearTimeout(late);
        end(code, signal);
      });
    });
  });
}

/** Runs all; `write` gets each file's TAP. After a signal nothing more starts, and it ends when what runs has ended. */
async function runAll(jobs: readonly Job[], limits: Limits, write: (tap: string) => void): Promise<void> {
  const waiting = [...jobs];
  const running: Job[] = [];
  const children = new Set<ChildProcess>();
  const endings = new Map<Job, Promise<Job>>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      waiting.length = 0;
      for (const child of children) child.kill('SIGTERM');
    });
  }
  const start = (job: Job) => {
    running.push(job);
    const ending = runFile(job, children).then((end) => {
      write(framed(job, end));
      return job;
    });
    endings.set(job, ending);
  };
  for (;;) {
    for (let index = nextJob(waiting, running, limits); index >= 0; index = nextJob(waiting, running, limits)) {
      start(waiting.splice(index, 1)[0]);
    }
    if (endings.size === 0) return;
    const ended = await Promise.race(endings.values());
    endings.delete(ended);
    running.splice(running.indexOf(ended), 1);
  }
}

if (process.argv[1] === import.meta.filename) {
  const jobs = readPlan(await text(process.stdin));
  process.stdout.on('error', () => undefined); // the reporter was ended before us
  await runAll(jobs, limitsFor(availableParallelism(), Number(process.env.JOBS) || undefined), (tap) => process.stdout.write(tap));
}
