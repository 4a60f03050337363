// Runs a test body in a network namespace of its own, which ends with the process.

import { fileURLToPath } from 'node:url';
import t from 'tap';

/** @param body file beside this one, compiled */
export async function runBody(body: string): Promise<void> {
  await t.spawn('unshare', ['--net', process.execPath, fileURLToPath(new URL(body, import.meta.url))], {}, body);
}
