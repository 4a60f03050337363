// Runs inside its own network namespace (group.test.ts): packet sockets that receive multicast and nothing else, against scapy's frames.

import { constants } from 'node:os';
import t from 'tap';
import { ownerOf } from '../../../../dataplane/native/native.js';
import { command, datagramOf, hostMac, ip, makePair, native, ourMac, rxCount, rxOnce, tx } from './station.js';

const host = await makePair();
const { errno } = constants;
const address = (text: string) => text.split('.').reduce((value, part) => (value << 8) | Number(part), 0);
const groups = Int32Array.of(address('239.1.1.1'), address('224.5.5.5'));

function open(list = groups, worker = 0, workers = 1): number {
  return native.groupOpen('gw0', list, list.length, worker, workers);
}

/** What `ip maddr` says of the netdev's own filter. */
const taken = (mac: string) => ip('maddr', 'show', 'dev', 'gw0').includes(mac);

t.teardown(() => host.end());

t.test('only IPv4 to the groups is taken', async (t) => {
  const fd = open();
  t.teardown(() => native.fdClose(fd));
  host.command('ethtool', '-K', 'host0', 'txvlan', 'off');
  const ether = "Ether(dst='01:00:5e:01:01:01')";
  const plain = "IP(src='10.9.0.2', dst='239.1.1.1')/UDP()/b'never'";
  const never = [
    `${ether}/IP(src='10.9.0.2', dst='239.1.1.1', ttl=1)/UDP()/b'ttl 1'`,
    `${ether}/IP(src='10.9.0.2', dst='239.1.1.1', ttl=0)/UDP()/b'ttl 0'`,
    `${ether}/IP(src='10.9.0.2', dst='239.1.1.2')/UDP()/b'another group'`,
    // RFC 1112 §6.4: 32 groups share a MAC address.
    `${ether}/IP(src='10.9.0.2', dst='238.129.1.1')/UDP()/b'the same MAC address'`,
    `${ether}/IP(src='10.9.0.2', dst='10.9.0.1')/UDP()/b'us'`,
    `${ether}/IP(src='10.9.0.2', dst='10.2.0.1')/UDP()/b'transit'`,
    `${ether}/Dot1Q(vlan=7)/${plain}`,
    `${ether}/Dot1Q(vlan=0)/${plain}`,
    `${ether}/ARP(psrc='10.9.0.2', pdst='239.1.1.1')`,
    `${ether}/IPv6(dst='ff02::1')/UDP()/b'v6'`,
    `${ether}/Raw(b'E' + bytes(18))`,
    `${ether}/Raw(b'')`,
    `Ether(dst='${ourMac}')/IP(src='10.9.0.2', dst='10.2.0.1')/UDP()/b'unicast'`,
  ];
  await host.send(`[${never.join(', ')}]`);
  const sent = await host.send(`[${ether}/IP(src='10.9.0.2', dst='239.1.1.1', ttl=2)/UDP()/b'ttl 2',
    Ether(dst='01:00:5e:05:05:05')/IP(src='10.9.0.2', dst='224.5.5.5', proto=50, ttl=9)/b'esp', ${ether}/IP(src='1.2.3.4', dst='239.1.1.1', ttl=255)/ICMP(),
    ${ether}/IP(dst='239.1.1.1', ttl=2, options=[IPOption_NOP()])/UDP(), ${ether}/IP(dst='239.1.1.1', ttl=2, flags='MF')/bytes(64)]`);
  t.same(rxCount(fd, sent.length), sent.map(datagramOf), 'just these, each once');
  t.same(rxOnce(fd)?.datagrams, [], 'and no more');
});

t.test('the netdev takes the groups for as long as the link is open', async (t) => {
  t.notOk(taken('01:00:5e:01:01:01'), 'before');
  const [first, second] = [open(), open(groups, 0, 2)];
  t.ok(taken('01:00:5e:01:01:01') && taken('01:00:5e:05:05:05'), 'both');
  native.fdClose(first);
  t.ok(taken('01:00:5e:01:01:01'), 'the other one still wants it');
  native.fdClose(second);
  t.notOk(taken('01:00:5e:01:01:01') || taken('01:00:5e:05:05:05'), 'after');
});

t.test('workers: each source belongs to one of them', async (t) => {
  const fds = [0, 1, 2].map((worker) => open(groups, worker, 3));
  t.teardown(() => fds.map((fd) => native.fdClose(fd)));
  const sent = await host.send(
    `[Ether(dst='01:00:5e:01:01:01')/IP(src=str(RandIP('0.0.0.0/0')), dst='239.1.1.1', ttl=9, id=i + 1)/ICMP() for i in range(300)]`,
  );
  const owner = (datagram: string) => ownerOf(Number.parseInt(datagram.slice(24, 32), 16), 3);
  for (const [worker, fd] of fds.entries()) {
    const own = sent.map(datagramOf).filter((datagram) => owner(datagram) === worker);
    t.ok(own.length > 50, `worker ${worker} has ${own.length} of 300`);
    t.same(rxCount(fd, own.length), own);
  }
});

t.test('what is sent leaves behind its Ethernet header, and is not heard again', async (t) => {
  const fd = open();
  t.teardown(() => native.fdClose(fd));
  await host.listen();
  const out = (await host.run(
    "result = [bytes(IP(src='10.1.0.1', dst='239.1.1.1', ttl=9, id=i + 1)/UDP(sport=i + 1)/bytes(i * 9)).hex() for i in range(100)]",
  )) as string[];
  t.same(tx(fd, out), { sent: 100, results: out.map(() => 0) });
  const frames = await host.receive(100);
  t.same(frames.map(datagramOf), out);
  t.ok(
    frames.every((frame) => frame.startsWith(`${hostMac}${ourMac}0800`.replaceAll(':', ''))),
    'the header that stands in front',
  );
  t.same(rxOnce(fd)?.datagrams, []);
});

t.test('down and up again, then gone', async (t) => {
  const fd = open();
  ip('link', 'set', 'gw0', 'down');
  t.equal(rxOnce(fd)?.lengths.length, 0, 'down is not gone');
  const out = (await host.run("result = [bytes(IP(dst='239.1.1.1')/UDP()).hex()]")) as string[];
  t.same(tx(fd, out).results, [errno.ENETDOWN]);
  ip('link', 'set', 'gw0', 'up');
  const [frame] = await host.send("[Ether(dst='01:00:5e:01:01:01')/IP(src='10.9.0.2', dst='239.1.1.1', ttl=9)/UDP()/b'again']");
  t.same(rxCount(fd, 1), [datagramOf(frame)], 'up again');
  ip('link', 'del', 'gw0');
  t.equal(native.poll(Int32Array.of(fd), 1, 10_000, new Int32Array(1)), 1, 'poll returns');
  t.equal(rxOnce(fd), undefined);
  native.fdClose(fd);
});

t.test('arguments', (t) => {
  const call =
    (device: string, list: unknown, count: unknown, worker = 0, workers = 1) =>
    () =>
      native.groupOpen(device, list as Int32Array, count as number, worker, workers);
  t.throws(call('nosuch0', groups, 2), { code: 'ENODEV' });
  t.throws(call('lo', groups, 2), { code: 'EOPNOTSUPP', message: /^lo: .*: not an Ethernet netdev/ });
  t.throws(call('lo', groups, 3), RangeError, 'more than are there');
  t.throws(call('lo', groups, 0), RangeError, 'none');
  t.throws(call('lo', new Int32Array(17), 17), RangeError, 'more than 16');
  t.throws(call('lo', [1, 2], 2), TypeError, 'not words');
  t.throws(call('lo', groups, '2'), TypeError);
  t.throws(call('lo', groups, 2, 1, 1), RangeError, 'no such worker');
  t.throws(call('a name that is too long', groups, 2), RangeError);
  t.equal(command('ip', '-j', 'maddr', 'show', 'dev', 'lo').includes('01:00:5e:01:01:01'), false, 'nothing stays');
  t.end();
});
