// make simulate: days with seeds that nobody has seen, one line each; a day that breaks a rule is printed with its seed and ends in status 1.
//
//   SEEDS=3 MEMBERS=1000 HOURS=24.5 PARTITION=1 node dist/test/simulator/simulate.js       SEED=x for one that is known

import { randomBytes } from 'node:crypto';
import { Day, usualDay } from './day.js';

const number = (name: string, fallback: number): number => Number(process.env[name] ?? fallback);
const seeds = process.env.SEED ? [process.env.SEED] : Array.from({ length: number('SEEDS', 3) }, () => randomBytes(4).toString('hex'));
const partition = number('PARTITION', 1) ? { at: 10.5 * 3_600_000, length: 1_800_000 } : null;

for (const seed of seeds) {
  const day = new Day({
    ...usualDay,
    seed,
    members: number('MEMBERS', usualDay.members),
    hours: number('HOURS', usualDay.hours),
    partition,
  });
  day.run();
  console.log(day.summary());
  for (const fault of day.faults.slice(0, 10)) console.log(`  ${fault}`);
  const late = day.unregistered > 0 || (partition !== null && day.backAfterMs === null);
  if (late) console.log(`  ${day.unregistered} members are not registered at the end`);
  if (late || day.faults.length > 0 || day.registrations.most > day.options.registrationRate) process.exitCode = 1;
}
