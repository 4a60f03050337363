// A group whose key server says `udp-encapsulation`: ESP in UDP 4500 between the hosts' addresses.
//
//   h1 10.0.1.10 -- r1 172.16.1.2 --- 172.16.1.1 core [capture] --- 172.16.2.2 r2 -- 10.0.2.10 h2          r4 key server
//                      port-driver tun                            xdp, the default
//
//   h1 :: TCP both ways, datagrams of 1 to 65,507 bytes :: arrive as they were sent
//   h1 :: ping -M do with the largest size, and one byte more :: passes; does not, and is told that size: 8 bytes less than without UDP
//   r1 :: iperf3 through it :: core's rx_packets are far fewer than what was sealed: superpackets
//   r1 :: ping to r2's branch address; packet-tracer :: answered; names ESP in UDP
//   h1, h2 <-> core :: UDP 4500 -> 4500 that is not the group's: IKE, ESP of somebody else, keepalives, fragments :: untouched, both ways
//   core :: tshark and scapy with r1's key log :: what h1 sent, byte for byte; between the branches there is UDP 4500 and nothing else

import t, { type Test } from 'tap';
import { Lab, type Router, substitute } from '../support/lab.js';
import { sortedWithoutHopFields, withoutHopFields } from '../support/pcap.js';
import { pings } from '../support/ping.js';
import { decryptWithScapy, readScapySas } from '../support/scapy.js';
import { capture, decryptWithTshark, readFields } from '../support/tshark.js';
import { readVariant } from '../support/variant.js';
import { countDifferences } from './decrypt-case.js';
import { tcpTransfer, udpWhole } from './mtu-lab.js';

/** floor((1500 - 20 - 8 - 8 - 8 - 16) / 4) * 4 - 2 */
const Largest = 1438;

function edit(router: Router, text: string): string {
  if (router === 'r4') return substitute(text, /^ {3}replay counter .*$/m, '$&\n   udp-encapsulation');
  // What h1 says to core is not translated.
  const exempt = substitute(
    text,
    /^ permit ip 10\.0\.(\d)\.0 0\.0\.0\.255 10\.0\.0\.0 0\.0\.255\.255$/m,
    '$&\n permit ip any host 172.16.$1.1',
  );
  return router === 'r1' && readVariant().outside === undefined ? substitute(exempt, /linux-device eth0/, '$&\n port-driver tun') : exempt;
}

interface Shown {
  ipsec: {
    flows: { encapsulated: number; plaintextMtu: number; outboundSpi: number; outbound: { udp: boolean }[]; inbound: { udp: boolean }[] }[];
  }[];
}

const echo = `
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('0.0.0.0', 4500)); print('ready', flush=True)
while True:
    data, source = s.recvfrom(65536); print(source, flush=True); s.sendto(data, source)
`;
const natTraversal = `
import os, socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, 10, 0) # IP_MTU_DISCOVER, IP_PMTUDISC_DONT
s.settimeout(3)
s.bind((sys.argv[1], 4500))
for data in [bytes(4) + os.urandom(200), b'\\x7f' + os.urandom(99), b'\\xff', b'\\x7f' + os.urandom(2999), bytes(4) + os.urandom(4000)]:
    s.sendto(data, (sys.argv[2], 4500))
    answer, source = s.recvfrom(65536)
    print(answer == data, source)
`;
const sendVaried = `
import random, socket
random.seed(1)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in range(100): s.sendto(random.randbytes(n * 14 % 1390), ('10.0.2.10', 5000 + n))
`;

t.test('ESP in UDP within a group', async (t) => {
  const lab = await Lab.up({ start: ['r1', 'r2', 'r4'], keyLog: true, edit });
  t.teardown(() => lab.down());
  const flowOf = async (router: 'r1' | 'r2') => ((await lab.show(router, 'crypto ipsec sa')) as Shown).ipsec[0].flows[0];
  const nodes: [from: 'h1' | 'h2', to: 'h1' | 'h2', address: string][] = [
    ['h1', 'h2', '10.0.2.10'],
    ['h2', 'h1', '10.0.1.10'],
  ];

  for (const [from, to, address] of nodes) t.ok(await tcpTransfer(lab, [from, to], address, 1 << 20), `TCP from ${from} to ${to}`);
  const { sent, arrived } = await udpWhole(lab, ['h1', 'h2'], '10.0.2.10');
  t.equal(arrived, sent, 'datagrams of all sizes');
  t.match(await flowOf('r1'), { plaintextMtu: Largest, outbound: [{ udp: true }], inbound: [{ udp: true }] });
  t.match(await lab.groupwire('r1', 'show', 'crypto', 'ipsec', 'sa'), /in use settings =\{Tunnel UDP-Encaps, \}/);
  t.match(await lab.groupwire('r1', 'show', 'crypto', 'gdoi'), /encaps: ENCAPS_TUNNEL_UDP/);
  t.match(await lab.groupwire('r4', 'show', 'crypto', 'gdoi', 'ks', 'policy'), /encaps : ENCAPS_TUNNEL_UDP/);

  const ping = (size: number) => lab.run('h1', ['ping', '-n', '-c', '1', '-W', '2', '-M', 'do', '-s', String(size - 28), '10.0.2.10']);
  t.equal((await ping(Largest)).status, 0, 'the largest passes');
  const refused = await ping(Largest + 1);
  t.match(refused.stdout + refused.stderr, new RegExp(`mtu ?= ?${Largest}`), 'one byte more is told the size');

  // Of the router itself to another: to addresses of their own, where IKE has its port.
  t.equal((await lab.run('r1', ['ping', ...pings(3), '-I', '10.0.1.1', '10.0.2.1'])).status, 0, 'between the routers');
  const asked = await lab.groupwire('r1', 'packet-tracer', 'input', 'FastEthernet0/1', 'udp', '10.0.1.10', '5000', '10.0.2.10', '53');
  t.match(asked, /ESP in UDP leaves 1438 bytes of it/);

  const wire = async () => Number(await lab.sh('core', 'cat /sys/class/net/r1/statistics/rx_packets'));
  const before = { sealed: (await flowOf('r1')).encapsulated, wire: await wire() };
  const server = lab.spawn('h2', ['iperf3', '-s', '-1', '--forceflush']);
  await server.says(/listening/);
  await lab.run('h1', ['iperf3', '-c', '10.0.2.10', '-t', '1']);
  const sealed = (await flowOf('r1')).encapsulated - before.sealed;
  const frames = (await wire()) - before.wire;
  t.ok(sealed > 1000, `${sealed} datagrams sealed`);
  // A kernel before 6.2 has no superpackets of UDP.
  const joins = /tx-udp-segmentation: on/.test(await lab.sh('r1', 'ethtool -k gw-eth0'));
  t.equal(frames * 4 < sealed, joins, `${sealed} datagrams left in ${frames} frames`);

  // xdp takes what a wire carries, and on that a checksum is finished (native/README.md).
  await lab.sh('core', 'ethtool -K r1 tx off; ethtool -K r2 tx off');
  const peer = lab.spawn('core', ['/usr/bin/python3', '-c', echo]);
  await peer.says(/ready/);
  for (const n of [1, 2]) {
    const answers = await lab.run(`h${n}` as 'h1', ['/usr/bin/python3', '-c', natTraversal, `10.0.${n}.10`, `172.16.${n}.1`]);
    t.equal(answers.stdout, `True ('172.16.${n}.1', 4500)\n`.repeat(5), `NAT traversal of h${n}${answers.stderr}`);
  }
  const seen = [1, 2].map((n) => `('10.0.${n}.10', 4500)\n`.repeat(5));
  t.equal(peer.stdout, `ready\n${seen.join('')}`, 'from their own addresses and port');

  await judge(lab, t);
});

async function judge(lab: Lab, t: Test): Promise<void> {
  // So that captures hold what leaves: single datagrams.
  await lab.sh('h1', 'ip route replace default via 10.0.1.1 mtu lock 1400; ethtool -K eth0 tso off gso off tx off');
  await lab.sh('core', 'ethtool -K r2 tso off gso off tx-udp-segmentation off');
  const sent = await capture(lab, 'h1', 'eth0', '-Q out ip');
  const crossing = await capture(lab, 'core', 'r2', '-Q out src net 10.0.1.0/24');
  await lab.run('h1', ['ping', ...pings(10), '-s', '1300', '10.0.2.10']);
  const server = lab.spawn('h2', ['iperf3', '-s', '--forceflush', '-1']);
  await server.says(/listening/);
  await lab.run('h1', ['iperf3', '-c', '10.0.2.10', '-n', '200K']);
  await lab.run('h1', ['/usr/bin/python3', '-c', sendVaried]);
  await sent.stop();
  await crossing.stop();

  const original = sortedWithoutHopFields(sent.file);
  const keys = lab.keyLogDirectory('r1');
  const other = await readFields(crossing.file, 'not (udp.srcport == 4500 and udp.dstport == 4500 and esp)', ['frame.number', 'ip.proto']);
  t.same(other, [], 'nothing else crosses');
  const byScapy = (await decryptWithScapy(crossing.file, '10.0.1.10', readScapySas(keys))).map(withoutHopFields).sort();
  t.ok(original.length > 150, `h1 sent enough to compare: ${original.length}`);
  t.equal(countDifferences(byScapy, original), 0, 'packets that differ from what h1 sent, by scapy');
  const isUdp = (packet: string) => packet.slice(18, 20) === '11';
  const byTshark = (await decryptWithTshark(crossing.file, 'ip.proto#2 in {1, 6}', keys, true)).map(withoutHopFields);
  const plain = (packets: readonly string[]) => packets.filter((packet) => !isUdp(packet)).sort();
  t.equal(countDifferences(plain(byTshark), plain(original)), 0, 'packets that differ from what h1 sent, by tshark');
}
