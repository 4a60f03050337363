// The product's version, from package.json: the one place where it is written.

import { readFileSync } from 'node:fs';

/** @returns e.g. `0.1.0` */
export function readVersion(): string {
  // dist/control/api/version.js -> the checkout's root
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
