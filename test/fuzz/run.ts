// `make fuzz`: every target for FUZZ_SECONDS (10), guided by coverage, each in a thread of its own so that one that hangs is found too.
//
//   FUZZ_SECONDS=60 FUZZ_TARGETS='gdoi-messages config' FUZZ_SEED=1 make fuzz
//
// An input that reaches code which none before it reached joins the corpus; what was found new is written to build/fuzz/TARGET, and with FUZZ_KEEP=1
// to test/fuzz/corpus/TARGET, which make test runs again (corpus.test.ts). A finding is written to build/fuzz/TARGET.finding, and the run fails.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Coverage } from './coverage.js';
import { Dice, havoc, MaxInput } from './havoc.js';

const root = resolve(import.meta.dirname, '../../..');
const kept = join(root, 'test/fuzz/corpus');
const work = join(root, 'build/fuzz');
const Batch = 64;
/** Files of one target in the repository. */
const MaxKept = 48;
const HangMs = 20_000;

export interface Target {
  fuzz(bytes: Uint8Array): void;
  seeds?: readonly Uint8Array[];
}

interface Job {
  name: string;
  seconds: number;
  seed: number;
  keep: boolean;
  /** The input at work: length, then bytes. */
  current: SharedArrayBuffer;
}
interface Outcome {
  inputs: number;
  /** Of our source, that ran. */
  characters: number;
  corpus: number;
  finding: string | null;
}

/** Names of the targets: modules here that export `fuzz`, which are those with a test of the same name. */
export function targetNames(): string[] {
  return readdirSync(join(root, 'test/fuzz'))
    .filter(
      (file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && existsSync(join(root, 'test/fuzz', file.replace('.ts', '.test.ts'))),
    )
    .map((file) => file.slice(0, -3))
    .sort();
}

export async function loadTarget(name: string): Promise<Target> {
  return (await import(`./${name}.js`)) as Target;
}

export function readCorpus(name: string, folder = kept): Uint8Array[] {
  const path = join(folder, name);
  if (!existsSync(path)) return [];
  return readdirSync(path)
    .sort()
    .map((file) => new Uint8Array(readFileSync(join(path, file))));
}

function save(folder: string, name: string, bytes: Uint8Array): void {
  mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, name, createHash('sha256').update(bytes).digest('hex').slice(0, 12)), bytes);
}

/** The smallest inputs of the corpus, as many as the repository holds. */
function keepSome(name: string, corpus: readonly Uint8Array[]): void {
  rmSync(join(kept, name), { recursive: true, force: true });
  for (const bytes of [...corpus].sort((a, b) => a.length - b.length).slice(0, MaxKept)) save(kept, name, bytes);
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** One target, in its thread. */
async function runJob({ name, seconds, seed, keep, current }: Job): Promise<Outcome> {
  const target = await loadTarget(name);
  const dice = new Dice(seed);
  const [length, bytesNow] = [new Int32Array(current, 0, 1), new Uint8Array(current, 4)];
  const coverage = new Coverage();
  const corpus: Uint8Array[] = [];
  let inputs = 0;
  const attempt = (bytes: Uint8Array): string | null => {
    bytesNow.set(bytes);
    Atomics.store(length, 0, bytes.length);
    inputs++;
    try {
      target.fuzz(bytes.slice());
      return null;
    } catch (error) {
      return `${Buffer.from(bytes).toString('hex')}\n${describe(error)}`;
    }
  };
  const end = (finding: string | null): Outcome => ({ inputs, characters: coverage.size, corpus: corpus.length, finding });
  /** @returns a finding; an input that reached something new joins the corpus */
  const judge = (bytes: Uint8Array): string | null => {
    const finding = attempt(bytes);
    const reached = coverage.take();
    if (finding || !coverage.hasNews(reached)) return finding;
    coverage.add(reached);
    corpus.push(bytes);
    return null;
  };
  const known = [...(target.seeds ?? []), ...readCorpus(name), ...readCorpus(name, work), new Uint8Array(0), new Uint8Array(64)];
  for (const bytes of known) {
    const finding = judge(bytes.subarray(0, MaxInput));
    if (finding) return end(finding);
  }
  const until = performance.now() + seconds * 1000;
  while (performance.now() < until) {
    const batch = Array.from({ length: Batch }, () => havoc(corpus, dice));
    for (const bytes of batch) {
      const finding = attempt(bytes);
      if (finding) return end(finding);
    }
    const reached = coverage.take();
    if (!coverage.hasNews(reached)) continue;
    const before = corpus.length;
    for (const bytes of batch) judge(bytes);
    for (const bytes of corpus.slice(before)) save(work, name, bytes);
    // Targets with a state may not go the same way twice.
    coverage.add(reached);
  }
  if (keep) keepSome(name, corpus);
  coverage.close();
  return end(null);
}

/** @returns whether it was without a finding */
async function runTarget(name: string, seconds: number, seed: number, keep: boolean): Promise<boolean> {
  const current = new SharedArrayBuffer(4 + MaxInput);
  const worker = new Worker(new URL(import.meta.url), { workerData: { name, seconds, seed, keep, current } satisfies Job });
  const outcome = await new Promise<Outcome>((done) => {
    const nothing = { inputs: 0, characters: 0, corpus: 0 };
    const length = new Int32Array(current, 0, 1);
    const hang = setTimeout(
      () => {
        const bytes = Buffer.from(new Uint8Array(current, 4, Atomics.load(length, 0)));
        done({ ...nothing, finding: `${bytes.toString('hex')}\nhangs` });
      },
      seconds * 1000 + HangMs,
    );
    // A library that a target loads may speak too.
    worker.on('message', (message: { outcome?: Outcome }) => message.outcome && done(message.outcome));
    worker.once('error', (error) => done({ ...nothing, finding: `\n${describe(error)}` }));
    worker.once('exit', () => clearTimeout(hang));
  });
  await worker.terminate();
  const { inputs, characters, corpus, finding } = outcome;
  if (!finding) {
    console.log(`${name.padEnd(18)} ${String(inputs).padStart(9)} inputs, ${characters} characters of source reached, corpus ${corpus}`);
    return true;
  }
  const [hex, ...stack] = finding.split('\n');
  mkdirSync(work, { recursive: true });
  writeFileSync(join(work, `${name}.finding`), Buffer.from(hex, 'hex'));
  console.log(
    `${name}: FINDING after ${inputs} inputs (seed ${seed}), input in build/fuzz/${name}.finding\n${hex.slice(0, 400)}\n${stack.join('\n')}`,
  );
  return false;
}

async function main(): Promise<void> {
  const seconds = Number(process.env.FUZZ_SECONDS ?? 10);
  const seed = Number(process.env.FUZZ_SEED ?? Date.now() & 0x7fffffff);
  const names = process.env.FUZZ_TARGETS?.split(' ').filter((name) => name !== '') ?? targetNames();
  console.log(`fuzz: ${names.length} targets, ${seconds} s each, FUZZ_SEED=${seed}`);
  let good = true;
  for (const name of names) {
    rmSync(join(work, `${name}.finding`), { force: true });
    good = (await runTarget(name, seconds, seed, process.env.FUZZ_KEEP === '1')) && good;
  }
  process.exitCode = good ? 0 : 1;
}

if (!isMainThread && workerData) parentPort?.postMessage({ outcome: await runJob(workerData as Job) });
else if (process.argv[1] === import.meta.filename) await main();
