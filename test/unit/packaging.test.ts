// The package's parts, judged by the programs that will read them: systemd's own checks of units, man, bash and the parser of shell scripts.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { repoRoot } from '../support/lab.js';

const packaging = join(repoRoot, 'scripts/packaging');
const units = ['groupwire', 'groupwire-dataplane'];
const missing = (program: string) => (existsSync(`/usr/bin/${program}`) ? false : `no ${program}`);

function output(program: string, args: string[]): string {
  const { stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C.UTF-8', MANWIDTH: '80' },
  });
  if (error) throw error;
  return `${stdout}${stderr}`;
}

t.test('systemd-analyze verify has nothing to say', { skip: missing('systemd-analyze') }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'groupwire-units-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  for (const unit of units) {
    // The programs are there when the package is installed.
    const text = readFileSync(join(packaging, 'systemd', `${unit}@.service`), 'utf8').replace(/^ExecStart=\S+/gm, 'ExecStart=/bin/true');
    writeFileSync(join(folder, `${unit}@.service`), text);
    writeFileSync(join(folder, `${unit}@r1.service`), text);
  }
  const said = output('systemd-analyze', ['verify', '--man=no', ...units.map((unit) => join(folder, `${unit}@r1.service`))]);
  // Of the machine's own units, if it has faulty ones, nothing is to be said here.
  t.equal(
    said
      .split('\n')
      .filter((line) => line.includes('groupwire'))
      .join('\n'),
    '',
  );
  t.end();
});

t.test('systemd-analyze security: exposure OK or better', { skip: missing('systemd-analyze') }, (t) => {
  for (const unit of units) {
    const said = output('systemd-analyze', ['security', '--offline=true', join(packaging, 'systemd', `${unit}@.service`)]);
    const [, exposure, word] = /Overall exposure level for \S+: ([0-9.]+) (\w+)/.exec(said) ?? [];
    t.ok(Number(exposure) < 4 && ['OK', 'SAFE', 'PERFECT'].includes(word), `${unit}@.service: ${exposure} ${word}`);
  }
  t.end();
});

t.test('the units say what the README says of rights', (t) => {
  const capabilities = (unit: string) =>
    /^CapabilityBoundingSet=(.*)$/m.exec(readFileSync(join(packaging, 'systemd', `${unit}@.service`), 'utf8'))?.[1].split(' ');
  t.strictSame(capabilities('groupwire'), ['CAP_NET_BIND_SERVICE']);
  t.strictSame(capabilities('groupwire-dataplane'), ['CAP_NET_ADMIN', 'CAP_NET_RAW', 'CAP_BPF', 'CAP_IPC_LOCK']);
  t.end();
});

t.test('manual pages have no warnings', { skip: missing('man') }, (t) => {
  for (const page of readdirSync(join(packaging, 'man'))) {
    const args = ['--warnings', '-E', 'UTF-8', '-l', '-Tutf8', '-Z', join(packaging, 'man', page)];
    const { stderr, status } = spawnSync('man', args, {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C.UTF-8', MANWIDTH: '80', MANROFFSEQ: '' },
    });
    t.strictSame({ stderr, status }, { stderr: '', status: 0 }, page);
  }
  t.end();
});

t.test('scripts are shell', (t) => {
  for (const script of ['postinst', 'prerm', 'postrm']) execFileSync('sh', ['-n', join(packaging, 'debian', script)]);
  for (const script of ['build-deb', 'clean-root', 'groupwire.bash-completion']) execFileSync('bash', ['-n', join(packaging, script)]);
  t.end();
});

t.test('completion of bash knows the grammar', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'groupwire-completion-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const complete = (...words: string[]): string[] => {
    const script = `
      PATH=${join(repoRoot, 'cli')}:$PATH
      . ${join(packaging, 'groupwire.bash-completion')}
      COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _groupwire; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return execFileSync('bash', ['-c', script, 'bash', ...words], { encoding: 'utf8', cwd: folder })
      .split('\n')
      .filter(Boolean);
  };
  t.strictSame(complete('groupwire', 'sho'), ['show']);
  t.strictSame(complete('groupwire', '--instance', 'r1', 'show', 'crypto', 'gd'), ['gdoi']);
  t.ok(complete('groupwire', 'show', 'ip', '').includes('nat'));
  t.strictSame(complete('groupwire', 'run', '--data'), ['--dataplane']);
  t.strictSame(complete('groupwire', 'show', 'nothing', 'like', 'it', ''), []);
  t.end();
});
