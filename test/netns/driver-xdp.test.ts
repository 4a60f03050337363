// port-driver xdp outside: the traffic of two members, kill -9, without offloads, two workers. driver-case.ts has the picture.

import t from 'tap';
import { skipReason as skip } from './dataplane-lab.js';
import { checkKill, checkTraffic, DriverLab, type Drivers } from './driver-case.js';

const drivers: Drivers = { outside: 'xdp', inside: 'tun' };

t.test('xdp outside', { skip }, async (t) => {
  const made = await DriverLab.up(t, drivers);
  const before = made.lab.fingerprint('r1');
  t.same(await made.inUse(1), ['tun on', 'xdp on']);
  await checkTraffic(t, made);
  t.equal(made.lab.fingerprint('r1'), before, 'at rest nothing changes');
  await made.end(t);
  t.notMatch(made.see(1, 'ip rule; ip -d link show out'), /fwmark|ipproto|xdp/, 'no trace is left');
});

t.test('xdp outside: kill -9', { skip }, async (t) => {
  const made = await DriverLab.up(t, drivers);
  await checkKill(t, made, drivers);
  await made.end(t);
});

t.test('xdp outside, two workers, no offload', { skip }, async (t) => {
  const made = await DriverLab.up(t, { ...drivers, offloads: false, workers: 2 });
  t.same(await made.inUse(1), ['tun off', 'xdp off']);
  await checkTraffic(t, made, 2);
  await made.end(t);
});

/** Interrupt moderation of `out`, with counters and a clock of its own; prints what sysfs says after each look. */
const moderate = `
  const { RxModeration } = await import(process.argv[1]);
  const { readFileSync } = await import('node:fs');
  const of = (name) => readFileSync('/sys/class/net/out/' + name, 'utf8').trim();
  const block = { ports: new Float64Array(1000) };
  let now = 0;
  const device = { port: 0, device: 'out', index: Number(of('ifindex')), mac: of('address').toUpperCase() };
  const moderation = new RxModeration({ blocks: [block], list: () => [device], nowMs: () => now });
  const values = [];
  for (const packets of [0, 10000, 10000, 0]) {
    now += 100;
    block.ports.fill(block.ports[0] + packets);
    moderation.look();
    values.push(of('napi_defer_hard_irqs') + '/' + of('gro_flush_timeout'));
  }
  moderation.end();
  console.log(values.join(' '));`;

t.test('the kernel takes interrupt moderation of a netdev that AF_XDP reads', { skip }, async (t) => {
  const made = await DriverLab.up(t, drivers);
  const module = new URL('../../dataplane/port/rx-moderation.js', import.meta.url).href;
  const out = made.see(1, `'${process.execPath}' --input-type=module -e "${moderate.replaceAll('"', '\\"')}" '${module}'`);
  t.equal(out.trim(), '0/0 1/200000 1/200000 0/0');
  await checkTraffic(t, made);
  await made.end(t);
});
