// Writes the files of a run. `node dist/bench/render.js bench/results/NAME.json` makes table and plot again from the raw numbers.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { plot } from './plot.js';
import { markdown } from './report.js';
import type { Results } from './results.js';

/** Writes NAME.json, NAME.md and NAME.svg. @returns their paths */
export function writeResults(directory: string, name: string, results: Results): string[] {
  mkdirSync(directory, { recursive: true });
  const files = { json: `${JSON.stringify(results, null, 1)}\n`, md: markdown(results, name), svg: plot(results, name) };
  return Object.entries(files).map(([ending, text]) => {
    const path = join(directory, `${name}.${ending}`);
    writeFileSync(path, text);
    return path;
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = resolve(process.argv[2] ?? '');
  if (!file.endsWith('.json')) {
    process.stderr.write('usage: node dist/bench/render.js bench/results/NAME.json\n');
    process.exit(2);
  }
  writeResults(dirname(file), basename(file, '.json'), JSON.parse(readFileSync(file, 'utf8')) as Results);
}
