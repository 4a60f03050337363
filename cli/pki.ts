// `groupwire pki`: runs the local CA's program (control/pki/main.ts) with the words as they stand.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** dist/cli/pki.js -> dist/control/pki/main.js */
const program = fileURLToPath(new URL('../control/pki/main.js', import.meta.url));

/** @returns its exit status */
export function runPki(words: readonly string[]): number {
  return spawnSync(process.execPath, [program, ...words], { stdio: 'inherit' }).status ?? 1;
}
