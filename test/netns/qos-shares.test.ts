// Shares of a link that is too small: three classes send more than it carries, then one of them is idle. The bytes that arrive are counted by tcpdump at h2.
//
//   h1 10.0.1.10 -- eth1 r eth2 (bandwidth 10000) -- h2 10.0.2.10
//
//   h2 :: three classes at 10 Mbit/s each, percent 50/30/20 :: 5, 3 and 2 parts of 10, 10 Mbit/s in all
//   h2 :: the first is idle                                :: 3 and 2 parts of 5, 10 Mbit/s in all
//   r  :: show policy-map interface                        :: what h2 has seen, offered = sent + dropped + queued

import t from 'tap';
import type { PolicyInterfaceState } from '../../control/api/snapshot-qos-interface.js';
import { Netns, until } from '../support/netns.js';
import { readCapture } from '../support/pcap.js';
import { SingleRouter } from '../support/single-router.js';

const configuration = `hostname R
class-map A
 match dscp af11
class-map B
 match dscp af21
class-map C
 match dscp af31
policy-map OUT
 class A
  bandwidth percent 50
  queue-limit 400 packets
 class B
  bandwidth percent 30
  queue-limit 400 packets
 class C
  bandwidth percent 20
  queue-limit 400 packets
interface eth1
 ip address 10.0.1.1 255.255.255.0
interface eth2
 ip address 10.0.2.1 255.255.255.0
 bandwidth 10000
 service-policy output OUT
`;

/** Words: ToS, seconds. 10 Mbit/s in datagrams of 1000 bytes. Queues are long, because a sender may get no CPU for a while. */
const sender = `
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, int(sys.argv[1]))
begin = time.monotonic(); n = 0
while time.monotonic() < begin + float(sys.argv[2]):
    while n < (time.monotonic() - begin) * 1250:
        s.sendto(b'x' * 972, ('10.0.2.10', 5000)); n += 1
    time.sleep(0.002)
`;
const tosOf = { A: 40, B: 72, C: 104 };

t.test('50, 30 and 20 percent', async (t) => {
  const net = new Netns();
  t.teardown(() => net.remove());
  await net.add('h1', 'r', 'h2');
  await net.veth('h1', 'eth0', '10.0.1.10/24', 'r', 'eth1', null);
  await net.veth('h2', 'eth0', '10.0.2.10/24', 'r', 'eth2', null);
  await net.sh('h1', 'ip route add default via 10.0.1.1');
  await net.sh('h2', 'ip route add default via 10.0.2.1');
  const router = SingleRouter.start(net, 'r', configuration);
  t.teardown(() => router.stop());
  await router.ready();
  await until('an answer', async () => /1 received/.test(await net.sh('h1', 'ping -c 1 -W 2 10.0.2.10 || true')));

  const states = async () =>
    ((await router.show('policy-map interface')) as { policyInterfaces: PolicyInterfaceState[] }).policyInterfaces[0];
  const flow = (name: keyof typeof tosOf, seconds: number) =>
    net.spawn('h1', ['/usr/bin/python3', '-c', sender, String(tosOf[name]), String(seconds)]).ended;
  /** Bytes of each class within so many seconds in the midst of what was captured. */
  const measure = async (names: (keyof typeof tosOf)[], seconds: number) => {
    const file = `${router.directory}/${names.join('')}.pcap`;
    const dump = net.spawn('h2', [
      'tcpdump',
      '-Z',
      'root',
      '-U',
      '--immediate-mode',
      '-B',
      '16384',
      '-s',
      '64',
      '-n',
      '-i',
      'eth0',
      '-w',
      file,
      'udp',
    ]);
    await dump.says(/listening on/);
    await Promise.all(names.map((name) => flow(name, seconds + 1.5)));
    await dump.stop('SIGINT');
    const packets = readCapture(file);
    const begin = packets[0].time + 1;
    const within = packets.filter(({ time }) => time >= begin && time < begin + seconds);
    const of = (tos: number) => within.filter((packet) => packet.tos === tos).reduce((sum, { ip }) => sum + ip.readUInt16BE(2), 0);
    const bytes = [of(tosOf.A), of(tosOf.B), of(tosOf.C)];
    const all = bytes.reduce((sum, item) => sum + item);
    return { mbps: (all * 8) / seconds / 1e6, percents: bytes.map((item) => (item * 100) / all) };
  };

  const three = await measure(['A', 'B', 'C'], 10);
  t.comment(`${three.mbps} Mbit/s, ${three.percents.join(' ')} percent`);
  // Test of the rate to 2 percent: test/path/qos, where no CPU is missing.
  t.ok(three.mbps > 5 && three.mbps < 10.2, `${three.mbps} Mbit/s`);
  for (const [n, wanted] of [50, 30, 20].entries())
    t.ok(Math.abs(three.percents[n] - wanted) <= 3, `${three.percents[n]}: ${wanted} percent`);

  const two = await measure(['B', 'C'], 4);
  t.comment(`A is idle: ${two.mbps} Mbit/s, ${two.percents.join(' ')} percent`);
  t.ok(two.mbps > 5 && two.mbps < 10.2, `${two.mbps} Mbit/s`);
  for (const [n, wanted] of [0, 60, 40].entries()) t.ok(Math.abs(two.percents[n] - wanted) <= 3, `${two.percents[n]}: ${wanted} percent`);

  await until('queues to be empty', async () => (await states()).policy.classes.every(({ queued }) => queued.packets === 0));
  for (const { name, offered, sent, drops, wait } of (await states()).policy.classes) {
    const dropped = Object.values(drops).reduce((sum, { packets }) => sum + packets, 0);
    t.equal(offered.packets, sent.packets + dropped, `${name}: offered = sent + dropped`);
    if (name !== 'class-default') t.ok(dropped > 0 && (wait.p99Us ?? 0) >= (wait.p50Us ?? 0) && (wait.p50Us ?? 0) > 0);
  }
});
