// Our NAT and the kernel's masquerade in twin networks: the same packets go in, and what the hosts see is compared field by field.
//
//   inside 10.0.1.10 -- 10.0.1.1 router 203.0.113.2 -- 203.0.113.1 middle 198.51.100.1 -- outside 198.51.100.10,   the way out has 1400 bytes,
//   the middle's 1300
//
//   sockets of 10.0.1.10 and 198.51.100.10 :: TCP there and back, reset, refused, UDP refused, path MTU :: the same, and as `facts` has it
//   raw packets between 10.0.1.20, .21 and 198.51.100.20 :: nat-twin.py :: every step: the same packets, in the same order, fields and checksums alike
//
// What is different on purpose stands in `deliberate`, each with its reason, and is itself compared: a difference that goes away fails too.

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { Netns, runChecked } from '../support/netns.js';
import { SingleRouter } from '../support/single-router.js';

const here = dirname(fileURLToPath(import.meta.url));
const script = [join(here, 'nat-twin.py'), join(here, '../../../test/netns/nat-twin.py')].find((path) => existsSync(path)) ?? '';

const configuration = `hostname r
interface GigabitEthernet0/0
 linux-device eth0
 ip address 10.0.1.1 255.255.255.0
 ip nat inside
interface GigabitEthernet0/1
 linux-device eth1
 ip address 203.0.113.2 255.255.255.0
 ip nat outside
 ip mtu 1400
ip access-list standard INSIDE
 permit 10.0.1.0 0.0.0.255
ip nat inside source list INSIDE interface GigabitEthernet0/1 overload
ip route 0.0.0.0 0.0.0.0 203.0.113.1
end
`;

const masquerade = `table ip twin {
  chain out { type nat hook postrouting priority srcnat; oif eth1 ip saddr 10.0.1.0/24 masquerade; }
  chain through { type filter hook forward priority filter; ct state invalid drop; }
}`;

type Fields = Record<string, unknown>;
interface Step {
  name: string;
  inside?: Fields[];
  outside?: Fields[];
  told?: unknown;
}

/** A network with `router` in the middle of it. */
async function build(): Promise<Netns> {
  const netns = new Netns();
  await netns.add('inside', 'router', 'middle', 'outside');
  await netns.veth('inside', 'eth0', '10.0.1.10/24', 'router', 'eth0', null);
  await netns.veth('router', 'eth1', null, 'middle', 'eth0', '203.0.113.1/24');
  await netns.veth('middle', 'eth1', '198.51.100.1/24', 'outside', 'eth0', '198.51.100.10/24');
  await netns.sh('inside', 'ip route add default via 10.0.1.1');
  await netns.sh('outside', 'ip address add 198.51.100.11/24 dev eth0; ip route add default via 198.51.100.1');
  await netns.sh(
    'middle',
    'ip link set eth0 mtu 1400; ip route replace 198.51.100.0/24 dev eth1 mtu lock 1300; sysctl -qw net.ipv4.ip_forward=1',
  );
  for (const node of ['inside', 'router', 'middle', 'outside']) {
    await netns.sh(
      node,
      'sysctl -qw net.ipv4.icmp_ratelimit=0; for device in eth0 eth1; do ethtool -K $device tx off gro off >/dev/null 2>&1 || :; done',
    );
  }
  return netns;
}

async function macOf(netns: Netns, node: string, device: string): Promise<string> {
  return (await netns.sh(node, `cat /sys/class/net/${device}/address`)).trim();
}

/** Addresses that nobody has are where the script is. */
async function addStrangers(netns: Netns): Promise<void> {
  const inside = await macOf(netns, 'inside', 'eth0');
  const outside = await macOf(netns, 'outside', 'eth0');
  for (const address of ['10.0.1.20', '10.0.1.21', '10.0.1.77'])
    await netns.sh('router', `ip neigh replace ${address} lladdr ${inside} dev eth0`);
  for (const address of ['198.51.100.20', '198.51.100.21'])
    await netns.sh('middle', `ip neigh replace ${address} lladdr ${outside} dev eth1`);
}

async function converse(netns: Netns): Promise<Step[]> {
  await addStrangers(netns);
  const nodes = Object.fromEntries(['inside', 'middle', 'outside', 'router'].map((node) => [node, netns.of(node)]));
  const hops = { insideHop: await macOf(netns, 'router', 'eth0'), outsideHop: await macOf(netns, 'middle', 'eth1') };
  return JSON.parse(await runChecked(['/usr/bin/python3', script, JSON.stringify({ ...nodes, ...hops })], {}, 120_000)) as Step[];
}

const deliberate: Record<string, string> = {
  'overlapping fragments':
    'we forward what came in order before the overlap, the kernel reassembles first; neither lets the datagram be completed',
  'error of the far host, 4 bytes quoted': 'ports are enough to tell the flow; RFC 792 promises 8 bytes, and the kernel wants them',
  'error whose quoted header has a wrong checksum': 'RFC 5508 REQ-3 a) has it dropped, the kernel lets it pass',
  'option record route': 'the kernel forwards twice, into our device and out of it, and writes itself down each time',
  'udp with a wrong checksum':
    'a checksum that was wrong stays wrong (RFC 1624), the end host judges it; conntrack calls the packet invalid',
  'syn and fin': 'whatever flags a segment has, it is the end host’s to judge; conntrack calls it invalid',
};

/** What the sockets of the hosts' own kernels say. */
const facts: Record<string, unknown> = {
  'sockets: tcp there and back, and what path it believes in': [['203.0.113.2', 6001], true, true, 1300],
  'sockets: tcp reset': [['203.0.113.2', 6002], 'ConnectionResetError'],
  'sockets: tcp refused': 'ConnectionRefusedError',
  'sockets: udp to a closed port': 'ConnectionRefusedError',
  'sockets: the path’s MTU is learnt hop by hop': [1500, 1400, 1300],
  'sockets: tcp to the global address': 'ConnectionRefusedError',
  'private addresses outside': 0,
};

t.test('what hosts see through us is what they see through the kernel', async (t) => {
  const [ours, twin] = await Promise.all([build(), build()]);
  t.teardown(() => {
    ours.remove();
    twin.remove();
  });
  const router = SingleRouter.start(ours, 'router', configuration);
  t.teardown(() => router.stop());
  await twin.sh(
    'router',
    'ip address add 10.0.1.1/24 dev eth0; ip address add 203.0.113.2/24 dev eth1; ip route add default via 203.0.113.1',
  );
  await twin.sh('router', `sysctl -qw net.ipv4.ip_forward=1; ip link set eth1 mtu 1400; nft '${masquerade}'`);
  await router.ready();
  const [seen, wanted] = await Promise.all([converse(ours), converse(twin)]);
  t.ok(wanted.length > 60, `${wanted.length} steps`);
  // Equal is not enough where both could be wrong.
  for (const [name, told] of Object.entries(facts)) t.same(seen.find((step) => step.name === name)?.told, told, name);
  for (const [i, step] of wanted.entries()) {
    if (step.name in deliberate) t.notSame(seen[i], step, `${step.name}: different, because ${deliberate[step.name]}`);
    else t.same(seen[i], step, step.name);
  }
});
