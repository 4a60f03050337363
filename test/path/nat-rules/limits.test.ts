// max-entries of hosts, and clear ip nat translation of single ones, on the whole path.

import t from 'tap';
import { parseExec } from '../../../control/config/exec.js';
import { natPattern } from '../../../control/nat-pattern.js';
import { datagram, segment, server } from '../nat/flows.js';
import { routerOf, tablesOf, workersOf } from './configured.js';

const pat = 'access-list 1 permit 10.0.1.0 0.0.0.255\nip nat inside source list 1 interface eth1 overload\n';
const limits = 'ip nat translation max-entries all-host 2\nip nat translation max-entries host 10.0.1.11 3\n';

t.test('a host has as many sessions as it may; what it has goes on, others are not touched', (t) => {
  const router = routerOf(pat + limits);
  const begun = (host: string, ports: number[]) => ports.map((port) => router.forward(0, datagram(host, server, port, 53))[1].length);
  t.strictSame(begun('10.0.1.10', [1000, 1001, 1002, 1000]), [1, 1, 0, 1]);
  t.strictSame(begun('10.0.1.11', [1000, 1001, 1002, 1003]), [1, 1, 1, 0]);
  t.match(router.counters(), { 'drop.nat_host_full': 2 });
  router.nowMs += 61_000;
  t.strictSame(begun('10.0.1.10', [1004]), [0], 'those that are over are still in their rows');
  router.pass();
  t.strictSame(begun('10.0.1.10', [1004, 1005, 1006]), [1, 1, 0], 'swept');
  t.equal(router.imbalance(), null);
  t.end();
});

t.test('a limit that comes later counts what is there; without one nothing is counted', (t) => {
  const router = routerOf(pat);
  for (let port = 1000; port < 1003; port++) router.forward(0, datagram('10.0.1.10', server, port, 53));
  router.adopt(tablesOf(pat + limits));
  t.equal(router.forward(0, datagram('10.0.1.10', server, 1003, 53))[1].length, 0);
  t.equal(router.forward(0, datagram('10.0.1.10', server, 1002, 53))[1].length, 1);
  router.adopt(tablesOf(pat));
  t.equal(router.forward(0, datagram('10.0.1.10', server, 1003, 53))[1].length, 1);
  t.end();
});

t.test('clear ip nat translation: all, of an inside host, of one flow', (t) => {
  const router = routerOf(pat);
  const count = (): number => router.env.nat.sessions.length;
  const clear = (words: string): void => {
    const command = parseExec(`clear ip nat translation ${words}`);
    if (!('kind' in command) || command.kind !== 'clear ip nat translation') throw new Error(words);
    router.env.nat.sessions.clear(...natPattern(command.filter));
  };
  const begin = (): void => {
    router.env.nat.sessions.clear();
    for (const host of ['10.0.1.10', '10.0.1.11'])
      for (const port of [53, 80]) router.forward(0, datagram(host, server, 5000 + (host.endsWith('1') ? 1 : 0), port));
  };
  begin();
  t.equal(count(), 4);
  clear('inside 172.16.1.2 10.0.1.11');
  t.equal(count(), 2);
  clear('inside 172.16.1.2 10.0.1.11');
  clear('inside 172.16.1.9 10.0.1.10');
  clear('tcp inside 172.16.1.2 5000 10.0.1.10 5000');
  clear('udp inside 172.16.1.2 5001 10.0.1.10 5000');
  t.equal(count(), 2, 'others are not touched');
  clear('udp inside 172.16.1.2 5000 10.0.1.10 5000 outside 198.51.100.7 80 198.51.100.7 80');
  t.equal(count(), 1);
  clear('outside 198.51.100.7 198.51.100.8');
  t.equal(count(), 1);
  clear('outside 198.51.100.7 198.51.100.7 forced');
  t.equal(count(), 0);
  begin();
  clear('*');
  t.equal(count(), 0);
  t.end();
});

t.test('max-entries is what all workers have together', (t) => {
  const workers = workersOf(3, `${pat}ip nat translation max-entries 4`);
  const begin = (i: number): number => {
    workers.all[i % 3].inputs[0].push(datagram(`10.0.1.${10 + i}`, server, 5000 + i, 53));
    return workers.run(1).flat().length;
  };
  t.strictSame(
    Array.from({ length: 8 }, (_, i) => begin(i)),
    [1, 1, 1, 1, 0, 0, 0, 0],
  );
  t.equal(
    workers.all.reduce((sum, { env }) => sum + env.nat.sessions.length, 0),
    4,
  );
  t.equal(
    workers.all.reduce((sum, router) => sum + (router.counters()['drop.nat_full'] ?? 0), 0),
    4,
  );
  for (const { env } of workers.all) env.nat.sessions.clear();
  t.equal(begin(9), 1, 'there is room again');
  t.equal(workers.imbalance(), null);
  t.end();
});

t.test('port-timeout: of UDP flows and standing TCP connections to a port, from either side; changed for new ones alone', (t) => {
  const text = `${pat}ip nat inside source static tcp 10.0.1.20 22 interface eth1 2222
ip nat translation port-timeout udp 53 400
ip nat translation port-timeout tcp 80 100
ip nat translation port-timeout tcp 2222 200
ip nat translation port-timeout udp 9 never
`;
  const router = routerOf(text);
  const livesFor = (least: number, most: number, begin: () => void): void => {
    begin();
    const { sessions } = router.env.nat;
    t.equal(sessions.length, 1);
    for (const [seconds, length] of [
      [least, 1],
      [most - least, 0],
    ]) {
      router.nowMs += seconds * 1000;
      router.pass();
      t.equal(sessions.length, length, `${least} to ${most} s`);
    }
  };
  livesFor(399, 401, () => router.forward(0, datagram('10.0.1.10', server, 5000, 53)));
  livesFor(299, 301, () => router.forward(0, datagram('10.0.1.10', server, 53, 5000)));
  livesFor(59, 61, () => router.forward(0, segment('10.0.1.10', server, 5000, 80, 2)));
  const connect = (): void => {
    router.forward(0, segment('10.0.1.10', server, 5000, 80, 2));
    router.forward(1, segment(server, '172.16.1.2', 80, 5000, 0x12));
  };
  livesFor(99, 101, connect);
  livesFor(59, 61, () => {
    connect();
    router.forward(0, segment('10.0.1.10', server, 5000, 80, 4));
  });
  livesFor(199, 201, () => {
    router.forward(1, segment(server, '172.16.1.2', 80, 2222, 2));
    router.forward(0, segment('10.0.1.20', server, 22, 80, 0x12));
    router.forward(1, segment(server, '172.16.1.2', 80, 2222, 0x10));
  });
  router.forward(0, datagram('10.0.1.10', server, 5000, 9));
  router.adopt(tablesOf(pat));
  router.nowMs += 1e9;
  router.pass();
  t.equal(router.env.nat.sessions.length, 1, 'never');
  t.end();
});
