// What a key server's control plane carries: registrations a second and core, rekeys a second and core, and how both grow with the number
// of members. No sockets; state goes to a real sealed store on disk, as in control/router.ts. Numbers, never a failure because of one.
//
//   node --expose-gc --max-semi-space-size=64 dist/bench/control.js          [DH="14 19"] [SIZES="1000 10000"] [SAMPLE=750] [REKEYS=7]

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DhGroup } from '../control/config/model.js';
import { SealedStore } from '../control/store/sealed-store.js';
import { Batch, ControlLoad } from './control-load.js';
import { readEnvironment } from './environment.js';
import { resultsDirectory } from './paths.js';

const numbers = (name: string, fallback: string): number[] => (process.env[name] ?? fallback).split(' ').filter(Boolean).map(Number);
const groups = numbers('DH', '14 19');
const sizes = numbers('SIZES', '1000 10000').sort((a, b) => a - b);
const [sample] = numbers('SAMPLE', '750');
const [rekeys] = numbers('REKEYS', '7');

/** CPU of the key server alone, in us. */
interface Row {
  group: number;
  members: number;
  /** Of one registration: the last `sample` members up to that size, median of batches of 250. */
  registrationUs: number;
  registrationsPerSecond: number;
  /** Of one rekey to all and its acknowledgements, per member; the median of `rekeys`. */
  rekeyUsPerMember: number;
  rekeysPerSecond: number;
  /** Until the push to the last member has left the engine, ms. */
  pushMs: number;
}

/** Counts the CPU of what runs in `around`. */
class Meter {
  us = 0;
  readonly around = (run: () => void): void => {
    const before = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(before);
    this.us += user + system;
  };

  take(): number {
    const { us } = this;
    this.us = 0;
    return us;
  }
}

/** What was left to collect is collected before, when node was started with --expose-gc: it is nobody's who is measured now. */
function collect(meter: Meter): void {
  globalThis.gc?.();
  meter.take();
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

/** A key server that has seen nothing else: what it offers, one TEK, is the same at every size. */
async function measure(group: DhGroup, members: number, folder: string): Promise<Row> {
  const store = await SealedStore.open(join(folder, `${group}-${members}`));
  const meter = new Meter();
  const state = { save: (bytes: Uint8Array) => store.save('gdoi', bytes), append: (entry: Uint8Array) => void store.append('gdoi', entry) };
  const load = new ControlLoad(group, state, meter.around);
  load.register(members - sample);
  const registrations: number[] = [];
  for (let left = sample; left > 0; left -= Batch) {
    collect(meter);
    load.register(Batch);
    registrations.push(meter.take() / Batch);
  }
  const registrationUs = median(registrations);
  const times: number[] = [];
  const pushes: number[] = [];
  for (let n = 0; n < rekeys; n++) {
    collect(meter);
    load.rekey();
    times.push(meter.take() / members);
    pushes.push(load.pushMs);
  }
  const rekeyUsPerMember = median(times);
  return {
    group,
    members,
    registrationUs: Math.round(registrationUs),
    registrationsPerSecond: Math.round(1e6 / registrationUs),
    rekeyUsPerMember: Math.round(rekeyUsPerMember * 10) / 10,
    rekeysPerSecond: Math.round(1e8 / (rekeyUsPerMember * members)) / 100,
    pushMs: Math.round(median(pushes) * 10) / 10,
  };
}

function ratios(rows: readonly Row[]): { group: number; registration: number; rekey: number }[] {
  return groups.flatMap((group) => {
    const own = rows.filter((row) => row.group === group);
    if (own.length < 2) return [];
    const [first, last] = [own[0], own[own.length - 1]];
    const ratio = (a: number, b: number): number => Math.round((a / b) * 100) / 100;
    return [
      {
        group,
        registration: ratio(last.registrationUs, first.registrationUs),
        rekey: ratio(last.rekeyUsPerMember, first.rekeyUsPerMember),
      },
    ];
  });
}

function table(rows: readonly Row[], environment: Record<string, string>): string {
  const lines = rows.map(
    (row) =>
      `| ${row.group} | ${row.members} | ${row.registrationUs} | ${row.registrationsPerSecond} | ${row.rekeyUsPerMember} | ${row.rekeysPerSecond} | ${row.pushMs} |`,
  );
  const growth = ratios(rows).map(
    ({ group, registration, rekey }) =>
      `- DH ${group}: cost per member at ${sizes[sizes.length - 1]} members : at ${sizes[0]}: registration ${registration}, rekey ${rekey}`,
  );
  return [
    '# Control plane of a key server',
    '',
    'CPU of the key server alone, one core, AES-256-GCM group, RSA-2048, state sealed on disk.',
    '',
    '| DH group | members | registration, us | registrations/s | rekey, us per member | rekeys to all/s | push to all, ms |',
    '|---|---|---|---|---|---|---|',
    ...lines,
    '',
    ...growth,
    '',
    ...Object.entries(environment).map(([name, value]) => `- ${name}: ${value}`),
    '',
  ].join('\n');
}

const started = new Date();
const environment = await readEnvironment();
const folder = mkdtempSync(join(tmpdir(), 'groupwire-bench-control-'));
try {
  const rows: Row[] = [];
  for (const group of groups) {
    for (const members of sizes) {
      const row = await measure(group as DhGroup, members, folder);
      console.log(JSON.stringify(row));
      rows.push(row);
    }
  }
  environment['load at the end'] = loadavg()[0].toFixed(2);
  const text = table(rows, environment);
  const name = `${started.toISOString().slice(0, 16).replace('T', '-').replace(':', '')}-control`;
  writeFileSync(
    join(resultsDirectory, `${name}.json`),
    `${JSON.stringify({ started, environment, sample, rekeys, rows, ratios: ratios(rows) }, null, 2)}\n`,
  );
  writeFileSync(join(resultsDirectory, `${name}.md`), text);
  console.log(`\n${text}\nwritten to bench/results/${name}.json and .md`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
