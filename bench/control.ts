// What a key server's control plane carries: registrations a second and core, rekeys a second and core, and how both grow with the number
// of members. No sockets; state goes to a real sealed store on disk, as in control/router.ts. Numbers, never a failure because of one.
//
//   node dist/bench/control.js          [DH="14 19"] [SIZES="1000 10000"] [SAMPLE=10000] [REKEYS=10]

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Batch } from './control-load.js';
import type { Cost, Step } from './control-process.js';
import { readEnvironment } from './environment.js';
import { resultsDirectory } from './paths.js';

const numbers = (name: string, fallback: string): number[] => (process.env[name] ?? fallback).split(' ').filter(Boolean).map(Number);
const groups = numbers('DH', '14 19');
const sizes = numbers('SIZES', '1000 10000').sort((a, b) => a - b);
const [sample] = numbers('SAMPLE', '10000');
const [rekeys] = numbers('REKEYS', '10');
const execArgv = ['--expose-gc', '--max-semi-space-size=64'];

/** CPU of the key server alone, in us. */
interface Row {
  group: number;
  members: number;
  /** Of one registration of a member that had been there: mean of `sample`, the occasional save of all state included. */
  registrationUs: number;
  registrationsPerSecond: number;
  /** Of one rekey to all and its acknowledgements, per member; mean of `rekeys`. */
  rekeyUsPerMember: number;
  rekeysPerSecond: number;
  /** Until the push to the last member has left the engine, ms. */
  pushMs: number;
}

/** A key server in a process of its own (control-process.ts): its heap is that of its size. */
class KeyServer {
  readonly registrations: number[] = [];
  readonly rekeys: number[] = [];
  readonly pushes: number[] = [];
  private readonly child: ChildProcess;

  constructor(
    readonly group: number,
    readonly members: number,
    folder: string,
  ) {
    this.child = fork(join(import.meta.dirname, 'control-process.js'), [String(group), String(members), folder], { execArgv });
  }

  async run(step: Step): Promise<Cost> {
    this.child.send(step);
    const answered = new AbortController();
    const { signal } = answered;
    const failed = once(this.child, 'exit', { signal }).then(() => Promise.reject(new Error(`${this.members} members: ${step} failed`)));
    try {
      const [answer] = await Promise.race([once(this.child, 'message', { signal }), failed]);
      return answer as Cost;
    } finally {
      answered.abort(); // whoever was not first listens no longer
    }
  }

  async registerBatch(): Promise<void> {
    this.registrations.push((await this.run('registrations')).us / Batch);
  }

  async rekey(): Promise<void> {
    const { us, pushMs } = await this.run('rekey');
    this.rekeys.push(us / this.members);
    this.pushes.push(pushMs);
  }

  row(): Row {
    const registrationUs = mean(this.registrations);
    const rekeyUsPerMember = mean(this.rekeys);
    return {
      group: this.group,
      members: this.members,
      registrationUs: Math.round(registrationUs),
      registrationsPerSecond: Math.round(1e6 / registrationUs),
      rekeyUsPerMember: Math.round(rekeyUsPerMember * 10) / 10,
      rekeysPerSecond: Math.round(1e8 / (rekeyUsPerMember * this.members)) / 100,
      pushMs: Math.round(mean(this.pushes) * 10) / 10,
    };
  }

  stop(): void {
    this.child.disconnect();
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** All sizes by turns, so that a slow minute of the machine meets each of them. */
async function measure(group: number, folder: string): Promise<Row[]> {
  const servers = sizes.map((members) => new KeyServer(group, members, folder));
  try {
    for (const server of servers) await server.run('fill');
    for (let left = sample; left > 0; left -= Batch) for (const server of servers) await server.registerBatch();
    for (let left = rekeys; left > 0; left--) for (const server of servers) await server.rekey();
    return servers.map((server) => server.row());
  } finally {
    for (const server of servers) server.stop();
  }
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
    for (const row of await measure(group, folder)) {
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
