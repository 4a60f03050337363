// The index of bad input (test/bad-input.md) against the tree: what it names exists, no item is missing, no fuzz target is left out.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import t from 'tap';
import { targetNames } from '../../fuzz/run.js';

const root = resolve(import.meta.dirname, '../../../..');
const text = readFileSync(join(root, 'test/bad-input.md'), 'utf8');
const folders = [...text.matchAll(/`(\w)\/` (?:stands )?for `([^`]+)`/g)].map(([, short, path]) => [`${short}/`, path]);

/** Paths between backticks, in full. */
function pathsOf(part: string): string[] {
  return [...part.matchAll(/`([\w./-]+\/[\w./-]+)`/g)].map(([, path]) => {
    const [short, folder] = folders.find(([name]) => path.startsWith(name) && path.length > name.length) ?? ['', ''];
    return folder + path.slice(short.length);
  });
}

const rows = text
  .split('\n')
  .filter((line) => /^\| \d/.test(line))
  .map((line) => {
    const [, item, clause, who, tests] = line.split('|').map((cell) => cell.trim());
    return { item: Number(item), clause, who, tests: pathsOf(tests) };
  });

t.test('items 1 to 31 and 40 to 47, in order, each with who attacks and at least one test', async (t) => {
  t.same([...new Set(rows.map(({ item }) => item))], [...Array.from({ length: 31 }, (_, n) => n + 1), 40, 41, 42, 43, 44, 45, 46, 47]);
  for (const { item, clause, who, tests } of rows) {
    t.match(who, /^[OPMKA]( [OPMKA])*$/, `${item}: ${clause}`);
    t.ok(tests.length > 0 && tests.every((path) => path.startsWith('test/')), `${item}: ${tests}`);
  }
  for (const attacker of 'OMK') t.ok(rows.filter(({ who }) => who.includes(attacker)).length > 5, attacker);
});

t.test('every file that is named exists', async (t) => {
  t.equal(folders.length, 4, 'abbreviations');
  const missing = pathsOf(text).filter((path) => !existsSync(join(root, path)));
  t.same(
    missing.filter((path) => !/^(x|g|u|p)\/$/.test(path)),
    [],
  );
});

t.test('every fuzz target is there, with a corpus', async (t) => {
  const named = pathsOf(text).filter((path) => path.startsWith('test/fuzz/') && !path.endsWith('.test.ts'));
  t.same(
    targetNames().filter((name) => !named.includes(`test/fuzz/${name}.ts`)),
    [],
    'none is left out',
  );
  for (const name of targetNames()) t.ok(existsSync(join(root, `test/fuzz/${name}.test.ts`)), `${name} has a bounded run`);
  t.ok(readdirSync(join(root, 'test/fuzz/corpus')).length > 5);
});

t.test('test/README.md leads here', async (t) => {
  t.match(readFileSync(join(root, 'test/README.md'), 'utf8'), /\(bad-input\.md\)/);
});
