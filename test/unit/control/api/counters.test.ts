import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { CounterSet } from '../../../../control/api/counters.js';
import { writeProcesses } from '../../../../control/api/process-list.js';
import { readProcesses } from '../../../../control/api/processes.js';
import { RateMeter } from '../../../../control/api/rates.js';
import { readVersion } from '../../../../control/api/version.js';

t.test('counters are declared, present as 0, and added to', (t) => {
  const set = new CounterSet([{ name: 'a', help: 'A' }], [{ name: 'b_2', help: 'B' }]);
  set.add('b_2');
  set.add('b_2', 4);
  t.strictSame(set.values(), [
    { name: 'a', help: 'A', value: 0 },
    { name: 'b_2', help: 'B', value: 5 },
  ]);
  t.throws(() => set.add('c'), { message: "counter 'c' is not declared" });
  t.throws(() => set.add('__proto__'), { message: "counter '__proto__' is not declared" });
  t.throws(() => new CounterSet([{ name: 'a', help: '' }], [{ name: 'a', help: '' }]), { message: /twice/ });
  t.throws(() => new CounterSet([{ name: 'Bad-Name', help: '' }]), { message: /snake_case/ });
  t.end();
});

t.test('five-minute rates', (t) => {
  const meter = new RateMeter();
  const counts = (packets: number) => ({ receivedPackets: packets, receivedBytes: packets * 100, sentPackets: 0, sentBytes: 0 });
  t.equal(meter.rates('eth0'), null, 'never sampled');
  meter.sample('eth0', 0, counts(0));
  t.equal(meter.rates('eth0'), null, 'one sample has no rate');
  // 10 packets of 100 bytes a second for 30 minutes: the average has arrived at them.
  for (let second = 5; second <= 1800; second += 5) meter.sample('eth0', second * 1000, counts(second * 10));
  t.ok(
    Math.abs((meter.rates('eth0')?.receivedPacketsPerSecond ?? 0) - 10) < 0.1,
    `about 10: ${meter.rates('eth0')?.receivedPacketsPerSecond}`,
  );
  t.ok(Math.abs((meter.rates('eth0')?.receivedBps ?? 0) - 8000) < 80, `about 8000: ${meter.rates('eth0')?.receivedBps}`);
  const before = meter.rates('eth0');
  meter.sample('eth0', 1_800_000, counts(18_000));
  t.strictSame(meter.rates('eth0'), before, 'no time passed');
  meter.sample('eth0', 1_805_000, counts(3));
  t.equal(meter.rates('eth0'), null, 'counters began again');
  meter.sample('eth0', 1_000, counts(5));
  t.equal(meter.rates('eth0'), null, 'the clock went back');
  t.end();
});

t.test('processes: the supervisor writes, control reads', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'groupwire-processes-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  t.match(readProcesses(directory), [{ name: 'control', pid: process.pid, restarts: 0 }], 'no supervisor');
  writeProcesses(directory, [
    { name: 'dataplane', pid: null, restarts: 3 },
    { name: 'control', pid: process.pid, restarts: 0 },
  ]);
  const [elsewhere] = readProcesses(directory, { name: 'dataplane', pid: null, restarts: 3 });
  t.match(elsewhere, { name: 'dataplane', pid: null, restarts: 3, rssBytes: 0 }, 'one of another service comes first');
  const [dataplane, control] = readProcesses(directory);
  t.strictSame(dataplane, { name: 'dataplane', pid: null, restarts: 3, rssBytes: 0 });
  t.ok(control.rssBytes > 1 << 20, `resident bytes: ${control.rssBytes}`);
  for (const text of ['', '{', '{}', '[{"pid":"x"}]']) {
    writeFileSync(join(directory, 'processes.json'), text);
    t.match(readProcesses(directory), [{ name: 'control', pid: process.pid }], `broken file '${text}'`);
  }
  t.end();
});

t.test('the version is package.json’s', (t) => {
  t.match(readVersion(), /^\d+\.\d+\.\d+$/);
  t.end();
});
