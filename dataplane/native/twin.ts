// The twin of the C addon on node:fs and node:crypto. Slower, same results.
import type { Native } from './native.js';

export function makeTwin(): Native {
  throw new Error('the twin is not built yet');
}
