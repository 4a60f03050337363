// `make bench`: every peer on the same network, interleaved, in one run; writes bench/results/<date>.{json,md,svg}. bench/README.md says how.

import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import { readEnvironment } from './environment.js';
import { type Knobs, readKnobs } from './knobs.js';
import { removeEverythingAtExit, sweep } from './machine.js';
import { measure } from './measure.js';
import { probe, resultsDirectory, root } from './paths.js';
import { startPeer } from './peers/index.js';
import { peerTexts } from './peers/names.js';
import { writeResults } from './render.js';
import type { Results, Round } from './results.js';
import { build, crossesInClear, tearDown, untilReachable } from './topology.js';

function fail(message: string): never {
  process.stderr.write(`bench: ${message}\n`);
  process.exit(2);
}

/** One peer on a network of its own, once. Never throws: what failed is said in the round. */
async function runPeer(knobs: Knobs, peer: string, seg: number, round: number): Promise<Round> {
  const header = { peer, seg, round };
  try {
    await build(seg, probe);
    await startPeer[peer]();
    await untilReachable();
    if (peerTexts[peer].kind !== 'bound' && (await crossesInClear())) throw new Error('packets cross the core in the clear');
    return { ...header, ...(await measure(probe, knobs)) };
  } catch (error) {
    return { ...header, failed: (error as Error).message };
  } finally {
    await tearDown();
  }
}

/** One line of what was measured, for who watches. */
function line(round: Round): string {
  const title = `round ${round.round} SEG=${round.seg} ${round.peer}`.padEnd(38);
  if (round.failed !== undefined) return `${title} FAILED: ${round.failed}`;
  const parts = [
    round.tcp1 && `TCP ${round.tcp1.gbps.toFixed(2)} Gbit/s`,
    round.tcp4 && `x4 ${round.tcp4.gbps.toFixed(2)}`,
    round.flood && `UDP ${round.flood.kpps.toFixed(0)} kpps`,
    round.lossless && `lossless ${round.lossless.kpps.toFixed(0)}`,
    round.rtt && `RTT ${round.rtt.averageUs.toFixed(0)}/${round.rtt.p99Us.toFixed(0)} us`,
    round.memory && `RSS ${round.memory.rssSumMiB.toFixed(0)} MiB`,
  ];
  return `${title} ${parts.filter(Boolean).join('  ')}`;
}

/** `2026-07-30-1412`, in local time, and the label. */
function stem(now: Date, label: string): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  return `${day}-${two(now.getHours())}${two(now.getMinutes())}${label === '' ? '' : `-${label}`}`;
}

let knobs: Knobs;
try {
  knobs = readKnobs(process.env);
} catch (error) {
  fail((error as Error).message);
}
if (process.getuid?.() !== 0) fail('not root: namespaces, TUN and AF_XDP need it');
if (!existsSync('/dev/net/tun')) fail('/dev/net/tun is missing: modprobe tun');
sweep();
removeEverythingAtExit();

const started = new Date();
const rounds: Round[] = [];
const environment = await readEnvironment();
for (let round = 1; round <= knobs.rounds; round++) {
  for (const seg of knobs.segs) {
    for (const peer of knobs.peers) {
      const done = await runPeer(knobs, peer, seg, round);
      rounds.push(done);
      process.stdout.write(`${line(done)}\n`);
    }
  }
}

const results: Results = {
  started: started.toISOString(),
  finished: new Date().toISOString(),
  environment,
  knobs: Object.fromEntries(Object.entries(knobs).map(([name, value]) => [name, String(value)])),
  rounds,
};
const written = writeResults(resultsDirectory, stem(started, knobs.label), results);
process.stdout.write(`${written.map((path) => relative(root, path)).join(' ')}\n`);
process.exit(rounds.every((round) => round.failed !== undefined) ? 1 : 0);
