// `groupwire wait-ready`: asks control until everything configured is up, or says what is missing.

import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, fetchReady } from '../control/api/client.js';
import { CliError } from './errors.js';

const PollMs = 50;
/** To answer: with `--timeout 0` too, on a busy machine. */
const LeastMs = 2000;

/** @throws CliError after `timeoutSeconds`, naming what is missing */
export async function waitReady(instance: string, socketPath: string, timeoutSeconds: number): Promise<void> {
  const deadline = performance.now() + timeoutSeconds * 1000;
  for (;;) {
    const missing = await findMissing(socketPath, Math.max(deadline - performance.now(), LeastMs));
    if (missing.length === 0) return;
    if (performance.now() + PollMs > deadline) {
      throw new CliError(`instance '${instance}' is not ready after ${timeoutSeconds} s: ${missing.join('; ')}`);
    }
    await sleep(PollMs);
  }
}

/** An instance that does not answer may be starting: that is something missing, not an error. */
async function findMissing(socketPath: string, timeoutMs: number): Promise<string[]> {
  try {
    const { ready, missing } = await fetchReady(socketPath, timeoutMs);
    return ready ? [] : missing.length > 0 ? missing : ['control does not say what'];
  } catch (error) {
    if (error instanceof ApiError) return [error.message];
    throw error;
  }
}
