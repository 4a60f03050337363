// One case of path.ts, in a process of its own: node [flags] path-case.js CASE MIX pass|stages [MS]. Prints one line of JSON. MS: how long each repetition
// takes, 80 by default; what is measured in less says only that the case runs (test/path/bench-cases).
//
// `pass` runs the worker's pass as it is: nanoseconds of a packet, bytes allocated, deoptimisations. `stages` calls the same stages one by
// one with a clock between them, which costs some nanoseconds, and then the lookups alone. Not both in one process: a stage's
// factory that is called a second time in an isolate makes slower code.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dropTexts, PathCount } from '../dataplane/counters/declare.js';
import { dropsByReason } from '../dataplane/counters/drops.js';
import type { Env } from '../dataplane/env.js';
import { setClock } from '../dataplane/mem/clock.js';
import { BankCount } from '../dataplane/mem/shared.js';
import { makePipeline } from '../dataplane/pipeline.js';
import { classify } from '../dataplane/proto/classifier.js';
import { lookupFibVector } from '../dataplane/proto/fib.js';
import { cases, type Mix, mixes } from './cases/index.js';
import { makeMember } from './path-member.js';

/** Milliseconds of a repetition. */
const repetitionMs = Number(process.argv[5] ?? 80);
/** Until V8 has compiled everything. */
const warmUpMs = 9 * repetitionMs;
const Repetitions = 9;
/** Passes over which bytes are counted: short enough that nothing is collected meanwhile. Fewer when only a try is wanted: 2,000 that V8 has not compiled take seconds. */
const heapPasses = Math.min(2000, 25 * repetitionMs);

/** What one process tells. */
export interface CaseResult {
  /** Nanoseconds of a packet, one value a repetition. `feed`: what putting packets in and taking them out costs here, to be subtracted. */
  pass: number[];
  feed: number[];
  stages: Record<string, number[]>;
  lookups: { fib: number[]; acl?: number[] };
  packetsPerPass: number;
  bytesPerPass: number;
  deoptimised: string[];
  /** Milliseconds for the FIB, and for the whole bank. */
  buildMs: number;
}

/** By CPU time, so that it is as warm on a busy machine. */
function warmUp(run: () => unknown): void {
  const start = process.cpuUsage();
  while (process.cpuUsage(start).user < warmUpMs * 1000) for (let i = 0; i < 50; i++) run();
}

/** Runs for a while. @returns nanoseconds of one unit, of which `run` does some and tells how many */
function timed(ms: number, run: () => number): number {
  const start = performance.now();
  let units = 0;
  let now = start;
  for (; now - start < ms; now = performance.now()) for (let i = 0; i < 8; i++) units += run();
  return ((now - start) * 1e6) / units;
}

function repeat(run: () => number): number[] {
  timed(repetitionMs, run);
  return Array.from({ length: Repetitions }, () => timed(repetitionMs, run));
}

/** Bytes that stay on the heap after the passes, less those of asking. Needs --expose-gc and a young generation that holds them all. */
function bytesPerPass(pass: () => unknown): number {
  const { gc } = globalThis;
  if (gc === undefined) return Number.NaN;
  const grown = (passes: number) => {
    gc();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < passes; i++) pass();
    return process.memoryUsage().heapUsed - before;
  };
  grown(10);
  return (grown(heapPasses) - grown(0)) / heapPasses;
}

/** The stages of the pass with their names, in its order. */
async function loadStages(env: Env): Promise<[name: string, run: () => unknown][]> {
  const folder = new URL('../dataplane/path/', import.meta.url);
  const files = readdirSync(folder).filter((file) => /^\d\d-.*\.js$/.test(file));
  const stages: [string, () => unknown][] = [];
  for (const file of files.sort()) {
    const module: Record<string, unknown> = await import(new URL(file, folder).href);
    const make = Object.entries(module).find(([name]) => name.startsWith('make'))?.[1] as (env: Env) => () => unknown;
    stages.push([file.slice(0, -3), make(env)]);
  }
  return stages;
}

async function timeStages(env: Env): Promise<Record<string, number[]>> {
  const stages = await loadStages(env);
  /** Where a turn begins: what stands before reads, once a pass. */
  const turn = stages.findIndex(([name]) => name >= '15');
  const spent = new Float64Array(stages.length);
  const { ipInput, route } = env.vec;
  const pass = (): number => {
    setClock(env.clock, env.now());
    let received = 0;
    let first = 0;
    do {
      for (let i = first; i < stages.length; i++) {
        const before = performance.now();
        stages[i][1]();
        spent[i] += performance.now() - before;
        if (i === turn - 1) received = ipInput.length;
      }
      first = turn;
    } while (ipInput.length + route.length > 0);
    return received;
  };
  warmUp(pass);
  const times: Record<string, number[]> = Object.fromEntries(stages.map(([name]) => [name, []]));
  for (let repetition = 0; repetition < Repetitions; repetition++) {
    spent.fill(0);
    let packets = 0;
    timed(repetitionMs, () => {
      const received = pass();
      packets += received;
      return received;
    });
    stages.forEach(([name], i) => {
      times[name].push((spent[i] * 1e6) / packets);
    });
  }
  return times;
}

/** The lookups alone, in the columns that a batch fills: longest prefix match, and where there is a crypto map its list. */
function timeLookups(env: Env, packets: readonly Uint8Array[]): CaseResult['lookups'] {
  const { fibRoot, fibNodes, fibHalves, aces, aclWords, entryLists, counts } = env.tables;
  const count = packets.length;
  const words = (of: (view: DataView) => number) => Int32Array.from(packets, (bytes) => of(new DataView(bytes.buffer, bytes.byteOffset)));
  const src = words((view) => view.getInt32(12));
  const dst = words((view) => view.getInt32(16));
  const protocol = words((view) => view.getUint8(9));
  const sport = words((view) => view.getUint16(20));
  const dport = words((view) => view.getUint16(22));
  const results = new Int32Array(Math.max(count, 256));
  const batch = new Int32Array(256);
  let next = 0;
  const fib = () => {
    for (let i = 0; i < batch.length; i++) batch[i] = next = next + 1 < count ? next + 1 : 0;
    lookupFibVector(fibRoot, fibNodes, fibHalves, counts[BankCount.FibRoot], dst, batch, batch.length, results);
    return batch.length;
  };
  const acl = () => {
    const list = entryLists[0];
    for (let i = 0; i < count; i++) results[i] = classify(aces, aclWords, list, protocol[i], src[i], dst[i], sport[i], dport[i], 0);
    return count;
  };
  warmUp(fib);
  if (counts[BankCount.CryptoEntries] === 0) return { fib: repeat(fib) };
  warmUp(acl);
  return { fib: repeat(fib), acl: repeat(acl) };
}

/** @throws Error unless every packet has left */
function checkBalance(env: Env): void {
  const { path, drops } = env.counters;
  if (path[PathCount.Received] === path[PathCount.Sent] && path[PathCount.Dropped] === 0) return;
  const counts = dropsByReason(drops);
  const reasons = dropTexts.filter((_, reason) => counts[reason] > 0).map(({ name }) => name);
  throw new Error(`${path[PathCount.Received]} received, ${path[PathCount.Sent]} sent; ${reasons.join(', ')}`);
}

async function main(name: string, mix: Mix, mode: string): Promise<CaseResult> {
  const found = cases.find((candidate) => candidate.name === name);
  if (found === undefined || mixes[mix] === undefined) throw new Error(`no case ${name} ${mix}`);
  const workload = found.make(mixes[mix]);
  const { env, feed, buildMs } = makeMember(workload);
  const traces = process.env.DEOPT_TRACES;
  const result: CaseResult = {
    pass: [],
    feed: [],
    stages: {},
    lookups: { fib: [] },
    packetsPerPass: 0,
    bytesPerPass: 0,
    deoptimised: [],
    buildMs,
  };
  if (mode === 'stages') {
    result.stages = await timeStages(env);
    checkBalance(env);
    result.lookups = timeLookups(env, workload.packets);
    return result;
  }
  const pass = makePipeline(env);
  warmUp(pass);
  const before = tracesIn(traces).length;
  result.bytesPerPass = bytesPerPass(pass);
  result.pass = repeat(pass);
  result.packetsPerPass = pass();
  result.deoptimised = tracesIn(traces).slice(before);
  checkBalance(env);
  const offsets = new Int32Array(result.packetsPerPass).map((_, i) => i * 2048 + 128);
  const lengths = new Int32Array(result.packetsPerPass);
  result.feed = repeat(() => {
    feed.rx(100, env.slots.bytes, offsets, lengths, result.packetsPerPass, 2048);
    return feed.tx(101, env.slots.bytes, offsets, lengths, result.packetsPerPass, lengths);
  });
  return result;
}

/** Functions of this file: warm or not is not the question. */
const own = ['timed', 'grown', 'repeat', 'warmUp', 'bytesPerPass'];

/** Deoptimisations so far, one line each (--redirect-code-traces-to). */
function tracesIn(file: string | undefined): string[] {
  if (file === undefined || !existsSync(file)) return [];
  const bailouts = readFileSync(file, 'utf8').matchAll(/\[bailout \((.*?)\): begin\. deoptimizing \S+ <JSFunction (\S*) ?\(sfi/g);
  return [...bailouts].filter(([, , name]) => !own.includes(name)).map(([, why, name]) => `${name || 'anonymous'}: ${why}`);
}

console.log(JSON.stringify(await main(process.argv[2], process.argv[3] as Mix, process.argv[4])));
