import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { takeInstanceLock } from '../../../cli/instance-lock.js';

const directory = mkdtempSync(join(tmpdir(), 'groupwire-lock-'));
t.teardown(() => rmSync(directory, { recursive: true }));
const lock = join(directory, 'lock');

t.test('one owner at a time', (t) => {
  const release = takeInstanceLock(directory);
  t.match(readFileSync(lock, 'utf8'), new RegExp(`^${process.pid} \\d+\n$`));
  t.throws(
    () => takeInstanceLock(directory),
    { name: 'LockedError', message: `already runs (pid ${process.pid})` },
    'held by a living process',
  );
  release();
  t.notOk(existsSync(lock), 'given back');
  takeInstanceLock(directory)();
  t.end();
});

t.test('a lock that a dead process left is taken over', (t) => {
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  for (const content of [`${dead} 1\n`, `${process.pid} 1\n`, '', 'garbage\n', '-1 5\n', '0 0\n']) {
    writeFileSync(lock, content);
    const release = takeInstanceLock(directory);
    t.match(readFileSync(lock, 'utf8'), new RegExp(`^${process.pid} `), `took over '${content.trim()}'`);
    release();
  }
  t.end();
});
