// Two small processes in the place of the dataplane and control, for tests of the supervisor. They write what happens to them to a file
// `events` beside them, end at end-of-file on stdin and at SIGTERM like the real ones, and do what files beside them ask for.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const source = (name: string) => `
import { appendFileSync, existsSync } from 'node:fs';
const folder = new URL('..', import.meta.url).pathname;
const say = (what) => appendFileSync(folder + 'events', '${name} ' + what + '\\n');
say('start ' + process.pid + ' ' + process.argv.slice(2).join(' ') + ' native=' + (process.env.GROUPWIRE_NATIVE ?? ''));
if (existsSync(folder + '${name}-hopeless')) { say('hopeless'); process.exit(78); }
if (existsSync(folder + '${name}-broken')) process.exit(3);
process.stdin.on('end', () => { say('eof'); process.exit(0); });
process.stdin.resume();
process.on('SIGTERM', () => { say('term'); if (!existsSync(folder + '${name}-stubborn')) process.exit(0); });
process.on('SIGHUP', () => { say('hup'); process.send({ state: 'reloaded' }); });
process.on('disconnect', () => undefined);
process.send({ state: 'ready', status: '${name} is well' });
setInterval(() => existsSync(folder + '${name}-mute') || (process.connected && process.send({ state: 'alive' })), 50).unref();
process.stderr.write('${name}: a line on stderr\\n');
say('listening');
`;

/** Writes the stand-ins below `folder`, laid out like dist/. */
export function writeStandIns(folder: string): void {
  for (const name of ['dataplane', 'control']) {
    mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, name, 'main.js'), source(name));
  }
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
}

/** Runs an instance over stand-ins; argument: JSON of RunOptions, then the folder, then how long a child may be silent if it is another time. */
if (process.argv[2] === 'run-instance') {
  const { runInstance } = await import('../../cli/run.js');
  try {
    const silenceMs = process.argv[5] === undefined ? undefined : Number(process.argv[5]);
    process.exitCode = await runInstance(JSON.parse(process.argv[3]), process.argv[4], silenceMs);
  } catch (error) {
    process.stderr.write(`groupwire: ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
