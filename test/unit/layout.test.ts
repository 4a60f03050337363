// The dependency rule of the layout, read from the sources' own import lines: dataplane imports nothing of the others; control
// imports only dataplane/tables and dataplane/counters; cli imports only control/api and control/config.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');

const allowed: Record<string, string[]> = {
  dataplane: ['dataplane/'],
  control: ['control/', 'dataplane/tables/', 'dataplane/counters/'],
  cli: ['cli/', 'control/api/', 'control/config/'],
};

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(folder, file));
}

/** Relative imports of a source file, as paths from the root. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map((match) => relative(root, resolve(root, dirname(file), match[1])));
}

for (const [folder, targets] of Object.entries(allowed)) {
  t.test(`${folder} imports only ${targets.join(', ')}`, (t) => {
    const files = sources(folder);
    t.ok(files.length > 0, `${folder} has sources`);
    const outside = files.flatMap((file) =>
      importsOf(file)
        .filter((target) => !targets.some((prefix) => target.startsWith(prefix)))
        .map((target) => `${file} -> ${target}`),
    );
    t.strictSame(outside, [], 'no import crosses the rule');
    t.end();
  });
}

t.test('every folder says what lives in it', (t) => {
  const folders = ['dataplane', 'control', 'cli', 'bench', 'scripts', 'test'].flatMap((top) => [
    top,
    ...(top === 'dataplane' || top === 'control'
      ? readdirSync(join(root, top), { withFileTypes: true })
          .filter((entry) => entry.isDirectory())
          .map((entry) => join(top, entry.name))
      : []),
  ]);
  const missing = folders.filter((folder) => !readdirSync(join(root, folder)).includes('README.md'));
  t.strictSame(missing, [], 'folders without a README.md');
  t.end();
});

t.test('files stay under 300 lines', (t) => {
  const long = ['dataplane', 'control', 'cli', 'bench', 'scripts'].flatMap((folder) =>
    sources(folder)
      .map((file) => ({ file, lines: readFileSync(join(root, file), 'utf8').split('\n').length }))
      .filter(({ lines }) => lines > 300)
      .map(({ file, lines }) => `${file}: ${lines} lines`),
  );
  t.strictSame(long, [], 'files over 300 lines');
  t.end();
});
