// Every case of `make bench-path` runs to its end, all of its packets leave, and what it times is there. Times are not looked at.

import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { cases } from '../../../bench/cases/index.js';
import type { CaseResult } from '../../../bench/path-case.js';

const bench = resolve(import.meta.dirname, '../../../bench');
/** Milliseconds of a repetition. */
const Short = '2';
/** A case takes a second alone; beside other tests, until V8 has compiled it, twenty times that. What hangs is found all the same. */
const TimeoutMs = 60_000;
/** A million rows take seconds to build, and are no other code than a thousand. */
const quick = cases.filter(({ name }) => !name.endsWith('-1m'));

async function run(name: string, mix: string, mode: 'pass' | 'stages'): Promise<CaseResult> {
  const { stdout } = await promisify(execFile)(process.execPath, [join(bench, 'path-case.js'), name, mix, mode, Short], {
    timeout: TimeoutMs,
    killSignal: 'SIGKILL',
  });
  return JSON.parse(stdout);
}

for (const { name, sizes } of quick) {
  t.test(name, async (t) => {
    const mix = sizes[sizes.length - 1];
    const [whole, { stages, lookups }] = await Promise.all([run(name, mix, 'pass'), run(name, mix, 'stages')]);
    t.ok(
      whole.packetsPerPass > 0 && whole.pass.every((ns) => ns > 0),
      `a pass takes ${whole.packetsPerPass} packets, ${whole.pass} ns each`,
    );
    t.ok(
      stages['40-route']?.every((ns) => ns > 0),
      `40-route: ${stages['40-route']} ns`,
    );
    t.ok(
      lookups.fib.every((ns) => ns > 0),
      `fib: ${lookups.fib} ns`,
    );
    // What has no crypto map has no list to look up in.
    t.equal(lookups.acl === undefined, name === 'gre', `acl: ${lookups.acl} ns`);
  });
}

t.test('words that name no case', async (t) => {
  const path = join(bench, 'path.js');
  await t.rejects(promisify(execFile)(process.execPath, [path, 'gre', 'no-such']), {
    code: 2,
    stderr: /^no case has 'no-such' in its name: clear /,
  });
});
