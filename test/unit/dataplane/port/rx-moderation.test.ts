// When interrupt moderation comes and goes, and what it leaves alone, with a directory in place of sysfs. The kernel's side of it: test/netns/driver-xdp.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { PortCount } from '../../../../dataplane/counters/declare.js';
import { type ModeratedDevice, Rate, RxModeration } from '../../../../dataplane/port/rx-moderation.js';

const wan: ModeratedDevice = { port: 1, device: 'wan', index: 7, mac: '02:00:00:00:00:01' };
const off = ['0', '0'];
const on = ['1', '200000'];

/** A netdev in a directory, two workers that count, and a clock. */
function makeMachine(t: Test, before = off) {
  const root = mkdtempSync(join(tmpdir(), 'groupwire-sysfs-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  const write = (name: string, value: string) => writeFileSync(`${root}/wan/${name}`, `${value}\n`);
  mkdirSync(`${root}/wan`);
  write('ifindex', '7');
  write('address', wan.mac);
  write('napi_defer_hard_irqs', before[0]);
  write('gro_flush_timeout', before[1]);
  const blocks = [0, 1].map(() => ({ ports: new Float64Array(16 * PortCount.Count) }));
  const machine = { now: 1000, open: [wan], write, moderation: null as unknown as RxModeration };
  machine.moderation = new RxModeration({ blocks, list: () => machine.open, nowMs: () => machine.now, root });
  const values = () => ['napi_defer_hard_irqs', 'gro_flush_timeout'].map((name) => readFileSync(`${root}/wan/${name}`, 'utf8').trim());
  /** 100 ms pass, in which packets come at a rate, received by one worker, sent by another. */
  const pass = (rate: number) => {
    machine.now += 100;
    blocks[0].ports[wan.port * PortCount.Count + PortCount.RxPackets] += rate / 20;
    blocks[1].ports[wan.port * PortCount.Count + PortCount.TxPackets] += rate / 20;
    machine.moderation.look();
    return values();
  };
  machine.moderation.look();
  return { machine, values, pass };
}

t.test('on while many packets come, off when few do, and as it was between', (t) => {
  const { machine, values, pass } = makeMachine(t);
  const told = () => machine.moderation.microsecondsOf(wan.port);
  t.same(values(), off);
  t.equal(machine.moderation.microsecondsOf(wan.port + 1), null, 'a port of another driver');
  t.same([pass(Rate.Many - 1000), told()], [off, 0]);
  t.same([pass(Rate.Many), told()], [on, 200]);
  t.same(pass(Rate.Few + 1000), on, 'no flapping');
  t.same(pass(Rate.Few - 1000), off);
  t.same(pass(Rate.Many * 4), on);
  machine.moderation.end();
  t.same(values(), off, 'put back at the end');
  t.end();
});

t.test('a port that is closed gets its values back; opened again it begins anew', (t) => {
  const { machine, pass } = makeMachine(t);
  t.same(pass(Rate.Many), on);
  machine.open = [];
  t.same(pass(Rate.Many), off);
  machine.open = [wan];
  t.same(pass(Rate.Many), off, 'a rate needs two looks');
  t.same(pass(Rate.Many), on);
  t.end();
});

t.test('what a killed process left is taken over', (t) => {
  const { pass } = makeMachine(t, on);
  t.same(pass(0), off);
  t.end();
});

t.test('not touched: the operator’s own values, another namespace’s netdev, what cannot be written', (t) => {
  const own = makeMachine(t, ['2', '20000']);
  t.same(own.pass(Rate.Many), ['2', '20000']);
  t.equal(own.machine.moderation.microsecondsOf(wan.port), null);
  own.machine.moderation.end();
  t.same(own.values(), ['2', '20000']);
  for (const [name, value] of [
    ['ifindex', '8'],
    ['address', '02:00:00:00:00:02'],
  ]) {
    const other = makeMachine(t);
    other.machine.write(name, value);
    t.same(other.pass(Rate.Many), off, `${name} is another's`);
  }
  const changed = makeMachine(t);
  t.same(changed.pass(Rate.Many), on);
  changed.machine.write('gro_flush_timeout', '5000');
  t.same(changed.pass(0), ['1', '5000'], 'the operator has changed it meanwhile');
  t.equal(changed.machine.moderation.microsecondsOf(wan.port), null);
  const { machine } = makeMachine(t);
  machine.open = [{ ...wan, device: 'gone' }];
  t.doesNotThrow(() => machine.moderation.look());
  t.end();
});
