// A million NAT sessions end while packets of a thousand others pass: how long does a pass take? Prints percentiles, in microseconds; nothing
// fails.
//
//   node dist/bench/nat-expiry.js      on an idle machine: the percentiles of a busy one are those of its other processes
//
// `pass`: every pass from the first to the last session that ended. `with a look`: those in which 97-nat-expire looked. `most`: the looks of a worker that
// has slept, as many rows and ends as one may have.

import { NatCount } from '../dataplane/counters/declare.js';
import { Sweep } from '../dataplane/path/97-nat-expire.js';
import { makePipeline } from '../dataplane/pipeline.js';
import { NatRow, NatState } from '../dataplane/tables/layout.js';
import { cases, mixes } from './cases/index.js';
import { makeSessions } from './cases/nat.js';
import { makeMember } from './path-member.js';

const Sessions = 1_000_000;
const Kept = 1000;

function tell(name: string, microseconds: number[]): void {
  const sorted = microseconds.sort((a, b) => a - b);
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))].toFixed(0).padStart(8);
  console.log(
    `${name.padEnd(14)}${String(sorted.length).padStart(9)} passes   p50${at(0.5)}   p99${at(0.99)}   p99.9${at(0.999)}   max${at(1)}`,
  );
}

const found = cases.find(({ name }) => name === 'nat-1k');
if (found === undefined) throw new Error('no case nat-1k');
const { env } = makeMember(found.make(mixes['64']));
const pass = makePipeline(env);
const { sessions } = env.nat;
const { nat: counts } = env.counters;
const seconds = () => Math.floor(env.native.monotonicMs() / 1000);

/** All but those that traffic uses have been quiet for too long. */
function fill(): void {
  sessions.clear();
  makeSessions(env, Sessions);
  for (let row = 0; row < sessions.capacity; row++) sessions.rows[row * NatRow.Words + NatRow.State] = NatState.Udp;
  for (let row = Kept; row < Sessions; row++) sessions.rows[row * NatRow.Words + NatRow.Used] = seconds() - 100_000;
}

for (const start = performance.now(); performance.now() - start < 1500; ) pass(); // warm
fill();
const all: number[] = [];
const looks: number[] = [];
while (sessions.length > Kept) {
  const ended = counts[NatCount.Expired];
  const before = performance.now();
  pass();
  const took = (performance.now() - before) * 1000;
  all.push(took);
  if (counts[NatCount.Expired] > ended) looks.push(took);
}
tell('pass', all);
tell('with a look', looks);
fill();
const most: number[] = [];
while (sessions.length > Kept) {
  const before = performance.now();
  sessions.sweep(env.tables.natTimeouts, seconds(), Sweep.MostRows, Sweep.MostEnds);
  most.push((performance.now() - before) * 1000);
}
tell('most', most);
