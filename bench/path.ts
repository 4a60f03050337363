// What a packet costs in the pipeline with its I/O in memory: nanoseconds of the whole pass and of each stage, by case (bench/cases). Prints a
// table and writes bench/results/path-<date>.json. Numbers compare versions of this code on one machine; they never fail. What fails: a
// warmed-up pass that allocates, code that V8 has to throw away after the warm-up, or a case that does not run to its end; the others run all the same.
//
//   node dist/bench/path.js [CASE...]     those whose name contains CASE, e.g. seal acl-1000

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cases, type Mix } from './cases/index.js';
import type { CaseResult } from './path-case.js';

/** One number object that the clock returns is not a packet's fault; anything per packet would be 256 times as much. */
const AllowedBytesPerPass = 64;
/** Nor is what happens every 2 ms (97-nat-expire), too seldom for V8 to compile it soon: a pass of 3DES takes longer than that. */
const AllowedBytesPerMs = 64;
/** Of one process. The longest, a million routes or sessions, takes ten seconds. */
const CaseTimeoutMs = 180_000;
/** MiB of young generation: no collection while bytes are counted. */
const SemiSpace = 64;

interface Spread {
  median: number;
  min: number;
  max: number;
}

interface Row {
  name: string;
  mix: Mix;
  /** Nanoseconds of a packet, what feeding the packets costs taken off. */
  pass: Spread;
  stages: Record<string, Spread>;
  /** Alone, over the packets of the case: longest prefix match; first match of the crypto map's list where there is one. */
  lookups: { fib: Spread; acl?: Spread };
  feed: Spread;
  packetsPerPass: number;
  bytesPerPass: number;
  deoptimised: string[];
  buildMs: number;
}

function spreadOf(values: readonly number[], less = 0): Spread {
  const sorted = values.map((value) => Math.round((value - less) * 10) / 10).sort((a, b) => a - b);
  return { median: sorted[sorted.length >> 1], min: sorted[0], max: sorted[sorted.length - 1] };
}

const spreadsOf = (all: Record<string, number[]>): Record<string, Spread> =>
  Object.fromEntries(Object.entries(all).map(([name, values]) => [name, spreadOf(values)]));

async function runCase(name: string, mix: Mix, mode: 'pass' | 'stages', folder: string): Promise<CaseResult> {
  const traces = join(folder, `${name}-${mix}-${mode}`);
  const flags = [`--min-semi-space-size=${SemiSpace}`, `--max-semi-space-size=${SemiSpace}`, '--expose-gc'];
  const tracing = mode === 'pass' ? ['--trace-deopt', '--redirect-code-traces', `--redirect-code-traces-to=${traces}`] : [];
  const script = fileURLToPath(new URL('path-case.js', import.meta.url));
  const env = { ...process.env, DEOPT_TRACES: mode === 'pass' ? traces : undefined };
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, ...tracing, script, name, mix, mode], {
    env,
    maxBuffer: 2 ** 26,
    timeout: CaseTimeoutMs,
    killSignal: 'SIGKILL', // a case that spins reads no signal
  });
  // V8 writes parts of its traces to stdout all the same.
  return JSON.parse(stdout.split('\n').find((line) => line.startsWith('{')) as string);
}

async function measure(name: string, mix: Mix, folder: string): Promise<Row> {
  const whole = await runCase(name, mix, 'pass', folder);
  const parts = await runCase(name, mix, 'stages', folder);
  const feed = spreadOf(whole.feed);
  const stages = spreadsOf(parts.stages);
  for (const [stage, spread] of Object.entries(stages)) {
    if (stage.endsWith('-rx')) stages[stage] = spreadOf(parts.stages[stage], Math.min(feed.min, spread.min));
  }
  const { packetsPerPass, bytesPerPass, deoptimised, buildMs } = whole;
  const pass = spreadOf(whole.pass, feed.min);
  const { fib, acl } = parts.lookups;
  const lookups = { fib: spreadOf(fib), ...(acl && { acl: spreadOf(acl) }) };
  return { name, mix, pass, stages, lookups, feed, packetsPerPass, bytesPerPass, deoptimised, buildMs };
}

function printHead(stages: readonly string[]): void {
  const short = stages.map((stage) => stage.slice(0, 7).padStart(8)).join('');
  console.log(`ns a packet, medians${''.padEnd(9)}   pass   (min-max)${short}     fib     acl   B/pass`);
}

function printRow({ name, mix, pass, stages, lookups, bytesPerPass }: Row): void {
  const columns = [...Object.values(stages), lookups.fib, lookups.acl]
    .map((spread) => (spread?.median.toFixed(1) ?? '-').padStart(8))
    .join('');
  const range = `(${pass.min.toFixed(0)}-${pass.max.toFixed(0)})`;
  console.log(
    `${name.padEnd(18)}${mix.padStart(6)}${pass.median.toFixed(0).padStart(12)}${range.padStart(12)}${columns}${bytesPerPass.toFixed(0).padStart(9)}`,
  );
}

/** @returns what a case that did not run to its end said */
function failureOf(error: unknown): string {
  const { killed, stderr, message } = error as Error & { killed?: boolean; stderr?: string };
  if (killed === true) return `no end after ${CaseTimeoutMs / 1000} s`;
  return stderr?.split('\n').find((line) => line.includes('Error:')) ?? message;
}

/** @returns what is wrong with a row */
function faultsOf({ name, mix, pass, packetsPerPass, bytesPerPass, deoptimised }: Row): string[] {
  const faults = deoptimised.map((trace) => `${name} ${mix}: deoptimised after the warm-up: ${trace}`);
  const milliseconds = (pass.median * packetsPerPass) / 1e6;
  if (!(bytesPerPass <= Math.max(AllowedBytesPerPass, AllowedBytesPerMs * milliseconds)))
    faults.push(`${name} ${mix}: a warm pass allocates ${bytesPerPass.toFixed(0)} bytes`);
  return faults;
}

function write(rows: readonly Row[]): string {
  const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
  const date = new Date().toISOString();
  const file = join(root, 'bench/results', `path-${date.slice(0, 19).replaceAll(':', '')}.json`);
  const machine = { cpu: cpus()[0].model, cores: cpus().length, node: process.version, loadBefore: startLoad, loadAfter: loadavg()[0] };
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ date, machine, rows }, null, 2)}\n`);
  return file;
}

const startLoad = loadavg()[0];
const wanted = process.argv.slice(2);
const strange = wanted.find((part) => !cases.some(({ name }) => name.includes(part)));
if (strange !== undefined) {
  console.error(`no case has '${strange}' in its name: ${cases.map(({ name }) => name).join(' ')}`);
  process.exit(2);
}
const chosen = cases.filter(({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)));
const folder = mkdtempSync(join(tmpdir(), 'groupwire-bench-path-'));
const rows: Row[] = [];
const faults: string[] = [];
try {
  for (const { name, sizes } of chosen) {
    for (const mix of sizes) {
      const row = await measure(name, mix, folder).catch((error: unknown) => {
        faults.push(`${name} ${mix}: ${failureOf(error)}`);
      });
      if (row === undefined) continue;
      if (rows.length === 0) printHead(Object.keys(row.stages));
      printRow(row);
      rows.push(row);
      faults.push(...faultsOf(row));
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`\n${write(rows)}`);
for (const fault of faults) console.error(fault);
process.exitCode = faults.length > 0 ? 1 : 0;
