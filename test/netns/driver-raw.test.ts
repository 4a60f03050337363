// port-driver raw outside: the traffic of two members, kill -9, without offloads, two workers. driver-case.ts has the picture.

import t from 'tap';
import { skipReason as skip } from './dataplane-lab.js';
import { checkKill, checkTraffic, DriverLab, type Drivers } from './driver-case.js';

const drivers: Drivers = { outside: 'raw', inside: 'tun' };

t.test('raw outside', { skip }, async (t) => {
  const made = await DriverLab.up(t, drivers);
  const before = made.lab.fingerprint('r1');
  t.same(await made.inUse(1), ['tun on', 'raw on']);
  await checkTraffic(t, made);
  t.equal(made.lab.fingerprint('r1'), before, 'at rest nothing changes');
  await made.end(t);
  t.notMatch(made.see(1, 'ip rule; ip -d link show out'), /fwmark|ipproto|xdp/, 'no trace is left');
});

t.test('raw outside: kill -9', { skip }, async (t) => {
  const made = await DriverLab.up(t, drivers);
  await checkKill(t, made, drivers);
  await made.end(t);
});

t.test('raw outside, two workers, no offload', { skip }, async (t) => {
  const made = await DriverLab.up(t, { ...drivers, offloads: false, workers: 2 });
  t.same(await made.inUse(1), ['tun off', 'raw off']);
  await checkTraffic(t, made, 2);
  await made.end(t);
});
