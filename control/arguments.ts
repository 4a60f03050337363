// What the control process was started with.

import { parseArgs } from 'node:util';

/** Of this process. */
export const { values: args } = parseArgs({
  options: {
    instance: { type: 'string', default: 'default' },
    config: { type: 'string' },
    run: { type: 'string' },
    state: { type: 'string' },
    metrics: { type: 'string', default: '127.0.0.1:9848' },
    'key-log': { type: 'string' },
    dataplane: { type: 'string' },
  },
});

/** Ends the process: it cannot do what it was told. */
export function fail(message: string): never {
  process.stderr.write(`groupwire control: ${message}\n`);
  process.exit(1);
}

/** @returns the value of an option that must be there */
export function required(name: 'config' | 'run' | 'state'): string {
  return args[name] ?? fail(`--${name} is missing`);
}
