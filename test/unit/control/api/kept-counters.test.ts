// Counters that were shown do not go back with a process.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { CounterSet } from '../../../../control/api/counters.js';
import { KeptCounters } from '../../../../control/api/kept-counters.js';

const folder = mkdtempSync(join(tmpdir(), 'groupwire-counters-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'counters.json');

/** A process of control: its counters, with what was kept. */
function boot(run: string, names = ['rekeys_sent', 'registrations']) {
  const counters = new CounterSet(names.map((name) => ({ name, help: name })));
  const kept = new KeptCounters(path, run, counters, t.fail);
  kept.restore();
  const values = () => Object.fromEntries(counters.values().map(({ name, value }) => [name, value]));
  return { counters, kept, values };
}

t.test('the next process of a run goes on, another run begins at 0', async (t) => {
  const first = boot('100-1');
  first.counters.add('rekeys_sent', 7);
  first.kept.keep();
  first.counters.add('rekeys_sent'); // never shown
  const second = boot('100-1');
  t.strictSame(second.values(), { rekeys_sent: 7, registrations: 0 });
  second.counters.add('rekeys_sent', 2);
  second.kept.keep();
  t.strictSame(boot('100-1').values(), { rekeys_sent: 9, registrations: 0 });
  t.strictSame(boot('200-5').values(), { rekeys_sent: 0, registrations: 0 });
  t.strictSame(boot('100-1', ['registrations', 'other']).values(), { registrations: 0, other: 0 }, 'another version counts other things');
});

t.test('a file that is none of ours counts as none', async (t) => {
  const good = readFileSync(path, 'utf8');
  for (const text of [
    '',
    good.slice(0, -1),
    '[]',
    '{"run":"100-1"}',
    '{"run":"100-1","counts":{"rekeys_sent":-1}}',
    'null',
    '\0'.repeat(99),
  ]) {
    writeFileSync(path, text);
    t.strictSame(boot('100-1').values(), { rekeys_sent: 0, registrations: 0 }, text);
  }
});

t.test('a folder that cannot be written to is told once, and stops nothing', async (t) => {
  const reasons: string[] = [];
  const counters = new CounterSet([{ name: 'a', help: 'a' }]);
  const kept = new KeptCounters(join(folder, 'none', 'x.json'), '1', counters, (reason) => reasons.push(reason));
  kept.keep();
  kept.keep();
  t.equal(reasons.length, 1);
  t.match(reasons[0], /ENOENT/);
});
