// port-driver packet inside: traffic of hosts and of the router itself, changes while it runs, kill -9. driver-case.ts has the picture.

import { readFileSync } from 'node:fs';
import t from 'tap';
import { skipReason as skip, until } from './dataplane-lab.js';
import { checkKill, checkOwnTraffic, checkTraffic, DriverLab, type Drivers } from './driver-case.js';

/** Processes below one: `ip netns exec` becomes the dataplane. */
function childrenOf(pid: number): { pid: number; name: string }[] {
  const pids = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
  return pids.map((child) => ({ pid: child, name: readFileSync(`/proc/${child}/comm`, 'utf8').trim() }));
}

const drivers: Drivers = { outside: 'tun', inside: 'packet' };

t.test('packet inside', { skip }, async (t) => {
  const made = await DriverLab.up(t, drivers);
  t.same(await made.inUse(1), ['packet on', 'tun on']);
  await checkTraffic(t, made);
  await checkOwnTraffic(t, made);
  await made.end(t);
  t.equal(made.see(1, 'nft list tables'), '', 'no trace is left');
});

t.test('packet inside: kill -9', { skip }, async (t) => {
  const made = await DriverLab.up(t, drivers);
  await checkKill(t, made, drivers);
  await made.end(t);
});

t.test('packet inside, two workers, no offload', { skip }, async (t) => {
  const made = await DriverLab.up(t, { ...drivers, offloads: false, workers: 2 });
  t.same(await made.inUse(1), ['packet off', 'tun off']);
  await checkTraffic(t, made, 2);
  await checkOwnTraffic(t, made);
  await made.end(t);
});

t.test('packet inside, xdp outside: what changes while they run', { skip }, async (t) => {
  const made = await DriverLab.up(t, { outside: 'xdp', inside: 'packet' });
  const { lab } = made;
  await checkTraffic(t, made, 0);

  lab.mustRun('h1', 'ip', 'link', 'set', 'eth0', 'address', '02:00:00:00:01:99');
  await until('the host has another MAC address', () => lab.ping('h1', '10.1.2.10').received === 1);
  lab.mustRun('r1', 'ip', 'link', 'set', 'in', 'address', '02:00:00:00:01:01');
  lab.mustRun('h1', 'ip', 'neigh', 'flush', 'all');
  await until('the router has another MAC address', () => lab.ping('h1', '10.1.2.10').received === 1);

  lab.mustRun('r1', 'ip', 'addr', 'add', '10.1.1.77/24', 'dev', 'in');
  await until('a new address of the router answers', () => lab.ping('h1', '10.1.1.77').received === 1);
  t.equal(await lab.tcpEcho('h1', 'r1', '10.1.1.77', 100_000), 'same', 'TCP to it');
  lab.mustRun('r1', 'ip', 'addr', 'del', '10.1.1.77/24', 'dev', 'in');

  t.same(await made.publish(1, { outside: 'raw', inside: 'tun' }), [], 'other drivers');
  t.same(await made.inUse(1), ['tun on', 'raw on']);
  t.equal(made.see(1, 'nft list tables'), '', 'the kernel forwards again');
  await checkTraffic(t, made, 0);
  t.same(await made.publish(1, { outside: 'xdp', inside: 'packet' }), [], 'and back');
  t.same(await made.inUse(1), ['packet on', 'xdp on']);
  await checkTraffic(t, made, 0);

  const [nft] = childrenOf(made.dataplanes[1].process.pid ?? 0).filter((child) => child.name === 'nft');
  process.kill(nft.pid, 'SIGKILL');
  await until('nft is started again', () => /%DATAPLANE-4-INGRESS/.test(made.dataplanes[1].log));
  await until('the kernel drops again', () => /netdev groupwire/.test(made.see(1, 'nft list tables')));
  t.same(await made.datagrams('h1', 'h2', '10.1.2.10', 200), { received: 200, doubled: 0 }, 'each datagram once');

  const many = Array.from({ length: 70 }, (_, i) => `addr add 10.77.0.${i + 1}/32 dev lo`).join('\n');
  lab.mustRun('r1', 'sh', '-c', `echo "${many}" | ip -batch -`);
  await until('too many addresses for a filter', () => /PORT_DRIVER.* addresses: a filter holds 64/.test(made.dataplanes[1].log));
  await until('tun does it', () => lab.ping('h1', '10.1.2.10').received === 1);
  t.same(await made.inUse(1), ['tun on', 'xdp on']);
  await made.end(t);
});
