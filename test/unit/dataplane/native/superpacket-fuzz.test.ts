// The byte work of superpackets under random and hostile input: superpacket-fuzz.c, built here with AddressSanitizer and UBSan.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { runs } from '../../../support/runs.js';

const root = resolve(fileURLToPath(new URL('.', import.meta.url)), '../../../../..');
// Under test-asan the library is preloaded into everything; the program brings its own.
const env = { ...process.env, LD_PRELOAD: '' };

t.test('checksums, cutting and gathering under random input', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'groupwire-fuzz-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const program = join(folder, 'fuzz');
  const sources = ['checksum.c', 'gso.c', 'gro.c'].map((name) => join(root, 'dataplane/native', name));
  const flags = ['-std=gnu11', '-O1', '-g', '-Wall', '-Wextra', '-Werror', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
  const fuzz = join(root, 'test/unit/dataplane/native/superpacket-fuzz.c');
  const built = spawnSync('cc', [...flags, '-o', program, fuzz, ...sources], { encoding: 'utf8', env });
  t.equal(built.status, 0, built.stderr);
  const { status, stdout, stderr } = spawnSync(program, [String(runs(1))], { encoding: 'utf8', env });
  t.equal(status, 0, stdout + stderr);
  t.end();
});
