// Where things are, from dist/bench.

import { join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../..');
export const built = join(root, 'build/bench');
export const probe = join(built, 'probe');
export const resultsDirectory = join(root, 'bench/results');
/** GROUPWIRE=/other/checkout/cli/groupwire measures another build. */
export const launcher = process.env.GROUPWIRE || join(root, 'cli/groupwire');
