// Order is the semantics: pipeline.ts must name the stages in the order of their files, in its imports, its construction and its pass.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

let root = dirname(fileURLToPath(import.meta.url));
while (!existsSync(join(root, 'package.json'))) root = dirname(root);
const source = readFileSync(join(root, 'dataplane/pipeline.ts'), 'utf8');
const files = readdirSync(join(root, 'dataplane/path'))
  .filter((name) => name.endsWith('.ts'))
  .sort();
const names = files.map((file) => file.replace(/^\d+-|\.ts$/g, '').replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()));

t.test('every file of path/ is a numbered stage, and numbers differ', (t) => {
  for (const file of files) t.match(file, /^\d\d-[a-z0-9-]+\.ts$/);
  t.equal(new Set(files.map((file) => file.slice(0, 2))).size, files.length);
  t.end();
});

t.test('imports, factories and calls in file order', (t) => {
  t.strictSame(
    [...source.matchAll(/from '\.\/path\/(.+)\.js'/g)].map((match) => `${match[1]}.ts`),
    files,
  );
  t.strictSame(
    [...source.matchAll(/const (\w+) = watch\('([^']+)', make\w+\(env\)\)/g)].map((match) => [match[1], `${match[2]}.ts`]),
    names.map((name, i) => [name, files[i]]),
    'each is watched under the name of its file',
  );
  const pass = source.slice(source.indexOf('return function pass'));
  t.strictSame(
    [...pass.matchAll(/(\w+)\(\);/g)].map((match) => match[1]).filter((name) => names.includes(name)),
    names,
  );
  t.end();
});

t.test('the drawing in the README names the stages, each once, in this order', (t) => {
  const readme = readFileSync(join(root, 'dataplane/README.md'), 'utf8');
  const section = readme.slice(readme.indexOf('## Order of operations'));
  const drawing = section.slice(section.indexOf('```') + 3, section.indexOf('```', section.indexOf('```') + 3));
  const lines = drawing.split('\n').flatMap((line) => /\b(\d\d-[a-z-]+)/.exec(line)?.[1] ?? []);
  // Other workers' packets come in beside the devices', in the same line.
  const beside = [...drawing.matchAll(/──>\s+(\d\d-[a-z-]+) {2}\(before/g)].map((match) => match[1]);
  t.strictSame(
    [...beside, ...lines],
    files.map((file) => file.slice(0, -3)),
  );
  t.end();
});

t.test('stages use no Buffer, BigInt, throw or log', (t) => {
  for (const file of files) {
    const text = readFileSync(join(root, 'dataplane/path', file), 'utf8').replace(/\/\/.*|\/\*[\s\S]*?\*\//g, '');
    t.notMatch(text, /\bBuffer\b|BigInt|\d+n\b|\bthrow\b|console\.|\btry\b/, file);
  }
  t.end();
});
