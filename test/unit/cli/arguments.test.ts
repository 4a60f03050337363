import { availableParallelism } from 'node:os';
import t from 'tap';
import { parseArguments, UsageError } from '../../../cli/arguments.js';

delete process.env.GROUPWIRE_INSTANCE;

t.test('the command contract', (t) => {
  t.strictSame(parseArguments(['run', '-c', '/tmp/r1.cfg', '--instance', 'r1']), {
    name: 'run',
    instance: 'r1',
    runDirectory: '/run/groupwire/r1',
    configFile: '/tmp/r1.cfg',
    stateDirectory: '/var/lib/groupwire/r1',
    metrics: '127.0.0.1:9848',
    keyLogDirectory: null,
    native: true,
    workers: 1,
    prepared: false,
    dataplaneSocket: null,
  });
  t.match(parseArguments(['run', '-c', 'a', '--metrics', 'off', '--key-log', '/k', '--no-native', '--runtime', '/r', '--state=/s']), {
    runDirectory: '/r',
    stateDirectory: '/s',
    metrics: 'off',
    keyLogDirectory: '/k',
    native: false,
  });
  t.match(parseArguments(['run', '-c', 'a', '--workers', '16']), { workers: 16 });
  t.match(parseArguments(['run', '-c', 'a', '--workers=2']), { workers: 2 });
  t.match(parseArguments(['run', '-c', 'a', '--workers', 'auto']), { workers: Math.min(availableParallelism(), 16) });
  t.match(parseArguments(['run', '-c', 'a', '--prepared']), { prepared: true });
  t.match(parseArguments(['run', '-c', 'a', '--dataplane', '/d/dataplane.sock']), { dataplaneSocket: '/d/dataplane.sock' });
  t.throws(() => parseArguments(['run', '-c', 'a', '--dataplane', '/d', '--workers', '2']), { message: /^--workers is for the service/ });
  t.strictSame(parseArguments(['complete', 'show cry']), { name: 'complete', line: 'show cry' });
  t.match(parseArguments(['--instance', 'r1', 'wait-ready', '--timeout', '5']), { name: 'wait-ready', instance: 'r1', timeoutSeconds: 5 });
  t.match(parseArguments(['wait-ready', '--instance', 'r1']), { instance: 'r1', timeoutSeconds: 30 });
  t.match(parseArguments(['check', 'file']), { name: 'check', file: 'file' });
  t.match(parseArguments(['version']), { name: 'version' });
  t.match(parseArguments(['--version']), { name: 'version' });
  t.match(parseArguments(['--help']), { name: 'help' });
  t.match(parseArguments(['run', '-h']), { name: 'help' });
  t.end();
});

t.test('exec lines keep their words, our options are taken out in front of the pipe', (t) => {
  const line = (...args: string[]) => {
    const command = parseArguments(args);
    return command.name === 'exec' ? [command.instance, command.line] : command;
  };
  t.strictSame(line('--instance', 'r1', 'show', 'crypto', 'gdoi'), ['r1', 'show crypto gdoi']);
  t.strictSame(line('show', 'version', '--instance', 'r2', '|', 'include', '--instance'), ['r2', 'show version | include --instance']);
  t.strictSame(line('--instance=r1', 'show', 'crypto gdoi | json'), ['r1', 'show crypto gdoi | json']);
  t.strictSame(line('exec', 'crypto gdoi ks rekey'), ['default', 'crypto gdoi ks rekey']);
  t.strictSame(line('show', 'clock', '|', 'include', '-c'), ['default', 'show clock | include -c']);
  t.end();
});

t.test('the instance may come from the environment', (t) => {
  process.env.GROUPWIRE_INSTANCE = 'lab7';
  t.teardown(() => delete process.env.GROUPWIRE_INSTANCE);
  t.match(parseArguments(['show', 'clock']), { instance: 'lab7', runDirectory: '/run/groupwire/lab7' });
  t.match(parseArguments(['show', 'clock', '--instance', 'r1']), { instance: 'r1' });
  t.end();
});

t.test('wrong calls are usage errors of one line', (t) => {
  for (const args of [
    [],
    ['--instance', 'r1'],
    ['nonsense'],
    ['constructor'],
    ['run'],
    ['run', '-c'],
    ['run', '-c', 'a', '--unknown'],
    ['run', '-c', 'a', 'b'],
    ['run', '-c', 'a', '--workers', '0'],
    ['run', '-c', 'a', '--workers', '17'],
    ['run', '-c', 'a', '--workers', '2.5'],
    ['run', '-c', 'a', '--workers', '-1'],
    ['run', '-c', 'a', '--workers', '0x2'],
    ['run', '-c', 'a', '--workers', 'many'],
    ['run', '-c', 'a', '--workers', ''],
    ['run', '-c', 'a', '--workers'],
    ['wait-ready', '--workers', '2'],
    ['run', '-c', 'a', '--metrics', '9848'],
    ['run', '-c', 'a', '--metrics', '127.0.0.1:0'],
    ['run', '-c', 'a', '--metrics', '127.0.0.1:70000'],
    ['run', '-c', 'a', '--metrics', '1.2.3.400:80'],
    ['run', '-c', 'a', '--instance', '../etc'],
    ['run', '-c', 'a', '--instance', ''],
    ['run', '-c', 'a', '--instance', '-x'],
    ['run', '-c', 'a', '--runtime', `/${'x'.repeat(200)}`],
    ['run', '-c', 'a', '--timeout', '3'],
    ['wait-ready', '--timeout', '-1'],
    ['wait-ready', '--timeout', '1e9'],
    ['wait-ready', 'now'],
    ['check'],
    ['check', 'a', 'b'],
    ['check', '--metrics', 'off', 'a'],
    ['exec'],
    ['exec', ''],
    ['version', 'x'],
  ]) {
    try {
      parseArguments(args);
      t.fail(`accepted: ${args.join(' ')}`);
    } catch (error) {
      t.type(error, UsageError, args.join(' '));
      t.notMatch((error as Error).message, /\n/, 'one line');
    }
  }
  t.end();
});
