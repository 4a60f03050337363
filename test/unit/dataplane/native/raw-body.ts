// Runs inside its own network namespace (raw.test.ts): the raw driver against the kernel's stack, and scapy at the other end.

import { spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import t from 'tap';
import { ownerOf } from '../../../../dataplane/native/native.js';
import { command, datagramOf, ip, makePair, native, rxAll, rxCount, rxOnce, sleep, tx } from './station.js';

const host = await makePair();
ip('route', 'add', 'default', 'via', '10.9.0.2');
const { errno } = constants;

/** An ESP datagram from 10.9.0.1, made by scapy. */
async function datagrams(expression: string): Promise<string[]> {
  return (await host.run(`result = [bytes(packet).hex() for packet in ${expression}]`)) as string[];
}

t.teardown(() => host.end());

t.test('ESP to the host arrives whole, and nothing else', async (t) => {
  const fd = native.rawOpen('gw0', 0, 0, 1);
  t.teardown(() => native.fdClose(fd));
  t.equal(rxOnce(fd)?.datagrams.length, 0, 'nothing waits at first');
  await host.send(`[Ether(dst='02:00:00:00:00:01')/IP(src='10.9.0.2', dst='10.9.0.1', proto=51)/b'AH',
    Ether(dst='02:00:00:00:00:01')/IP(src='10.9.0.2', dst='10.9.0.1')/UDP()/b'x']`);
  const sent =
    await host.send(`[Ether(dst='02:00:00:00:00:01')/IP(src='10.5.%d.%d' % (i >> 8, i & 255), dst='10.9.0.1', id=i + 1)/ESP(spi=i + 1,
    seq=7, data=bytes(i % 1400)) for i in range(700)]`);
  t.same(rxCount(fd, 700), sent.map(datagramOf), '700 in order, more than a batch');
});

t.test('fragments come reassembled; what is longer than a slot says so', async (t) => {
  const fd = native.rawOpen('gw0', 0, 0, 1);
  t.teardown(() => native.fdClose(fd));
  const whole = "IP(src='10.9.0.2', dst='10.9.0.1', id=9)/ESP(spi=1, seq=1, data=bytes(range(256)) * 6)";
  const [expected] = await datagrams(`[${whole}]`);
  await host.send(`[Ether(dst='02:00:00:00:00:01')/fragment for fragment in fragment(${whole}, 600)]`);
  const [got] = rxAll(fd);
  t.equal(got.slice(40), expected.slice(40), 'three fragments, one datagram');
  await host.send(
    `[Ether(dst='02:00:00:00:00:01')/IP(src='10.9.0.2', dst='10.9.0.1')/ESP(spi=1, seq=1, data=bytes(n - 28)) for n in (99, 100, 101, 400)]`,
  );
  native.poll(Int32Array.of(fd), 1, 10_000, new Int32Array(1));
  t.same(rxOnce(fd, 8, 100)?.lengths, [99, 100, 101, 101]);
});

t.test('workers: each source belongs to one of them', async (t) => {
  const fds = [0, 1, 2].map((worker) => native.rawOpen('gw0', 0, worker, 3));
  t.teardown(() => fds.map((fd) => native.fdClose(fd)));
  const sent = await host.send(
    "[Ether(dst='02:00:00:00:00:01')/IP(src=str(RandIP('10.0.0.0/8')), dst='10.9.0.1', id=i + 1)/ESP(spi=1, seq=i) for i in range(300)]",
  );
  const owner = (datagram: string) => ownerOf(Number.parseInt(datagram.slice(24, 32), 16), 3);
  for (const [worker, fd] of fds.entries()) {
    const own = sent.map(datagramOf).filter((datagram) => owner(datagram) === worker);
    t.ok(own.length > 50, `worker ${worker} has ${own.length} of 300`);
    t.same(rxCount(fd, own.length), own);
  }
});

t.test('datagrams leave as they are: any source, DF or not, past a path MTU that the kernel learnt', async (t) => {
  const fd = native.rawOpen('gw0', 0, 0, 1);
  t.teardown(() => native.fdClose(fd));
  await host.listen();
  const out = await datagrams(`[IP(src='172.16.%d.9' % (i & 255), dst='10.7.0.%d' % (1 + i % 200), id=i + 1, ttl=1 + i % 250, tos=i % 256,
    flags='DF' if i % 2 else 0)/ESP(spi=9, seq=i, data=bytes(i % 1472)) for i in range(500)]`);
  t.same(tx(fd, out), { sent: 500, results: out.map(() => 0) });
  t.same((await host.receive(500)).map(datagramOf), out, 'byte for byte, with the same checksum');
  const [large] = await datagrams(`[IP(src='10.1.0.1', dst='10.7.0.7', id=77, flags='DF')/ESP(spi=9, seq=1, data=bytes(1472))]`);
  await host.send(`[Ether(dst='02:00:00:00:00:01')/IP(src='10.9.0.2', dst='10.9.0.1')/ICMP(type=3, code=4, nexthopmtu=800)/
    IP(src='10.9.0.1', dst='10.7.0.7', flags='DF')/ESP(spi=9, seq=1)]`);
  t.match(command('ip', 'route', 'get', '10.7.0.7'), 'mtu 800', 'the kernel believes it');
  t.same(tx(fd, [large]), { sent: 1, results: [0] });
  t.same((await host.receive(1)).map(datagramOf), [large]);
});

t.test('what is refused fails alone', async (t) => {
  const fd = native.rawOpen('gw0', 0, 0, 1);
  t.teardown(() => native.fdClose(fd));
  await host.listen();
  command('nft', 'add table ip t; add chain ip t out { type filter hook output priority 0; }; add rule ip t out ip daddr 10.77.0.1 drop');
  const out = await datagrams(`[IP(src='10.1.0.1', dst=dst, id=5)/ESP(spi=9, seq=1, data=bytes(n)) for dst, n in (('10.7.0.1', 100),
    ('10.7.0.2', 1473), ('10.77.0.1', 9), ('10.7.0.3', 1472))]`);
  out.push('4500');
  const { sent, results } = tx(fd, [...out, out[0]]);
  t.same(results, [0, errno.EMSGSIZE, errno.EPERM, 0, errno.EINVAL, 0]);
  t.equal(sent, 3);
  t.same((await host.receive(3)).map(datagramOf), [out[0], out[3], out[0]]);
  command('nft', 'delete table ip t');
});

t.test('a full queueing discipline: what was sent arrives, the rest is known', async (t) => {
  const fd = native.rawOpen('gw0', 0, 0, 1);
  t.teardown(() => native.fdClose(fd));
  await host.listen();
  command('tc', 'qdisc', 'add', 'dev', 'gw0', 'root', 'tbf', 'rate', '20mbit', 'burst', '3000', 'limit', '60000');
  const out = await datagrams("[IP(src='10.1.0.1', dst='10.7.0.1', id=i + 1)/ESP(seq=i)/bytes(1000) for i in range(200)]");
  const { sent, results } = tx(fd, out);
  t.ok(sent >= 50 && sent < 200, `${sent} of 200`);
  t.ok(results.every((result) => result === 0 || result === errno.ENOBUFS));
  const expected = out.filter((_, i) => results[i] === 0);
  t.equal(expected.length, sent);
  t.same((await host.receive(sent)).map(datagramOf), expected);
  command('tc', 'qdisc', 'del', 'dev', 'gw0', 'root');
});

t.test('errors of the path do not stop anything', async (t) => {
  const fd = native.rawOpen('gw0', 0, 0, 1);
  t.teardown(() => native.fdClose(fd));
  await host.listen();
  const [out] = await datagrams("[IP(src='10.1.0.1', dst='10.7.0.1', id=1)/ESP(seq=1)]");
  for (let round = 0; round < 3; round++) {
    t.same(tx(fd, [out]).results, [0]);
    await host.send(`[Ether(dst='02:00:00:00:00:01')/IP(src='10.7.0.1', dst='10.9.0.1')/ICMP(type=3, code=code)/
      IP(src='10.9.0.1', dst='10.7.0.1')/ESP(spi=9, seq=1) for code in (0, 1, 2, 3, 10, 13)]`);
    t.equal(native.poll(Int32Array.of(fd), 1, 0, new Int32Array(1)), 0);
    t.same(rxOnce(fd)?.lengths, []);
  }
  t.same((await host.receive(3)).map(datagramOf), [out, out, out]);
  const large = out.padEnd(2 * 1501, '0');
  for (let round = 0; round < 1000; round++) tx(fd, [large]);
  t.same(tx(fd, [large, out]).results, [errno.EMSGSIZE, 0], 'nor do those that were too long');
  t.same((await host.receive(1)).map(datagramOf), [out]);
});

t.test('the mark picks the route', async (t) => {
  ip('neigh', 'add', '10.9.0.3', 'lladdr', '02:00:00:00:00:03', 'dev', 'gw0');
  ip('rule', 'add', 'fwmark', '7', 'lookup', '77');
  ip('route', 'add', 'default', 'via', '10.9.0.3', 'dev', 'gw0', 'table', '77');
  const plain = native.rawOpen('gw0', 5, 0, 1);
  const marked = native.rawOpen('gw0', 7, 0, 1);
  const [out] = await datagrams(`[IP(src='10.1.0.1', dst='10.7.0.1', id=5)/ESP(spi=9, seq=1)]`);
  t.same([tx(plain, [out]).results, tx(marked, [out]).results], [[0], [0]]);
  t.same(
    (await host.receive(2)).map((frame) => frame.slice(0, 12)),
    ['020000000002', '020000000003'],
    'by way of 10.9.0.2 and 10.9.0.3',
  );
  for (const fd of [plain, marked]) native.fdClose(fd);
});

t.test('a transit datagram that a rule hands to the host', async (t) => {
  const fd = native.rawOpen('gw0', 0, 0, 1);
  ip('rule', 'add', 'iif', 'gw0', 'ipproto', '50', 'lookup', '88', 'pref', '70');
  ip('route', 'add', 'local', 'default', 'dev', 'lo', 'table', '88');
  const sent = await host.send(
    `[Ether(dst='02:00:00:00:00:01')/IP(src='10.9.0.2', dst='192.0.2.%d' % i)/ESP(spi=1, seq=i) for i in range(1, 9)]`,
  );
  t.same(rxCount(fd, 8), sent.map(datagramOf));
  native.fdClose(fd);
});

t.test('arguments and rights', (t) => {
  t.throws(() => native.rawOpen('nosuch0', 0, 0, 1), { code: 'ENODEV', message: /^nosuch0: .*: there is no such netdev/ });
  for (const call of [
    () => native.rawOpen('a/b', 0, 0, 1),
    () => native.rawOpen('gw0', -1, 0, 1),
    () => native.rawOpen('gw0', 0, 1, 1),
    () => native.rawOpen('gw0', 0, 0, 0),
    () => native.rawOpen('gw0', 0, 0, 65),
  ]) {
    t.throws(call, RangeError);
  }
  const module = new URL('../../../../dataplane/native/native.js', import.meta.url);
  const script = `const native = (await import('${module}')).loadNative();
    process.setgroups([]); process.setgid(65534); process.setuid(65534);
    for (const open of [() => native.rawOpen('gw0', 0, 0, 1), () => native.packetOpen('gw0', new Int32Array(1), 0, 0, 1, true),
      () => native.xdpOpen('gw0', 0)]) try { open(); } catch (error) { console.log(error.code, error.message); }`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  const line = 'EPERM gw0: operation not permitted: run as root or grant CAP_NET_ADMIN, CAP_NET_RAW and, for xdp, CAP_BPF\n';
  t.equal(stdout, line.repeat(3), stderr);
  t.end();
});

t.test('a device that was deleted is gone', async (t) => {
  const fd = native.rawOpen('gw0', 0, 0, 1);
  t.same(rxOnce(fd)?.lengths, []);
  ip('link', 'del', 'gw0');
  const deadline = Date.now() + 10_000;
  while (rxOnce(fd) !== undefined && Date.now() < deadline) await sleep(50);
  t.equal(rxOnce(fd), undefined);
  native.fdClose(fd);
});
