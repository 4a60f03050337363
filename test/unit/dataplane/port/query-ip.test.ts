// Queries of `ip -j`, with an `ip` before the real one that interrupts dumps as iproute2 6.1 was seen to: netdevs missing, one line of
// warning, status 0.

import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { queryIp } from '../../../../dataplane/port/run-command.js';

/** @param interrupted so many dumps fail @returns what became of them and how often ip ran */
function query(folder: string, interrupted: number): { names: string[]; runs: number } {
  const [program, calls] = [join(folder, 'ip'), join(folder, 'calls')];
  writeFileSync(calls, '');
  writeFileSync(
    program,
    `#!/bin/sh
cat >/dev/null
echo >>${calls}
[ $(wc -l <${calls}) -gt ${interrupted} ] && { echo '[{"ifname":"lo"},{"ifname":"eth0"}]'; exit; }
echo '[{"ifname":"lo"}]'
echo 'Dump was interrupted and may be inconsistent.' >&2
`,
  );
  chmodSync(program, 0o755);
  const path = process.env.PATH;
  process.env.PATH = `${folder}:${path}`;
  try {
    const [links] = queryIp(['link show']) as [{ ifname: string }[]];
    return { names: links.map(({ ifname }) => ifname), runs: readFileSync(calls, 'utf8').length };
  } finally {
    process.env.PATH = path;
  }
}

t.test('interrupted dumps', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'groupwire-ip-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  t.strictSame(query(folder, 0), { names: ['lo', 'eth0'], runs: 1 }, 'a whole one');
  t.strictSame(query(folder, 2), { names: ['lo', 'eth0'], runs: 3 }, 'asked for again');
  t.strictSame(query(folder, 1000), { names: ['lo'], runs: 20 }, 'not for ever');
});
